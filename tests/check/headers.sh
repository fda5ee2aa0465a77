#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: headers.sh NAME COMPILER
#
# Each header alone, twice, C11 and C++17
. "$ROOT/tests/check/lib.sh"

c_flags='-x c -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Wshadow
    -Wcast-qual -Wstrict-prototypes -Wmissing-prototypes -Wvla'
cxx_flags='-x c++ -std=c++17 -Wall -Wextra -Wpedantic'

# What kernels in C++ compile with. clang: everything, except what concerns
# C++98, padding and Doxygen's aliases.
gxx_strict='-Wold-style-cast -Wshadow -Wuseless-cast -Wcast-qual -Wconversion
    -Wsign-conversion -Wzero-as-null-pointer-constant -Wcast-align=strict
    -Wextra-semi -Wmissing-declarations -Wredundant-decls -Wundef'
clangxx_strict='-Weverything -Wno-c++98-compat -Wno-c++98-compat-pedantic
    -Wno-padded -Wno-documentation-unknown-command'

# strict COMPILER: its list.
strict() {
    case $1 in
    g++) echo "$gxx_strict" ;;
    clang++) echo "$clangxx_strict" ;;
    esac
}

# twice COMPILER HEADER FLAG...: included twice, since the second time the guard
# must hide everything.
twice() {
    t_cc=$1
    t_header=$2
    shift 2
    printf '#include "%s"\n#include "%s"\n' "$t_header" "$t_header" |
        "$t_cc" "$@" -Werror -Iinclude -fsyntax-only -
}

# All headers in two units of one program: nothing is defined twice.
two_units() {
    sources include | sed 's,include/\(.*\),#include "\1",' >"$OUT/one.c"
    cp "$OUT/one.c" "$OUT/two.c"
    echo 'int main(void) { return 0; }' >>"$OUT/two.c"
    "$1" -std=c11 -Wall -Wextra -Werror -Iinclude "$OUT/one.c" "$OUT/two.c" \
        -o "$OUT/two"
}

# users COMPILER FLAG...: a user's file that expands the macros, and the 16-byte
# compare-and-swap in its three forms.
users() {
    u_cc=$1
    shift
    for u_form in -UVTDPI_HAVE_CX16 -DVTDPI_HAVE_CX16=0 -fsanitize=thread; do
        "$u_cc" "$@" "$u_form" -Werror -Iinclude -fsyntax-only \
            tests/consumer/macros.c || return 1
    done
}

name=$1
cc=$2
found "headers with $name" "$cc" || exit 0
case $name in
*++) language=C++17 flags="$cxx_flags $(strict "$name")" ;;
*) language=C11 flags="$c_flags -ffreestanding" ;;
esac

# explore_kernel.h defines the words of kernels, for C in user space.
# shellcheck disable=SC2086 # lists of flags
for header in $(cd include && sources vtdpi); do
    case $language,$header in
    C++17,*/explore_kernel.h) continue ;;
    esac
    check "$header $name $language" twice "$cc" "$header" $flags
done
# shellcheck disable=SC2086
check "macros $name $language" users "$cc" $flags
[ "$language" = C++17 ] ||
    check "all headers in two units $name" two_units "$cc"
