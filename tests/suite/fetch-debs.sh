#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Unpack packages of another suite or architecture of this machine's own
# distribution into a folder, without touching the system.
#
# usage: fetch-debs.sh [--with-libraries | --with PATTERN] SUITE ARCH FOLDER
#                      PACKAGE...
#
# --with-libraries  also unpack the shared libraries that the packages depend
#         on, so that their programs run through the loader that comes with
#         them on a machine that has none of them
# --with PATTERN  also unpack what the packages depend on and whose name the
#         shell's PATTERN matches, such as 'linux-*' for a package that only
#         names the one of the current version
# SUITE   such as trixie or bookworm-backports; "-" is this machine's own
# ARCH    such as arm64; "-" is this machine's own
# FOLDER  below ${XDG_CACHE_HOME:-~/.cache}/libvtdpi; emptied and filled unless
#         it holds exactly this set already. The packages' files are below it
#         as they would be below /.
#
# Nothing else that the packages depend on is unpacked, and none of their
# scripts is run. Prints the
# folder. Status: 0 done; 2 wrong call; 3 not to be had here (no apt, suite or
# package not reachable), so a test that needs it is skipped.
set -eu

with=
pattern=
case ${1:-} in
--with-libraries)
    with=$1
    shift
    ;;
--with)
    with="$1 ${2:-}"
    pattern=${2:-}
    shift 2
    ;;
esac
[ $# -ge 4 ] || {
    sed -n '/^# usage: /,/^#$/s/^# \{0,1\}//p' "$0" >&2
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

wanted="$suite $arch $*${with:+ $with}"
mkdir -p "$(dirname "$folder")"
# One at a time for each folder: several tests may want it at once.
if command -v flock >/dev/null; then
    exec 9>"$folder.lock"
    flock 9
fi
if [ "$(cat "$folder/.wanted" 2>/dev/null)" = "$wanted" ]; then
    echo "$folder"
    exit 0
fi

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
        "$command" "$@"
}

# wants NAME: whether the options ask for that dependency.
wants() {
    if [ "$with" != --with-libraries ]; then
        # shellcheck disable=SC2254 # it is a pattern
        case $1 in
        $pattern) return 0 ;;
        esac
        return 1
    fi
    case $1 in
    lib*-common | lib*-data | lib*-bin | lib*-modules*) return 1 ;;
    lib* | zlib1g) return 0 ;;
    esac
    return 1
}

# with_dependencies PACKAGE...: these, and what the options ask for of all that
# they depend on. apt says in a dry run what it would install on an empty system.
with_dependencies() {
    apt_private install -s -y --no-install-recommends "$@" >"$work/plan" ||
        return 1
    sed -n 's/^Inst \([^ :]*\).*/\1/p' "$work/plan" | while read -r name; do
        case " $* " in
        *" $name "*) echo "$name" ;;
        *) ! wants "$name" || echo "$name" ;;
        esac
    done
}

apt_private update >&2 || unreachable "suite $suite is not reachable"
if [ -n "$with" ]; then
    # shellcheck disable=SC2046 # a list of names
    set -- $(with_dependencies "$@")
    [ $# -gt 0 ] || unreachable "not in $suite for $arch: $wanted"
fi
(cd "$work/debs" && apt_private download "$@") >&2 ||
    unreachable "not in $suite for $arch: $*"
for deb in "$work/debs"/*.deb; do
    dpkg-deb -x "$deb" "$work/root"
done
echo "$wanted" >"$work/root/.wanted"
rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
mv "$work/root" "$folder"
echo "$folder"
