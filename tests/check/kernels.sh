#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: kernels.sh NAME COMPILER
#
# Sources and headers with the flags of Linux, Xen and FreeBSD; what their flags make
# of calls by pointer and of cold code
. "$ROOT/tests/check/lib.sh"
. "$ROOT/tests/check/kernel-flags.sh"

# compile KERNEL SOURCE [FLAG...]: with the kernel's flags, which are in $flags.
compile() {
    c_kernel=$1
    c_source=$2
    shift 2
    # shellcheck disable=SC2086 # flags is a list
    "$cc" $flags -Werror -Iinclude -Itests/consumer \
        '-DKERNEL_U64=unsigned long' '-DVTDPI_TYPES_HEADER="kernel_types.h"' \
        "$@" -c "$c_source" -o "$OUT/$c_kernel/$(basename "$c_source" .c).o"
}

# sources_of KERNEL [FLAG...]: every source of the library and of the model.
sources_of() {
    so_kernel=$1
    shift
    rm -rf "${OUT:?}/$so_kernel"
    mkdir -p "$OUT/$so_kernel"
    for so_source in $every; do
        compile "$so_kernel" "$so_source" "$@" || return 1
    done
}

# headers_of KERNEL: each public header alone, in a file of the kernel's.
# explore_kernel.h stands for the kernel's own headers, in user space.
headers_of() {
    for ho_header in $(cd include && sources vtdpi | grep -v explore_kernel); do
        echo "#include \"$ho_header\"" >"$OUT/$1/header.c"
        compile "$1" "$OUT/$1/header.c" -fsyntax-only || return 1
    done
}

# pads_differ: what differs between the marks of all sources and the pads.
pads_differ() {
    # shellcheck disable=SC2086 # a list
    python3 tests/check/landing_pads.py --exact "$OUT"/xen/*.o -- $every
}

# seeded WHAT SOURCE SED: whether the script notices what SED does to the source.
seeded() {
    mkdir -p "$OUT/seeded"
    cp src/*.h "$OUT/seeded"
    sed "$3" "$2" >"$OUT/seeded/seeded.c"
    ! cmp -s "$2" "$OUT/seeded/seeded.c" || return 1
    compile seeded "$OUT/seeded/seeded.c" "$cf_check" &&
        python3 tests/check/landing_pads.py --exact "$OUT/seeded/seeded.o" \
            -- "$2" | tee "$OUT/seeded/found" && grep "$1" "$OUT/seeded/found"
}

# bare_calls: calls by pointer that go round the thunks of Linux's build.
bare_calls() {
    objdump -d --no-show-raw-insn "$OUT"/linux/*.o |
        grep -E '\s(notrack )?(call|jmp)q? +\*'
}

# cold_elsewhere: functions that the headers declare VTDPI_COLD and that lie in
# another section than the host's.
cold_elsewhere() {
    cat include/vtdpi/*.h | tr '\n' ' ' | grep -oE 'VTDPI_COLD[^;{(]*\(' |
        grep -oE '\w+\($' | tr -d '(' | sort -u >"$OUT/cold"
    [ -s "$OUT/cold" ] || echo 'no function is cold'
    for ce_object in "$OUT"/linux/*.o; do
        objdump -t "$ce_object"
    done | awk '$3 == "F" || $4 == "F" { print $(NF - 2), $NF }' |
        sed 's/^\(\S*\) \(.hidden \)*/\1 /' >"$OUT/places"
    awk 'NR == FNR { cold[$1]; next } $2 in cold && !($1 ~ /^\.text\.host_cold/) {
        print $2 " is in " $1 }' "$OUT/cold" "$OUT/places"
    awk 'NR == FNR { cold[$1]; next } $2 in cold { n++ }
        END { if (!n) print "no cold function found" }' "$OUT/cold" "$OUT/places"
}

name=$1
cc=$2
found "kernels $name" "$cc" || exit 0
[ "$(uname -m)" = x86_64 ] || {
    skip "kernels $name" 'their flags are for x86-64'
    exit 0
}
every=$(find src -name '*.c')
cf_check='-DVTDPI_BY_POINTER=__attribute__((__cf_check__))'

for kernel in linux xen freebsd; do
    case $kernel in
    linux) flags=$linux_flags ;;
    xen) flags=$xen_flags ;;
    freebsd) flags=$freebsd_flags ;;
    esac
    # shellcheck disable=SC2086 # a list
    flags=$(known_flags "$cc" $flags)
    case $kernel-$flags in
    xen-*-mmanual-endbr*) define=$cf_check ;;
    linux-*) define='-DVTDPI_COLD_SECTION=".text.host_cold"' ;;
    *) define=-DVTDPI_BY_POINTER= ;;
    esac
    check "$name, flags of $kernel: sources" sources_of "$kernel" "$define"
    check "$name, flags of $kernel: headers" headers_of "$kernel"
done

need "$name: sections" objdump || exit 0
# shellcheck disable=SC2086 # a list
flags=$(known_flags "$cc" $linux_flags)
case $flags in
*-mindirect-branch*)
    none "$name, flags of Linux: every call by pointer goes through a thunk" \
        bare_calls
    ;;
esac
none "$name: cold code is in the section of the host" cold_elsewhere

# shellcheck disable=SC2086 # a list
flags=$(known_flags "$cc" $xen_flags)
case $flags in
*-mmanual-endbr*) ;;
*) exit 0 ;; # only gcc can leave landing pads to the sources
esac
need 'landing pads' python3 || exit 0
none 'flags of Xen: just the marked functions begin with ENDBR64' pads_differ
check 'a mark that is missing is noticed' seeded 'and does not begin' src/table.c \
    '0,/^static VTDPI_BY_POINTER/s//static/'
check 'a mark too many is noticed' seeded 'and is not marked' src/table.c \
    's/^size_t vtdpi_table_storage_size/VTDPI_BY_POINTER &/'
