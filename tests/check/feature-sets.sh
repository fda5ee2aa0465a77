#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: feature-sets.sh NAME COMPILER
#
# Each set of features of src/sources.mk, built from that list by a makefile, links
# alone and works
. "$ROOT/tests/check/lib.sh"
. "$ROOT/tests/check/kernel-flags.sh"

sets='pid sched irq bind all'

# makefile SET: of a kernel, for either make.
makefile() {
    echo "VTDPI = $ROOT"
    echo "VTDPI_FEATURES = $1"
    # shellcheck disable=SC2016 # variables of make
    echo 'include $(VTDPI)/src/sources.mk'
    # shellcheck disable=SC2016
    printf 'show:\n\t@echo $(VTDPI_CPPFLAGS) -- $(VTDPI_SRCS)\n'
}

# as_made MAKE SET: what that make reads: flags -- sources.
as_made() {
    makefile "$2" >"$OUT/makefile" &&
        am_text=$("$1" -s -f "$OUT/makefile" show) && echo "$am_text "
}

# no_model_code flags for position-independent code, so that the set links as a
# shared object, too: there the linker can be told to leave nothing undefined.
no_model_code() {
    echo "$kernel_flags" | sed 's/-mcmodel=kernel/-fPIC/; s/-fno-pic//'
}

# compile SET: the objects of the set, in a folder of their own.
compile() {
    rm -rf "${OUT:?}/$1"
    mkdir -p "$OUT/$1"
    c_made=$(as_made make "$1") || return 1
    # shellcheck disable=SC2046,SC2086 # lists
    for c_source in ${c_made#* -- }; do
        "$cc" $(no_model_code) -Wall -Wextra -Werror ${c_made%% -- *} \
            -c "$c_source" -o "$OUT/$1/$(basename "$c_source" .c).o" || return 1
    done
}

# relocatable SET: all of it in one object, as a kernel's build links a folder.
relocatable() {
    ld -r -o "$OUT/$1.o" "$OUT/$1"/*.o
}

# The four functions that compilers emit calls to, and nothing else.
memory_functions() {
    cat >"$OUT/mem.c" <<'END'
void memcpy(void) {}
void memmove(void) {}
void memset(void) {}
void memcmp(void) {}
END
    "$cc" -ffreestanding -fno-builtin -fPIC -w -c "$OUT/mem.c" -o "$OUT/mem.o"
}

shared() {
    ld -shared -z defs -o "$OUT/$1.so" "$OUT/$1.o" "$OUT/mem.o"
}

# host SET NUMBER: a program that calls something of each part of the set.
host() {
    # shellcheck disable=SC2046 # no object for pid
    "$cc" -std=c11 -Wall -Wextra -Werror -Iinclude "-DFEATURES=$2" \
        tests/consumer/feature_sets.c $(find "$OUT/$1.o" 2>/dev/null) \
        -o "$OUT/host-$1" && "$OUT/host-$1"
}

# fewer SET: whether the set is smaller than the whole library.
fewer() {
    [ "$(as_made make "$1" | wc -w)" -lt "$(as_made make all | wc -w)" ]
}

# same_by_bmake SET: BSD's make reads the same list.
same_by_bmake() {
    as_made make "$1" >"$OUT/made" && as_made bmake "$1" >"$OUT/bmade" &&
        diff "$OUT/made" "$OUT/bmade"
}

name=$1
cc=$2
found "feature sets $name" "$cc" || exit 0
need "feature sets $name" make ld || exit 0
check "$name: four functions of a kernel" memory_functions

number=0
for set in $sets; do
    check "$name, $set: compiles" compile "$set"
    if [ "$set" != pid ]; then
        check "$name, $set: links by ld -r" relocatable "$set"
        check "$name, $set: leaves nothing undefined" shared "$set"
    fi
    [ "$set" = all ] ||
        check "$name, $set: is smaller than the library" fewer "$set"
    check "$name, $set: works" host "$set" "$number"
    number=$((number + 1))
done

# One compiler is enough for what the makes read.
[ "$name" = gcc ] || exit 0
if command -v bmake >/dev/null; then
    for set in $sets; do
        check "BSD's make, $set: the same list" same_by_bmake "$set"
    done
else
    skip "BSD's make" 'bmake is not installed'
fi
