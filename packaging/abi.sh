#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Compare the binary interface with that of the last release; docs/releases.md.
#
# usage: abi.sh check         are there differences that are not accepted?
#        abi.sh accept ENTRY  accept them; ENTRY tells the users, in CHANGELOG.md
#
# Status: 0 no difference that is not accepted, 1 there is one, 2 wrong call,
# 77 nothing to compare with, or no abidiff.
set -eu
me=abi.sh
# shellcheck source=packaging/lib.sh
. "$(dirname -- "$0")/lib.sh"

accepted=packaging/abi-accepted.txt
heading=ABI

cannot() {
    echo "$me: $*; the binary interface was not compared" >&2
    exit 77
}

# library FOLDER: builds the sources there. Names of versions would make each
# symbol of another version look new, so both libraries get the same ones.
library() {
    echo 0.0.0 >"$1/VERSION"
    for l_map in "$1/src/vtdpi.map" "$1/src/model/vtdpi-model.map"; do
        sed -E 's/^(VTDPI_(MODEL_)?)[0-9.]+ \{/\1{/' "$l_map" >"$l_map.new"
        mv "$l_map.new" "$l_map"
    done
    if ! {
        meson setup "$1/build" "$1" --buildtype=debug --libdir=lib \
            --auto-features=disabled --default-library=both &&
            ninja -C "$1/build"
    } >"$1/build.log" 2>&1; then
        cat "$1/build.log" >&2
        die "$1 does not build"
    fi
}

# differences: what abidiff says, without what it is not asked for. Sets worst to
# the worst status: 4 differences, 8 beside that: old programs break.
differences() {
    worst=0
    for d_name in libvtdpi libvtdpi-model; do
        d_at=src
        [ $d_name = libvtdpi ] || d_at=src/model
        d_status=0
        abidiff --no-show-locs --headers-dir1 "$work/old/include" \
            --headers-dir2 "$work/new/include" \
            "$work/old/build/$d_at/$d_name.so" \
            "$work/new/build/$d_at/$d_name.so" >"$work/report" || d_status=$?
        [ $((d_status & 3)) -eq 0 ] || {
            cat "$work/report" >&2
            die 'abidiff failed'
        }
        [ $d_status -eq 0 ] || {
            echo "$d_name:"
            cat "$work/report"
        }
        worst=$((worst | d_status))
    done >"$work/differences"
}

# raised: the version that differences from the last release demand.
raised() {
    tr . ' ' <VERSION | {
        read -r major minor _
        if [ "$major" -gt 0 ] && [ $((worst & 8)) -ne 0 ]; then
            echo "$((major + 1)).0.0"
        else
            echo "$major.$((minor + 1)).0"
        fi
    }
}

# enough: whether VERSION has been raised as far already.
enough() {
    released=${tag#v}
    if [ $((worst & 8)) -ne 0 ] || [ "${released%%.*}" = 0 ]; then
        [ "$(interface "$(cat VERSION)")" != "$(interface "$released")" ]
    else
        [ "$(cut -d. -f1,2 VERSION)" != "${released%.*}" ]
    fi
}

case $#${1:-} in
1check) ;;
2accept) [ -n "$2" ] || usage ;;
*) usage ;;
esac

tag=$(last_release)
[ -n "$tag" ] || cannot 'there is no release yet'
command -v abidiff >/dev/null || cannot 'no abidiff here (Debian: abigail-tools)'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/old" "$work/new"
git archive "$tag" | tar -C "$work/old" -xf -
git ls-files -z --cached --others --exclude-standard |
    tar --null --ignore-failed-read -cf - -T - | tar -C "$work/new" -xf -
library "$work/old"
library "$work/new"
differences

if [ "$1" = accept ]; then
    [ "$worst" -ne 0 ] || die "no difference from $tag to accept"
    enough || packaging/version.sh "$(raised)"
    python3 -B packaging/changelog.py add $heading "$2"
    cp "$work/differences" $accepted
    exit 0
fi

[ -e $accepted ] || : >"$work/none"
if ! diff -u "$([ -e $accepted ] && echo $accepted || echo "$work/none")" \
    "$work/differences"; then
    die "not the accepted differences from $tag; if they are meant:
packaging/abi.sh accept 'ENTRY OF THE CHANGELOG'"
fi
[ "$worst" -eq 0 ] || enough ||
    die "VERSION is too low for the accepted differences from $tag"
echo "$me: the same interface as $tag, except for what is accepted"
