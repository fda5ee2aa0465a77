#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# A kernel that does not end: run-kernel.sh says so, fails, and leaves no emulator
# behind. Bochs ends at no signal but KILL.
#
# usage: test_limit.sh RUN_KERNEL KERNEL
set -u

run_kernel=$1
kernel=$2
said=$(mktemp)
image=$(mktemp)
trap 'rm -f "$said" "$image"' EXIT
trap 'exit 1' HUP INT TERM
number=0

# result OK NAME: the next line of the TAP.
result() {
    number=$((number + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
        sed 's/^/# /' "$said"
    fi
}

# hangs NAME ARGUMENT...: a run that is stopped at its limit.
hangs() {
    name=$1
    shift
    # A limit that no other run has is how its processes are known.
    SECONDS_MAX=0.737 "$run_kernel" "$name" "$@" >/dev/null 2>"$said"
    status=$?
    if [ "$status" -eq 77 ]; then
        number=$((number + 1))
        echo "ok $number - $name # SKIP $name is not to be had"
        return
    fi
    [ "$status" -eq 1 ] && grep -q 'not done after 0.737 s' "$said"
    result $? "$name: it says that the kernel is not done"
    ! grep -q '0[.]737' /proc/[0-9]*/cmdline 2>/dev/null
    result $? "$name: nothing is left behind"
}

# A disk whose boot sector jumps to itself; its size is that of the machine's disk.
{
    printf '\353\376'
    head -c 508 /dev/zero
    printf '\125\252'
    head -c 515584 /dev/zero
} >"$image"

echo 'TAP version 13'
hangs qemu "$kernel" -S
hangs bochs "$image" 1
echo "1..$number"
