# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What the stages share. `all` sets ROOT, BUILD, OUT (a folder of the stage)
# and RESULTS (one line a result: kind, name, reason, separated by tabs).
: "${ROOT:?run tests/suite/all}" "${OUT:?}" "${RESULTS:?}" "${BUILD:?}"
cd "$ROOT" || exit 1

pass() {
    printf 'pass\t%s\n' "$1" >>"$RESULTS"
}

fail() {
    echo "FAIL $1: ${2:-see above}"
    printf 'fail\t%s\t%s\n' "$1" "${2:-}" >>"$RESULTS"
}

skip() {
    echo "SKIP $1: $2"
    printf 'skip\t%s\t%s\n' "$1" "$2" >>"$RESULTS"
}

# note TEXT: a figure worth a line in the report; counts as nothing.
note() {
    printf 'note\t%s\n' "$1" >>"$RESULTS"
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

# sources DIR...: C sources and headers below these folders.
sources() {
    find "$@" -name '*.[ch]' -type f | sort
}

# configure DIR ARGUMENT...: a Meson build folder, set up once and then reused.
configure() {
    configure_dir=$1
    shift
    if [ -f "$configure_dir/build.ninja" ] &&
        [ "$(cat "$configure_dir/.arguments" 2>/dev/null)" = "$*" ]; then
        return 0
    fi
    rm -rf "$configure_dir"
    meson setup "$configure_dir" "$ROOT" "$@" || return 1
    echo "$*" >"$configure_dir/.arguments"
}

# build_and_test NAME DIR [ARGUMENT...]: compile, run Meson's tests with the
# arguments, and report each case. A build that fails is one failure. With
# --suite Meson builds only what those tests need.
build_and_test() {
    bt_name=$1
    bt_dir=$2
    shift 2
    case " $* " in
    *' --suite '*) ;;
    *)
        if ! ninja -C "$bt_dir"; then
            fail "$bt_name build" 'does not compile'
            return
        fi
        pass "$bt_name build"
        set -- --no-rebuild "$@"
        ;;
    esac
    rm -f "$bt_dir"/meson-logs/testlog*.json
    meson test -C "$bt_dir" --print-errorlogs "$@"
    bt_status=$?
    python3 "$ROOT/tests/suite/count.py" "$bt_status" \
        "$bt_dir"/meson-logs/testlog*.json >>"$RESULTS" ||
        fail "$bt_name" 'it does not compile, or the tests left no log'
}
