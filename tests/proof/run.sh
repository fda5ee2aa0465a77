#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Prove every harness proof_*() of this folder with CBMC; see proofs.py.
#
# usage: run.sh [HARNESS...]
#        run.sh --longer                  the harnesses of the longer run, too
#        run.sh --mutants [ARGUMENT...]   corrupt every bit, see mutants.py; by hand
#
# Status: 0 all hold, or CBMC is not to be had here; 1 not.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)

skip() {
    echo "1..0 # SKIP $*"
    exit 0 # to Meson any other status of TAP is an error
}

# find_cbmc: $work/cbmc runs it, from PATH or unpacked beside the system.
find_cbmc() {
    command -v gcc >/dev/null || skip 'CBMC needs gcc as its preprocessor'
    command -v python3 >/dev/null || skip 'python3 is not installed'
    if command -v cbmc >/dev/null; then
        set_cbmc cbmc
        return
    fi
    box=$("$root/tests/suite/fetch-debs.sh" trixie - cbmc-trixie \
        cbmc minisat libc6 libstdc++6 libgcc-s1) ||
        skip 'CBMC is neither installed nor to be had from trixie'
    libc=$(find "$box/usr/lib" -name libc.so.6 | head -n 1)
    loader=$(find "$box/usr/lib" -name 'ld-linux*.so.*' | head -n 1)
    set_cbmc "$loader" --library-path "$(dirname "$libc"):$box/usr/lib" \
        "$box/usr/bin/cbmc"
}

# The prefix becomes a script: a path may hold blanks.
set_cbmc() {
    {
        echo '#!/bin/sh'
        printf 'exec'
        printf " '%s'" "$@"
        # shellcheck disable=SC2016 # the arguments of the script
        echo ' "$@"'
    } >"$work/cbmc"
    chmod +x "$work/cbmc"
    "$work/cbmc" --version >/dev/null 2>&1 || skip 'CBMC does not run here'
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
find_cbmc
program=proofs.py
if [ "${1:-}" = --mutants ]; then
    program=mutants.py
    shift
fi
PYTHONDONTWRITEBYTECODE=1 python3 "$here/$program" "$work/cbmc" "$@"
