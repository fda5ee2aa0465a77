#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Check: shellcheck of every script.
. "$ROOT/tests/check/lib.sh"

need shellcheck shellcheck || exit 0
# shellcheck disable=SC2046 # a list of files
check shellcheck shellcheck -x .ci/run $(tree |
    grep -E '\.(ba)?sh$|(^|/)(run|all|footprint|stage-[a-z0-9]+)$')
