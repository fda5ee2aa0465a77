#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Check: abi.sh of packaging/, on changes of the binary interface that are planted in
# a copy with a release.
. "$ROOT/tests/check/lib.sh"

need 'binary interface' git tar python3 meson ninja abidiff || exit 0
copy=$OUT/copy
. "$ROOT/tests/packaging/scratch.sh"

# same_is_good: text that is no part of the interface, in a source and in a header.
same_is_good() {
    echo '/* a comment */' >>"$copy/src/version.c"
    echo '/* a comment */' >>"$copy/include/vtdpi/version.h"
    in_copy packaging/abi.sh check
}

# grow: a function more, in a patch release.
grow() {
    sed 's/^VTDPI_END_DECLS/VTDPI_API uint32_t vtdpi_more(void);\n\n&/' \
        include/vtdpi/version.h >"$copy/include/vtdpi/version.h"
    echo 'uint32_t vtdpi_more(void) { return 1; }' >>"$copy/src/version.c"
    sed 's/^    vtdpi_ndst_from/    vtdpi_more;\n&/' "$copy/src/vtdpi.map" \
        >"$copy/map" && mv "$copy/map" "$copy/src/vtdpi.map"
    in_copy packaging/version.sh "$patch" &&
        in_copy python3 -B packaging/changelog.py add Added 'A function.' &&
        commit 'tests: grow'
}

# accepted: with an entry, a version that tells, and nothing left to say.
accepted() {
    in_copy packaging/abi.sh accept 'There is one function more.' &&
        [ "$(in_copy cat VERSION)" = "$minor" ] &&
        in_copy packaging/version.sh --check &&
        in_copy python3 -B packaging/changelog.py show >"$OUT/entries" &&
        sed -n '/^### ABI$/,$p' "$OUT/entries" |
        grep -qx -- '- There is one function more.' &&
        in_copy packaging/abi.sh check
}

# widen: a member more in a public structure that the caller allocates.
widen() {
    sed 's/^struct vtdpi_irq {/&\n    uint64_t one_more;/' \
        include/vtdpi/irq.h >"$copy/include/vtdpi/irq.h"
    ! cmp -s include/vtdpi/irq.h "$copy/include/vtdpi/irq.h"
}

# next_release: starts from the accepted interface.
next_release() {
    in_copy packaging/abi.sh accept 'A structure grew.' &&
        [ "$(in_copy cat VERSION)" = "$minor" ] &&
        commit 'tests: widen' && in_copy packaging/release.sh &&
        ! in_copy git cat-file -e HEAD:packaging/abi-accepted.txt &&
        in_copy packaging/abi.sh check
}

no_release() {
    in_copy packaging/abi.sh check 2>"$OUT/none"
    [ $? -eq 77 ] && grep -q 'no release yet' "$OUT/none"
}

patch=$(awk -F. '{ print $1 "." $2 "." $3 + 1 }' VERSION)
minor=$(awk -F. '{ print $1 "." $2 + 1 ".0" }' VERSION)
scratch || {
    fail 'a copy with a history'
    exit 0
}
check 'nothing to compare with before the first release' no_release
check 'a release' in_copy packaging/release.sh
check 'the same interface passes' same_is_good
check 'a function is added' grow
check 'a patch release with the function is refused' refused 'vtdpi_more' \
    packaging/release.sh
check 'the function is accepted' accepted
commit 'tests: accept'
check 'a member is added' widen
check 'the member is told beside what is accepted' refused 'one_more' packaging/abi.sh check
check 'the next release begins anew' next_release
