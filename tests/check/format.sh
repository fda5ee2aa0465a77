#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Check: clang-format 14
. "$ROOT/tests/check/lib.sh"

version_is clang-format clang-format 'version 14.' || exit 0
# shellcheck disable=SC2046 # a list of files
check clang-format clang-format --dry-run -Werror \
    $(sources include src tests examples)
