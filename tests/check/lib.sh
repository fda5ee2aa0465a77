# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What checks and stages share. ROOT is the tree, OUT a folder of the check's
# own. Results go as TAP to stdout and all else to stderr; for stages, which set
# RESULTS, to that file: kind, name, reason, separated by tabs.
: "${ROOT:?run meson test}" "${OUT:?}"
cd "$ROOT" || exit 1
mkdir -p "$OUT"

if [ -z "${RESULTS:-}" ]; then
    exec 3>&1 1>&2
    result_count=0
    trap 'echo "1..$result_count" >&3' EXIT
fi

# result KIND NAME [REASON]
result() {
    if [ -n "${RESULTS:-}" ]; then
        printf '%s\t%s\t%s\n' "$1" "$2" "${3:-}" >>"$RESULTS"
        return
    fi
    [ "$1" = note ] || result_count=$((result_count + 1))
    case $1 in
    pass) echo "ok $result_count - $2" ;;
    fail) echo "not ok $result_count - $2" ;;
    skip) echo "ok $result_count - $2 # SKIP $3" ;;
    note) echo "# note: $2" ;;
    esac >&3
}

pass() {
    result pass "$1"
}

fail() {
    echo "FAIL $1: ${2:-see above}"
    result fail "$1" "${2:-}"
}

skip() {
    echo "SKIP $1: $2"
    result skip "$1" "$2"
}

# note TEXT: a figure worth a line in the report; counts as nothing.
note() {
    result note "$1"
}

# check NAME COMMAND...: one result, by the status of the command.
check() {
    check_name=$1
    shift
    echo "== $check_name: $*"
    if "$@"; then
        pass "$check_name"
    else
        fail "$check_name"
    fi
}

# none NAME COMMAND...: passes if the command prints nothing; for greps.
none() {
    none_name=$1
    shift
    if none_text=$("$@" 2>&1) || [ -z "$none_text" ]; then :; fi
    if [ -z "$none_text" ]; then
        pass "$none_name"
    else
        printf '== %s\n%s\n' "$none_name" "$none_text"
        fail "$none_name" "$(printf '%s\n' "$none_text" | head -n 1)"
    fi
}

# need NAME PROGRAM...: 0 if all programs are there, else one skip.
need() {
    need_name=$1
    shift
    for need_program; do
        if ! command -v "$need_program" >/dev/null; then
            skip "$need_name" "$need_program is not installed"
            return 1
        fi
    done
}

# found NAME PROGRAM: whether Meson has found the program, else one skip.
found() {
    [ -n "$2" ] || {
        skip "$1" 'not found'
        return 1
    }
}

# version_is NAME PROGRAM PATTERN: formatting and lint differ between versions,
# so only one version of these tools judges.
version_is() {
    need "$1" "$2" || return 1
    version_text=$("$2" --version | tr '\n' ' ')
    case $version_text in
    *$3*) return 0 ;;
    esac
    skip "$1" "$2 is not version $3"
    return 1
}

# tree: the files of the tree, one a line: what git tracks. Where there is no
# git, as in a release, all but folders named build*.
tree() {
    if [ -e "$ROOT/.git" ] && git -C "$ROOT" ls-files >/dev/null 2>&1; then
        git -C "$ROOT" ls-files
    else
        (cd "$ROOT" && find . \( -path './build*' -o -path ./subprojects \
            -o -path ./.git \) -prune -o -type f -print | sed 's,^\./,,')
    fi | sort | while read -r tree_file; do
        [ ! -f "$ROOT/$tree_file" ] || echo "$tree_file"
    done
}

# copy_tree FOLDER: the files of the tree, as a fresh clone has them.
copy_tree() {
    mkdir -p "$1" && tree | tar -C "$ROOT" -cf - -T - | tar -C "$1" -xf -
}

# soversion: the version in the names of the shared libraries, from VERSION: the
# minor version counts until 1.0.
soversion() {
    sed -E 's/^(0\.[0-9]+|[1-9][0-9]*)\..*/\1/' "$ROOT/VERSION"
}

# sources DIR...: C sources and headers below these folders.
sources() {
    find "$@" -name '*.[ch]' -type f | sort
}
