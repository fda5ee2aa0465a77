#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: symbols.sh NAME LIBRARY MAP INSTRUMENTED
#
# Exported symbols against the headers.
. "$ROOT/tests/check/lib.sh"

name=$1
library=$2
map=$3
instrumented=$4
case $name in
*-model) headers=$(echo include/vtdpi/model*.h) ;;
*) headers=$(sources include | grep -v /model) ;;
esac

need "symbols of $name" nm python3 || exit 0
# shellcheck disable=SC2086 # a list of files
check "symbols of $name" python3 -B tests/check/symbols.py "$library" "$map" \
    $headers

# seen: what a generator of bindings, which leaves static functions out, finds
# in the headers: functions that have a body there.
seen() {
    echo '#include "vtdpi/vtdpi.h"' >"$OUT/seen.c"
    cc -std=c11 -Iinclude -DVTDPI_INLINE=VTDPI_API -c "$OUT/seen.c" \
        -o "$OUT/seen.o" && nm --defined-only "$OUT/seen.o" |
        awk '$2 == "T" { print $3 }' | sort
}

# unseen: the numbers of inline functions in the headers and of those seen, if
# they differ; and what is seen but not a symbol of the library.
# shellcheck disable=SC2046,SC2002 # a list of files
unseen() {
    seen >"$OUT/seen" || return 1
    u_inline=$(cat $(sources include) |
        grep -cE '^(VTDPI_[A-Z_]+ )*VTDPI_INLINE ')
    [ "$u_inline" -gt 0 ] && [ "$u_inline" -eq "$(wc -l <"$OUT/seen")" ] ||
        echo "$u_inline inline functions, $(wc -l <"$OUT/seen") seen"
    nm -D --defined-only "$library" |
        sed 's/.* //; s/@.*//' | sort | comm -23 "$OUT/seen" -
}

# Another language calls inline functions as symbols.
foreign() {
    cc -std=c11 -Wall -Wextra -Werror tests/consumer/foreign.c \
        -o "$OUT/foreign" "$library" &&
        LD_LIBRARY_PATH=$(dirname "$library") "$OUT/foreign"
}

# The masks of regs.h are integers that a preprocessor can compute: no casts.
masks() {
    {
        echo '#include "vtdpi/regs.h"'
        sed -n 's/^#define \(VTDPI_[A-Z0-9_]*\) .*/#if !(\1)\n#error \1\n#endif/p' \
            include/vtdpi/regs.h
    } >"$OUT/masks.c"
    grep -q 'if !(VTDPI_PID_NDST)' "$OUT/masks.c" &&
        cc -std=c11 -Iinclude -fsyntax-only "$OUT/masks.c"
}

if [ "$name" = libvtdpi ]; then
    none 'bindings see all inline functions' unseen
    check 'masks are constants without casts' masks
    if [ "$instrumented" = true ]; then
        skip 'another language calls inline functions' 'instrumented'
    else
        check 'another language calls inline functions' foreign
    fi
fi

# misnamed: what does not carry the version of the interface: the soname, and the
# version node of each exported symbol. A symbol without a node would be found by a
# program that was linked with another version.
misnamed() {
    m_version=$(soversion)
    m_node=$(echo "${name#lib}" | tr 'a-z-' 'A-Z_')_$m_version
    readelf -dW "$library" | grep -qF "Library soname: [$name.so.$m_version]" ||
        readelf -dW "$library" | grep -F SONAME
    readelf -VW "$library" | grep -qF "Name: $m_node" ||
        echo "$name has no version node $m_node"
    nm -D --defined-only "$library" | awk '$2 != "A" { print $3 }' |
        grep -vE "@@$(echo "$m_node" | sed 's/\./\\./g; s/_[0-9]*$/&(\\.[0-9]+)?/')\$"
}

need "$name carries the version of its interface" readelf &&
    none "$name carries the version of its interface" misnamed

# libc is the only library that the shared object may ask for, for mem*.
needed() {
    readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
        grep -vE '^(libc|libatomic)\.so'
}

if [ "$instrumented" = true ]; then
    skip "$name needs nothing but libc" 'instrumented'
else
    need "$name needs nothing but libc" readelf &&
        none "$name needs nothing but libc" needed "$library"
fi
