#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: freestanding.sh NAME COMPILER
#
# Kernel flags, no libc, size, each knob
. "$ROOT/tests/check/lib.sh"

# Bytes of text at -O2, of five parts. Core: what a host that drives its units
# and its vCPUs runs. Discovery: the DMAR reader and the verdict, which run once,
# and which a host with a reader of its own leaves out. Routing: for hosts whose
# guests' messages the library reads. Text: format.h, which no other part calls.
# Host: for a host's own MSIs, for IPI virtualization, and for live update, whose
# functions are counted in core, too.
# inline.c is in none of them: nothing calls its symbols, and a kernel leaves the
# file out.
limit_core=32768
limit_discovery=6144
limit_routing=8192
limit_text=12288
limit_host=4096

. "$ROOT/tests/check/kernel-flags.sh"
flags="$kernel_flags -Wall -Wextra -Wconversion -Werror -Wframe-larger-than=1024"

# objects CC DIR SOURCE... -- FLAG...: as a kernel's own build would do it, with
# no Meson and no generated file.
objects() {
    o_cc=$1
    o_dir=$2
    shift 2
    rm -rf "$o_dir"
    mkdir -p "$o_dir"
    o_sources=
    while [ "$1" != -- ]; do
        o_sources="$o_sources $1"
        shift
    done
    shift
    for o_source in $o_sources; do
        # shellcheck disable=SC2086 # flags is a list
        "$o_cc" $flags "$@" -c "$o_source" \
            -o "$o_dir/$(basename "$o_source" .c).o" || return 1
    done
}

# undefined OBJECT: what it needs from outside, except the four functions that
# compilers emit calls to.
undefined() {
    nm -u "$1" | awk '{ print $NF }' |
        grep -vxE 'mem(cpy|set|cmp|move)'
}

# variables OBJECT: anything writable.
variables() {
    nm "$1" | awk '$2 ~ /^[bBdDcCgGsS]$/ { print $2, $3 }'
}

# traps OBJECT: what VTDPI_ASSERT of a debug build becomes.
traps() {
    objdump -d "$1" | grep -wE 'ud2|brk'
}

# without_inline DIR: links all but inline.c, which only emits symbols.
without_inline() {
    find "$1" -name '*.o' ! -name all.o ! -name inline.o \
        -exec ld -r -o "$1/all.o" {} +
}

# without_headers CC UINT64 FLAG...: all of the library and of the model, with a
# kernel's types alone: no header of the compiler's and none of a C library.
without_headers() {
    w_cc=$1
    w_long=$2
    shift 2
    # shellcheck disable=SC2086 # lists
    "$w_cc" $flags -nostdinc -Itests/consumer "-DKERNEL_U64=$w_long" \
        '-DVTDPI_TYPES_HEADER="kernel_types.h"' "$@" -fsyntax-only $every
}

# unmarked MARK: functions of the library and of the model that are called by
# pointer and have no landing pad, with VTDPI_BY_POINTER as MARK. -O0, so that
# no call by pointer is optimized into another one.
unmarked() {
    rm -rf "$OUT/pads"
    mkdir -p "$OUT/pads"
    for u_source in $every; do
        # shellcheck disable=SC2086 # flags is a list
        gcc $flags -O0 -ffunction-sections -fcf-protection=branch \
            -mmanual-endbr "-DVTDPI_BY_POINTER=$1" -c "$u_source" \
            -o "$OUT/pads/$(basename "$u_source" .c).o" || return 1
    done
    python3 tests/check/landing_pads.py "$OUT"/pads/*.o
}

# marks_missed: the numbers of marks and of functions that are found without
# them, if the two differ. So no mark can be lost, and none is idle.
marks_missed() {
    # shellcheck disable=SC2086 # every is a list
    m_marks=$(grep -c '^static VTDPI_BY_POINTER ' $every |
        awk -F: '{ n += $2 } END { print n }')
    m_found=$(unmarked '' | wc -l)
    [ "$m_marks" -gt 0 ] && [ "$m_marks" -eq "$m_found" ] ||
        echo "$m_marks marks, $m_found functions called by pointer"
}

# refuses_32bit CC: the first error names the reason.
refuses_32bit() {
    "$1" -m32 -ffreestanding -Iinclude -fsyntax-only src/version.c 2>&1 |
        grep -m 1 error: | grep -q 'libvtdpi needs a 64-bit host'
}

# simulated_32bit CC: pid.h and sched.h compile for it as a simulation.
simulated_32bit() {
    "$1" -m32 -ffreestanding -Wall -Wextra -Werror -DVTDPI_SIMULATION \
        -DVTDPI_HAVE_CX16=0 -Iinclude -fsyntax-only src/sched*.c
}

# text_size DIR PATTERN: of the objects whose names match.
text_size() {
    find "$1" ! -name all.o -name "$2.o" -exec size -A {} + |
        awk '$1 ~ /^\.text/ { n += $2 } END { print n + 0 }'
}

# functions_size OBJECT PATTERN: of the functions whose names match.
functions_size() {
    nm -S -t d --defined-only "$1" |
        awk -v p="$2" '$3 ~ /^[tT]$/ && $4 ~ p { n += $2 } END { print n + 0 }'
}

# bounded CC WHAT TEXT LIMIT
bounded() {
    note "text of $2 with $1 -O2: $3 bytes of at most $(($4 - 1))"
    check "$1: text of $2 below its bound" test "$3" -gt 0 -a "$3" -lt "$4"
}

# library NAME SOURCE...: with compiler cc.
library() {
    l_name="$1 $name"
    l_dir=$OUT/$1
    l_object=$l_dir/all.o
    shift
    if ! objects "$cc" "$l_dir" "$@" --; then
        fail "$l_name: compiles with kernel flags"
        return
    fi
    pass "$l_name: compiles with kernel flags"
    check "$l_name: links" ld -r -o "$l_object" "$l_dir"/*.o
    none "$l_name: no undefined symbol" undefined "$l_object"
    none "$l_name: no variable" variables "$l_object"
    none "$l_name: no trap" traps "$l_object"
}

name=$1
cc=$2
found "freestanding $name" "$cc" || exit 0
need "freestanding $name" nm ld size objdump || exit 0

library libvtdpi src/*.c
library vtdpi-model src/model/*.c
check "$name: links without inline.c" without_inline "$OUT/libvtdpi"
none "$name: without inline.c no undefined symbol" undefined \
    "$OUT/libvtdpi/all.o"

# text_of PATTERN...: of all objects of the library whose names match.
text_of() {
    t_sum=0
    for t_pattern in "$@"; do
        t_sum=$((t_sum + $(text_size "$OUT/libvtdpi" "$t_pattern")))
    done
    echo "$t_sum"
}

all=$(text_of '*')
routing=$(text_of 'route*' 'bind*')
text=$(text_of 'format*')
discovery=$(text_of 'dmar*' 'verdict*')
host=$(text_of 'hostmsi*' 'ipiv*')
unused=$(text_of inline)
bounded "$name" core $((all - routing - discovery - text - host - unused)) \
    "$limit_core"
bounded "$name" discovery "$discovery" "$limit_discovery"
bounded "$name" routing "$routing" "$limit_routing"
bounded "$name" text "$text" "$limit_text"
adoption=$(functions_size "$OUT/libvtdpi/all.o" 'adopt|release_slot|read_table')
bounded "$name" host $((host + adoption)) "$limit_host"
check "$name: live update is counted" test "$adoption" -gt 400

every=$(find src -name '*.c')
# shellcheck disable=SC2086 # lists
check "$name: among the words of kernels" "$cc" $flags \
    -include tests/consumer/kernel_words.h -fsyntax-only $every
for long in 'unsigned long' 'unsigned long long'; do
    check "$name: with a kernel's types ($long)" without_headers "$cc" "$long"
    check "$name: with a kernel's types ($long) and words" without_headers \
        "$cc" "$long" -include tests/consumer/kernel_words.h
done

if echo | "$cc" -m32 -ffreestanding -xc -fsyntax-only - 2>/dev/null; then
    check "$name: a 32-bit host is refused" refuses_32bit "$cc"
    check "$name: a 32-bit host is simulated on" simulated_32bit "$cc"
else
    skip "$name: a 32-bit host is refused" 'no -m32'
    skip "$name: a 32-bit host is simulated on" 'no -m32'
fi

for knob in HAVE_CX16=0 LOG_LEVEL=0 LOG_LEVEL=3 CACHELINE=128 \
    CMD_TIMEOUT_US=1 QI_TIMEOUT_US=1 \
    'ASSERT(expr)=((expr)?(void)0:__builtin_trap())'; do
    # shellcheck disable=SC2086 # lists
    check "$name: $knob" "$cc" $flags "-DVTDPI_$knob" -fsyntax-only $every
done

# Only gcc can leave landing pads to the sources.
[ "$name" = gcc ] || exit 0
need 'landing pads' gcc objdump python3 || exit 0
if echo 'void f(void) {}' | gcc -mmanual-endbr -xc -fsyntax-only -; then
    none 'what is called by pointer has a landing pad' \
        unmarked '__attribute__((__cf_check__))'
    none 'each mark of a landing pad is needed' marks_missed
else
    skip 'landing pads' 'gcc has no -mmanual-endbr'
fi
