#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Check: version.sh and release.sh of packaging/, in a copy with a history of its own.
. "$ROOT/tests/check/lib.sh"

need 'releases' git tar python3 || exit 0
copy=$OUT/copy
. "$ROOT/tests/packaging/scratch.sh"

# unchanged: nothing is different from the commit, and there is no tag.
unchanged() {
    [ -z "$(in_copy git status --porcelain)" ] && [ -z "$(in_copy git tag)" ] &&
        [ "$(in_copy git rev-list --count HEAD)" -eq 1 ]
}

dry_run() {
    in_copy packaging/release.sh --dry-run >"$OUT/dry" &&
        grep -qxE "\+## $version \([0-9]{4}(-[0-9]{2}){2}\)" "$OUT/dry" &&
        grep -qx "libvtdpi $version" "$OUT/dry" && unchanged
}

release() {
    in_copy packaging/release.sh || return 1
    [ "$(in_copy git cat-file -t "v$version")" = tag ] || return 1
    [ "$(in_copy git rev-parse "v$version^{commit}")" = \
        "$(in_copy git rev-parse HEAD)" ] || return 1
    [ -z "$(in_copy git status --porcelain)" ] || return 1
    # The entries are below the version now, and in the tag; above is room for new
    # ones.
    in_copy sed -n '/^## /p' CHANGELOG.md | sed 's/ (.*//' | head -n 2 |
        paste -sd, - | grep -qx "## Unreleased,## $version" || return 1
    in_copy git tag -l --format='%(contents)' "v$version" | grep -q '^- ' &&
        ! in_copy python3 -B packaging/changelog.py show >/dev/null
}

# version_goes_everywhere VERSION NODE: and to nothing else.
version_goes_everywhere() {
    in_copy packaging/version.sh "$1" && in_copy packaging/version.sh --check &&
        [ "$(in_copy cat VERSION)" = "$1" ] &&
        grep -qx "#define VTDPI_VERSION_TEXT \"$1\"" \
            "$copy/include/vtdpi/version.h" &&
        grep -qx "VTDPI_$2 {" "$copy/src/vtdpi.map" &&
        grep -qx "VTDPI_MODEL_$2 {" "$copy/src/model/vtdpi-model.map"
}

version=$(cat VERSION)
scratch || {
    fail 'a copy with a history'
    exit 0
}
check 'a dry run shows the release and changes nothing' dry_run

touch "$copy/left-over"
check 'a tree that is not clean is refused' refused 'not clean' \
    packaging/release.sh
rm "$copy/left-over"

sed 's/^\(#define VTDPI_VERSION_PATCH \)/\17/' include/vtdpi/version.h \
    >"$copy/include/vtdpi/version.h"
commit 'tests: break version.h'
check 'another version in version.h is refused' refused 'version.h' \
    packaging/release.sh
undo
sed 's/^VTDPI_MODEL_/&7./' src/model/vtdpi-model.map \
    >"$copy/src/model/vtdpi-model.map"
commit 'tests: break a map'
check 'another version in a map is refused' refused 'vtdpi-model.map' \
    packaging/release.sh
undo
sed '1s/(.*)/(7.7.7)/' packaging/debian/changelog >"$copy/packaging/debian/changelog"
commit 'tests: break the changelog of Debian'
check 'another version in debian/changelog is refused' refused 'packaging/debian' \
    packaging/release.sh
undo
printf '# Changelog\n\n## Unreleased\n\nNothing.\n\n## 0.0.1\n\n- Old.\n' \
    >"$copy/CHANGELOG.md"
commit 'tests: empty the section'
check 'an empty section Unreleased is refused' refused 'no entry' \
    packaging/release.sh
undo

check 'a release is a commit and a tag' release
check 'the same release again is refused' refused 'is there already' \
    packaging/release.sh
check 'version.sh: a minor version before 1.0' version_goes_everywhere 0.27.0 0.27
check 'version.sh: a patch release' version_goes_everywhere 0.27.3 0.27
check 'version.sh: 1.0' version_goes_everywhere 1.0.0 1
check 'version.sh: a minor version after 1.0' version_goes_everywhere 1.4.0 1
check 'version.sh: 2.0' version_goes_everywhere 2.0.0 2
check 'version.sh: back' version_goes_everywhere 0.0.9 0.0
for wrong in 1.0 1.02.0 v1.0.0 1.0.0-rc1; do
    check "version.sh: $wrong is no version" refused '^usage' \
        packaging/version.sh "$wrong"
done
in_copy python3 -B packaging/changelog.py add Fixed 'Nothing.'
commit 'tests: go back'
check 'a version before the last release is refused' refused 'does not come after' \
    packaging/release.sh
