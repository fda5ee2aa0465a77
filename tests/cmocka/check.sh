#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What cmocka.sh makes of the output and of the status of a program.
#
# usage: check.sh CMOCKA.SH EXAMPLE; prints TAP
filter=$1
example=$2

# case_is NUMBER NAME MODE STATUS LINE...: status and lines, comments left out.
case_is() {
    ci_name="$1 - $2"
    ci_mode=$3
    ci_status=$4
    shift 4
    out=$("$filter" "$example" "$ci_mode" 2>/dev/null)
    status=$?
    if [ "$status" -eq "$ci_status" ] &&
        [ "$(echo "$out" | grep -v '^#')" = "$(printf '%s\n' "$@")" ]; then
        echo "ok $ci_name"
    else
        echo "not ok $ci_name"
        echo "$out" | sed "s/^/# status $status: /"
    fi
}

echo 1..3
case_is 1 'a skipped case is ok, a printed line a comment' pass 0 \
    1..3 'ok 1 - test_good' 'ok 2 - test_skipped # SKIP' 'ok 3 - test_as_told'
case_is 2 'the number of failed cases is the status' fail 1 \
    1..3 'ok 1 - test_good' 'ok 2 - test_skipped # SKIP' \
    'not ok 3 - test_as_told'
case_is 3 'a crash is a status, and cases are missing' abort 134 \
    1..3 'ok 1 - test_good' 'ok 2 - test_skipped # SKIP'
