#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Unpack a source package of a suite of this machine's own distribution into a
# folder, with the distribution's patches.
#
# usage: fetch-source.sh SUITE FOLDER PACKAGE
#
# SUITE   such as bookworm
# FOLDER  below ${XDG_CACHE_HOME:-~/.cache}/libvtdpi; emptied and filled unless
#         it holds that package of that suite already
#
# The package is of format 3.0 (quilt). Its version is in the folder's file
# .version. Prints the folder. Status: 0 done; 2 wrong call; 3 not to be had here
# (no apt, suite or package not reachable), so a test that needs it is skipped.
set -eu

[ $# -eq 3 ] || {
    sed -n 's/^# usage: /usage: /p' "$0" >&2
    exit 2
}
suite=$1
top=${XDG_CACHE_HOME:-$HOME/.cache}/libvtdpi
folder=$top/$2
package=$3

unreachable() {
    echo "fetch-source: $*" >&2
    exit 3
}

for program in apt-get tar xz patch; do
    command -v "$program" >/dev/null || unreachable "no $program here"
done
mkdir -p "$(dirname "$folder")"
# One at a time, as in fetch-debs.sh.
if command -v flock >/dev/null; then
    exec 9>"$folder.lock"
    flock 9
fi
if [ "$(cat "$folder/.wanted" 2>/dev/null)" = "$suite $package" ]; then
    echo "$folder"
    exit 0
fi

work=$(mktemp -d "$top/source.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/state/lists/partial" "$work/files" "$work/tree"
: >"$work/state/status"

# Where this machine gets its own suite from; all else is apt's own, below work.
id=$(sed -n 's/^ID=//p' /etc/os-release | tr -d '"')
own=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release | tr -d '"')
key=/usr/share/keyrings/$id-archive-keyring.gpg
apt-get indextargets --format "\$(REPO_URI)" 'Identifier: Packages' \
    "Release: $own" 'Component: main' 2>/dev/null | sort -u |
    sed "s|.*|deb-src [signed-by=$key] & $suite main|" >"$work/sources.list"
[ -s "$work/sources.list" ] || unreachable "apt knows no archive of $own"
cat >"$work/apt.conf" <<END
Dir::State "$work/state/";
Dir::State::status "$work/state/status";
Dir::Cache "$work/cache/";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "$(id -un)";
APT::Update::Error-Mode "any";
END
export APT_CONFIG="$work/apt.conf"

apt-get -q update >&2 || unreachable "suite $suite has no sources to be had"
(cd "$work/files" && apt-get -q source --download-only "$package") >&2 ||
    unreachable "no source of $package in $suite"

# dpkg-source need not be here.
tar -xf "$(find "$work/files" -name '*.orig.tar.*' ! -name '*.asc')" \
    -C "$work/tree" --strip-components=1
tar -xf "$(find "$work/files" -name '*.debian.tar.*')" -C "$work/tree"
sed -e 's/#.*//' -e '/^ *$/d' "$work/tree/debian/patches/series" |
    while read -r name; do
        patch -s -d "$work/tree" -p1 <"$work/tree/debian/patches/$name" >&2
    done
sed -n '1s/.*(\(.*\)).*/\1/p' "$work/tree/debian/changelog" \
    >"$work/tree/.version"
echo "$suite $package" >"$work/tree/.wanted"
rm -rf "$folder"
mv "$work/tree" "$folder"
echo "$folder"
