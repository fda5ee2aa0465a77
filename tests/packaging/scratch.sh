# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# A copy of the tree, $copy, that is a repository of its own.
: "${copy:?}"

in_copy() {
    (
        cd "$copy" || exit 1
        export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
        export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test
        export GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test
        unset RESULTS
        "$@"
    )
}

commit() {
    in_copy git add -A && in_copy git commit -qm "$1"
}

undo() {
    in_copy git reset -q --hard HEAD^
}

scratch() {
    rm -rf "$copy"
    copy_tree "$copy" && in_copy git init -q && commit 'tests: begin'
}

# refused TEXT COMMAND...: whether the command fails and says so.
refused() {
    r_text=$1
    shift
    if in_copy "$@" >"$OUT/refused" 2>&1; then
        cat "$OUT/refused"
        return 1
    fi
    grep -qE -- "$r_text" "$OUT/refused" || {
        cat "$OUT/refused"
        return 1
    }
}
