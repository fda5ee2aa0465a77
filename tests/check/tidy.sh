#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Check: clang-tidy 14
. "$ROOT/tests/check/lib.sh"

version_is clang-tidy clang-tidy 'version 14.' || exit 0

# tidy FILE...: two at a time; headers are judged where they are included.
tidy() {
    printf '%s\n' "$@" | xargs -P 2 -n 1 sh -c \
        'clang-tidy --quiet --warnings-as-errors="*" "$@" -- -std=c11 \
            -ffreestanding -Iinclude 2>&1' tidy
}

# shellcheck disable=SC2046 # a list of files
check clang-tidy tidy $(find src -name '*.c' | sort)
