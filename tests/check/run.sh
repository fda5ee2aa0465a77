#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What `run` does on machines that lack something: a PATH with only the tools
# that every system has, and fakes for the rest that write down their calls.
. "$ROOT/tests/check/lib.sh"

box=$OUT/box
calls=$box/calls
rm -rf "$box"
mkdir -p "$box/base" "$box/debian" "$box/tools"

for tool in sh env dirname cat sed grep tr mkdir printf; do
    ln -s "$(command -v "$tool")" "$box/base/$tool"
done

# fake FOLDER NAME: a program whose body is on stdin.
fake() {
    {
        echo '#!/bin/sh'
        echo "echo \"$2 \$*\" >>'$calls'"
        cat
    } >"$box/$1/$2"
    chmod +x "$box/$1/$2"
}

echo 'echo 1000' | fake base id
fake debian dpkg-query <<'END'
exit 1
END
fake debian apt-get </dev/null
fake debian apt-cache <<'END'
[ "$3" != clang-tidy ]
END
fake debian sudo <<'END'
exec "$@"
END
for tool in cc meson ninja pkg-config nm python3 g++ clang clang-format \
    clang-tidy doxygen dot shellcheck aarch64-linux-gnu-gcc qemu-aarch64; do
    fake tools "$tool" </dev/null
done

# call PATH ARGUMENT...: run with that PATH; output, status and calls are kept.
call() {
    c_path=$1
    shift
    : >"$calls"
    PATH=$c_path "$ROOT/run" "$@" >"$box/out" 2>&1
    status=$?
}

# told STATUS TEXT...: whether it ended so and said all of that.
told() {
    [ "$status" -eq "$1" ] || return 1
    shift
    for text; do
        grep -qF -- "$text" "$box/out" || return 1
    done
}

# called TEXT: whether a fake was called like this.
called() {
    grep -qF -- "$1" "$calls"
}

report() {
    if [ "$1" -eq 0 ]; then
        pass "run: $2"
    else
        sed 's/^/out: /' "$box/out"
        sed 's/^/call: /' "$calls"
        fail "run: $2" "status $status"
    fi
}

help_is_complete() {
    ./run help >"$OUT/help" || return 1
    for word in demo test quick bench growth --no-install --seed install; do
        grep -qe "$word" "$OUT/help" || return 1
    done
}

# refuses STATUS TEXT ARGUMENT...: what a wrong call does.
refuses() {
    r_status=$1
    r_text=$2
    shift 2
    ./run "$@" >"$OUT/refused" 2>&1
    [ $? -eq "$r_status" ] && grep -q "$r_text" "$OUT/refused"
}

check 'run help names everything' help_is_complete
check 'run refuses an unknown command' refuses 2 usage nonsense
check 'run refuses an unknown benchmark' refuses 2 usage bench nonsense
check 'run refuses an unknown stage' refuses 2 'no stage' --no-install \
    test nonsense

debian=$box/base:$box/debian

call "$debian" demo
told 2 'installing: gcc libc6-dev meson ninja-build pkg-config' &&
    called 'sudo apt-get -q update' &&
    called 'no-install-recommends install gcc libc6-dev meson' &&
    told 2 'please install:' 'Meson 1.0.1 or later (package meson)'
report $? 'demo installs what it needs, with sudo, and says so'

grep -n 'apt-get.* update' "$calls" | cut -d: -f1 >"$box/update"
grep -n 'apt-get.* install ' "$calls" | cut -d: -f1 >"$box/install"
[ "$(head -n 1 "$box/update")" -lt "$(head -n 1 "$box/install")" ]
report $? 'the list of packages is brought up to date first'

! called clang
report $? 'demo does not ask for the tools of the checks'

call "$debian" test
told 2 'installing: ' && called ' clang-format ' && called ' libcmocka-dev ' &&
    ! grep -q 'apt-get.* clang-tidy' "$calls"
report $? 'test also asks for the tools of the checks, if the archive has them'

call "$debian" --no-install demo
told 2 'Meson 1.0.1 or later (package meson)' && ! called apt-get
report $? '--no-install before the command leaves the system alone'

call "$debian" demo --no-install
told 2 'Meson 1.0.1 or later (package meson)' && ! called apt-get
report $? '--no-install after the command does, too'

rm "$box/debian/sudo"
call "$debian" demo
told 2 'neither root nor sudo; as root: apt-get'
report $? 'without root and sudo the command to give is printed'

echo 'echo 0' | fake base id
call "$debian" demo
told 2 'installing: gcc' && called 'apt-get -q update'
report $? 'root needs no sudo'

call "$box/base" demo
told 2 'please install:' 'a C11 compiler: gcc or clang' 'Meson 1.0.1' 'Ninja' &&
    ! called apt-get
report $? 'another system is told what to install'

call "$box/base:$box/tools" test nonsense
told 2 "no stage 'nonsense'" && ! told 2 'please install:'
report $? 'another system that has the tools goes on'

rm "$box/tools/doxygen"
call "$box/base:$box/tools" test nonsense
told 2 'so some checks are skipped' 'Doxygen 1.9.4' "no stage 'nonsense'"
report $? 'a tool of a check that is missing does not stop the tests'
