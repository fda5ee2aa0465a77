#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Run a kernel of the runtime in an emulator and judge it by its last line.
#
# usage: run-kernel.sh qemu KERNEL [ARGUMENT...]
#        run-kernel.sh bochs IMAGE CPUS [TEXT]
#
# qemu   KERNEL is the flat binary; ARGUMENTs go to QEMU behind the ones that
#        every run has, such as -append TEXT, -smp 4 or -device edu
# bochs  IMAGE is a disk image of mkdisk.sh; CPUS the number of processors; TEXT
#        the kernel's command line, 100 characters at most. The emulator's log
#        is shown if the kernel fails
#
# What the kernel prints goes to stdout. SECONDS_MAX in the environment bounds
# the run, 120 by default. Status: 0 if the last line says that some checks
# passed and none failed; 77 if the emulator is not to be had here; else 1.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
limit=${SECONDS_MAX:-120}

usage() {
    sed -n '/^# usage: /,/^#$/s/^# \{0,1\}//p' "$0" >&2
    exit 2
}

on_qemu() {
    kernel=$1
    shift
    case " $* " in
    *' -accel '*) ;;
    *) set -- -accel tcg "$@" ;;
    esac
    timeout -k 5 "$limit" "$here/emulator.sh" qemu -machine q35 \
        -display none -nodefaults -no-reboot -serial "file:$work/serial" \
        -device isa-debug-exit,iobase=0xf4,iosize=4 -kernel "$kernel" "$@" \
        </dev/null
    status=$?
    # 33 and 35 are the kernel's own, by isa-debug-exit.
    [ "$status" -eq 33 ] && status=0
}

# What error: reports are wanted for: why a VM entry failed, for example. A
# triple fault is a panic. The image is copied, since the emulator writes it.
on_bochs() {
    cp "$1" "$work/disk.img"
    # runtime/mbr.S has the command line at 384.
    printf '%.100s' "$3" |
        dd of="$work/disk.img" bs=1 seek=384 conv=notrunc status=none
    cat >"$work/bochsrc" <<END
config_interface: textconfig
display_library: term
memory: guest=64, host=64
romimage: file=\$BXSHARE/BIOS-bochs-latest
vgaromimage: file=\$VGABIOS
boot: disk
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path="$work/disk.img", mode=flat, cylinders=1, heads=16, spt=63
com1: enabled=1, mode=file, dev=$work/serial
cpu: model=sapphire_rapids, count=$2, ips=50000000, reset_on_triple_fault=0
clock: sync=none
log: $work/log
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
END
    TERM=xterm timeout -k 5 "$limit" "$here/emulator.sh" bochs -q \
        -f "$work/bochsrc" </dev/null >"$work/screen" 2>&1
    status=$?
    # The kernel's way out is a panic of Bochs, so 1 says nothing.
    [ "$status" -eq 1 ] && status=0
    [ "$status" -ne 77 ] || cat "$work/screen" >&2
}

[ $# -ge 2 ] || usage
emulator=$1
shift
# Meson sets it, and Bochs 3.0 relies on memory that it has not initialised.
unset MALLOC_PERTURB_
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

case $emulator in
qemu) on_qemu "$@" ;;
bochs)
    [ $# -eq 2 ] || [ $# -eq 3 ] || usage
    on_bochs "$1" "$2" "${3:-}"
    ;;
*) usage ;;
esac

[ "$status" -ne 77 ] || exit 77
[ ! -f "$work/serial" ] || cat "$work/serial"
if [ "$status" -eq 0 ] &&
    tail -n 1 "$work/serial" | grep -qx '[1-9][0-9]* passed, 0 failed'; then
    exit 0
fi
case $status in
124 | 137) echo "run-kernel.sh: not done after $limit s" >&2 ;;
esac
[ ! -f "$work/log" ] || grep -E '^[0-9]*[ep]' "$work/log" | tail -n 20 >&2
exit 1
