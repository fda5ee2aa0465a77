#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Make a release of what is checked out: a commit and a tag; docs/releases.md.
#
# usage: release.sh [--dry-run]
#
# --dry-run: check everything, show the commit and the tag, and change nothing.
set -eu
me=release.sh
# shellcheck source=packaging/lib.sh
. "$(dirname -- "$0")/lib.sh"

dry=
case $#${1:-} in
0) ;;
1--dry-run) dry=yes ;;
*) usage ;;
esac

version=$(cat VERSION)
tag=v$version
last=$(last_release)
[ -z "$(git status --porcelain)" ] || die "the tree is not clean:
$(git status --short)"
packaging/version.sh --check
! git rev-parse -q --verify "refs/tags/$tag" >/dev/null ||
    die "$tag is there already: raise the version"
[ -z "$last" ] || later "$version" "${last#v}" ||
    die "$version does not come after $last"
entries=$(python3 -B packaging/changelog.py show) ||
    die 'CHANGELOG.md has no entry in its section Unreleased'
status=0
packaging/abi.sh check || status=$?
case $status in
0) ;;
77) [ -z "$last" ] || die "a release after $last needs abidiff" ;;
*) die 'the binary interface differs' ;;
esac

# All changes are made beside the tree first, so that --dry-run shows them.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
git clone -q --no-hardlinks "$root" "$work/tree"
(
    cd "$work/tree"
    python3 -B packaging/changelog.py release "$version" "$(date -u +%Y-%m-%d)"
    [ ! -e packaging/abi-accepted.txt ] || rm packaging/abi-accepted.txt
    git add -A
    git diff --cached
) >"$work/change"
if [ -n "$dry" ]; then
    cat "$work/change"
    printf '%s: dry run; tag %s would say:\nlibvtdpi %s\n\n%s\n' \
        "$me" "$tag" "$version" "$entries"
    exit 0
fi
git apply --index "$work/change"
git commit -q -m "release: make $version"
printf 'libvtdpi %s\n\n%s\n' "$version" "$entries" |
    git tag -a --cleanup=whitespace -F - "$tag"
echo "$me: $tag; to publish: git push origin HEAD $tag"
