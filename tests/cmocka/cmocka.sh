#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Run a program of CMocka and print its TAP as Meson reads TAP: a skipped case
# is ok, and what a case prints is a comment. The status is the program's.
#
# usage: cmocka.sh PROGRAM [ARGUMENT...]
export CMOCKA_MESSAGE_OUTPUT=TAP
exec 4>&1
status=$({
    { eval "${MESON_EXE_WRAPPER:-} \"\$@\"" 3>&- 4>&-; echo $? >&3; } | sed -E \
        -e 's/^not ok ([0-9]+) # SKIP (.*)/ok \1 - \2 # SKIP/' \
        -e '/^((not )?ok [0-9]|1\.\.[0-9]|#)/!s/^/# /' >&4
} 3>&1)
exit "$status"
