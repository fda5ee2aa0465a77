# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What the stages share, beside what they share with the checks. `all` sets ROOT,
# BUILD, OUT (a folder of the stage) and RESULTS.
: "${ROOT:?run tests/suite/all}" "${RESULTS:?}" "${BUILD:?}"
. "$ROOT/tests/check/lib.sh"

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
    # A check writes to RESULTS where that is set, and no TAP.
    env -u RESULTS meson test -C "$bt_dir" --print-errorlogs "$@"
    bt_status=$?
    python3 "$ROOT/tests/suite/count.py" "$bt_status" \
        "$bt_dir"/meson-logs/testlog*.json >>"$RESULTS" ||
        fail "$bt_name" 'it does not compile, or the tests left no log'
}
