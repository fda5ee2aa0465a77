#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Unpack packages of another suite or architecture of this machine's own
# distribution into a folder, without touching the system.
#
# usage: fetch-debs.sh SUITE ARCH FOLDER PACKAGE...
#
# SUITE   such as trixie or bookworm-backports; "-" is this machine's own
# ARCH    such as arm64; "-" is this machine's own
# FOLDER  below ${XDG_CACHE_HOME:-~/.cache}/libvtdpi; emptied and filled unless
#         it holds exactly this set already. The packages' files are below it
#         as they would be below /.
#
# Only the packages named are unpacked, not what they depend on. Prints the
# folder. Status: 0 done; 2 wrong call; 3 not to be had here (no apt, suite or
# package not reachable), so a test that needs it is skipped.
set -eu

[ $# -ge 4 ] || {
    sed -n 's/^# usage: /usage: /p' "$0" >&2
    exit 2
}

suite=$1
arch=$2
top=${XDG_CACHE_HOME:-$HOME/.cache}/libvtdpi
folder=$top/$3
shift 3

unreachable() {
    echo "fetch-debs: $*" >&2
    exit 3
}

for program in apt-get dpkg-deb dpkg; do
    command -v "$program" >/dev/null || unreachable "no $program here"
done

release_says() {
    sed -n "s/^$1=//p" /etc/os-release | tr -d '"'
}

own=$(release_says VERSION_CODENAME)
[ -n "$own" ] || unreachable 'the system does not name its suite'
[ "$suite" != - ] || suite=$own
[ "$arch" != - ] || arch=$(dpkg --print-architecture)

wanted="$suite $arch $*"
if [ "$(cat "$folder/.wanted" 2>/dev/null)" = "$wanted" ]; then
    echo "$folder"
    exit 0
fi

mkdir -p "$top"
work=$(mktemp -d "$top/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs" \
    "$work/root"
: >"$work/status"

# Where this machine gets its own suite from; the distribution's key signs all.
key=/usr/share/keyrings/$(release_says ID)-archive-keyring.gpg
[ -f "$key" ] || key=
# shellcheck disable=SC2016 # apt's variables, not ours
format='$(RELEASE)|$(COMPONENT)|$(REPO_URI)'
apt-get indextargets --format "$format" 'Identifier: Packages' 2>/dev/null |
    sort -u | while IFS='|' read -r release component uri; do
    if [ "$release" = "$own" ] && [ "$component" = main ]; then
        echo "deb [arch=$arch${key:+ signed-by=$key}] $uri $suite main"
    fi
done >"$work/sources.list"
[ -s "$work/sources.list" ] || unreachable "apt knows no archive of $own"

apt_private() {
    command=$1
    shift
    apt-get -q \
        -o Dir::State="$work" -o Dir::State::lists="$work/lists" \
        -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \
        -o Dir::Etc::sourcelist="$work/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o Dir::Etc::preferences=/dev/null \
        -o Dir::Etc::preferencesparts=/dev/null \
        -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
        -o APT::Sandbox::User="$(id -un)" -o APT::Update::Error-Mode=any \
        "$command" "$@" >&2
}

apt_private update || unreachable "suite $suite is not reachable"
(cd "$work/debs" && apt_private download "$@") ||
    unreachable "not in $suite for $arch: $*"
for deb in "$work/debs"/*.deb; do
    dpkg-deb -x "$deb" "$work/root"
done
echo "$wanted" >"$work/root/.wanted"
rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
mv "$work/root" "$folder"
echo "$folder"
