#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Prove every harness proof_*() of this folder with CBMC, and see that each of
# them fails when a defect is seeded into a copy of the library.
#
# usage: run.sh [HARNESS...]
#
# Prints TAP: one line a proof and one line a seed. Status: 0 all hold; 1 not;
# 77 CBMC is not to be had here.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)

# The seeds: harness, file, sed script that breaks it.
seeds() {
    cat <<'END'
irte_remapped_fields src/irte.c s/(irte->lo & VTDPI_IRTE_LO_RH)/(irte->lo \& VTDPI_IRTE_LO_DM)/
irte_posted_fields src/irte.c s/f->pda >> 32/f->pda >> 33/
irte_validate_is_encodable src/irte.c s/ || irte->hi != 0)/)/
irte_validate_means src/irte.c s/>> haw != 0/>> haw > 1/
irte_replace src/irte.c s/replacement->hi/old->hi/
msi_block src/msi.c s/base % count != 0/count == 0/
msi_index src/msi.c s/base >> 15/base >> 14/
msi_decode src/msi.c s/handle + subhandle > INDEX_MAX/handle > INDEX_MAX/
rte_fields src/msi.c s/? VTDPI_RTE_MASK/? VTDPI_RTE_REMOTE_IRR/
rte_word include/vtdpi/regs.h s/VTDPI_BITS64(47, 17) |/VTDPI_BITS64(47, 18) |/
compat_msi src/msi.c s/VTDPI_COMPAT_HI_DEST) << 8/VTDPI_COMPAT_HI_DEST)/
pid_control include/vtdpi/regs.h /define VTDPI_PID_NDST/s/32)/33)/
pid_post include/vtdpi/pid.h s/&& !urgent/\&\& urgent/
pid_harvest include/vtdpi/pid.h s/out.i. = vtdpi_atomic_xchg64(&pid->pir.i., 0);/;/
pid_merge include/vtdpi/pid.h s/(i % 2 \* 32)/(i % 2 * 16)/
pid_replace include/vtdpi/pid.h s/(old & ~mask) | value/old | value/
END
}

skip() {
    echo "# skipped: $*"
    exit 77
}

# find_cbmc: set the command prefix, from PATH or unpacked beside the system.
find_cbmc() {
    command -v gcc >/dev/null || skip 'CBMC needs gcc as its preprocessor'
    if command -v cbmc >/dev/null; then
        set_cbmc cbmc
        return
    fi
    box=$("$root/tests/suite/fetch-debs.sh" trixie - cbmc-trixie \
        cbmc minisat libc6 libstdc++6 libgcc-s1) ||
        skip 'CBMC is neither installed nor to be had from trixie'
    libc=$(find "$box/usr/lib" -name libc.so.6 | head -n 1)
    loader=$(find "$box/usr/lib" -name 'ld-linux*.so.*' | head -n 1)
    set_cbmc "$loader" --library-path "$(dirname "$libc"):$box/usr/lib" \
        "$box/usr/bin/cbmc"
}

# The prefix becomes a script: a path may hold blanks.
set_cbmc() {
    {
        echo '#!/bin/sh'
        printf 'exec'
        printf " '%s'" "$@"
        # shellcheck disable=SC2016 # the arguments of the script
        echo ' "$@"'
    } >"$work/cbmc"
    chmod +x "$work/cbmc"
    "$work/cbmc" --version >/dev/null 2>&1 || skip 'CBMC does not run here'
}

# prove TREE HARNESS: CBMC's status: 0 it holds, 10 it does not.
prove() {
    file=$(basename "$(grep -l "^void proof_$2(void)" "$here"/*.c)" .c)
    source=$1/src/$file.c
    [ -f "$source" ] || source= # header only
    "$work/cbmc" --function "proof_$2" -I "$1/include" -I "$here" \
        -DVTDPI_ATOMIC_HEADER='"atomic_sequential.h"' \
        --unwind 9 --unwinding-assertions --bounds-check --pointer-check \
        --signed-overflow-check --undefined-shift-check --trace \
        "$here/$file.c" ${source:+"$source"} >"$work/log" 2>&1
}

# report OK TEXT: one line of TAP; what CBMC said if not ok.
report() {
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        tail -n 60 "$work/log" | sed 's/^/# /'
        failed=yes
    fi
}

# holds HARNESS: on the tree as it is.
holds() {
    prove "$root" "$1"
    report $? "$1"
}

# catches HARNESS: on a copy with the seed in it; anything but a refutation,
# such as a seed that no longer applies or compiles, is a failure.
catches() {
    seed=$(seeds | grep "^$1 ")
    rest=${seed#* }
    target=${rest%% *}
    script=${rest#* }
    rm -rf "$work/tree"
    mkdir "$work/tree"
    cp -R "$root/include" "$root/src" "$work/tree"
    if [ -z "$seed" ]; then
        echo 'no defect is seeded for it' >"$work/log"
        report 1 "$1: seeded defect refuted"
        return
    fi
    sed "$script" "$root/$target" >"$work/tree/$target"
    if cmp -s "$root/$target" "$work/tree/$target"; then
        echo "the seed changes nothing: $script" >"$work/log"
        report 1 "$1: seeded defect refuted"
        return
    fi
    prove "$work/tree" "$1"
    [ $? -eq 10 ]
    report $? "$1: seeded defect refuted"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
find_cbmc

all=$(sed -n 's/^void proof_\([a-z0-9_]*\)(void)$/\1/p' "$here"/*.c)
[ $# -eq 0 ] || all=$*
# shellcheck disable=SC2086 # a list of names
set -- $all
echo "1..$(($# * 2))"
number=0
failed=no
for harness; do
    holds "$harness"
    catches "$harness"
done
[ "$failed" = no ]
