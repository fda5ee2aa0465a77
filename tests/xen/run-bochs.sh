#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Boot Xen and the guest of this folder in Bochs, to the end of the guest.
#
# usage: run-bochs.sh XEN OUT
#
# XEN is of build.sh bochs. OUT is a folder, which gets console.txt, what the
# machine printed. SECONDS_MAX in the environment bounds the run, 300 by default.
# Status: 0 if the guest got to its end; 77 if Bochs 3 or GRUB is not to be had
# here; else 1.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
xen=$1
out=$2
# Meson sets it, and Bochs 3.0 relies on memory that it has not initialised.
unset MALLOC_PERTURB_
mkdir -p "$out"
rm -f "$out/console.txt" "$out/disk.img.lock"

box=$("$here/../suite/fetch-debs.sh" --with-libraries - - xen/grub \
    grub-pc-bin grub-common) || exit 77
"$here/../emulated/emulator.sh" --check bochs >/dev/null || exit 77

gcc -O2 -ffreestanding -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only \
    -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
    -Wall -Wextra -Werror -c "$here/guest/guest.c" -o "$out/guest.o"
gcc -c "$here/guest/entry.S" -o "$out/entry.o"
ld -n -z max-page-size=4096 --build-id=none -T "$here/guest/guest.ld" \
    -o "$out/guest" "$out/entry.o" "$out/guest.o"

cat >"$out/grub.cfg" <<END
serial --unit=0 --speed=115200
terminal_output serial
set root=(hd0,msdos1)
set gfxpayload=text
multiboot /xen dom0=pvh dom0_mem=64M dom0_max_vcpus=2 dom0_vcpus_pin iommu=0 com1=115200 console=com1 loglvl=all guest_loglvl=all noreboot
module /guest
boot
END
libraries=$(find "$box/usr/lib" "$box/lib" -type d -name '*-linux-gnu' |
    tr '\n' ':')
loader=$(find "$box/lib/" "$box/usr/lib" -name 'ld-linux-x86-64.so.2' |
    head -n 1)
"$loader" --inhibit-cache --library-path "$libraries" \
    "$box/usr/bin/grub-mkimage" -O i386-pc -d "$box/usr/lib/grub/i386-pc" \
    -p '(hd0,msdos1)/' -c "$out/grub.cfg" -o "$out/core.img" \
    biosdisk part_msdos tar serial terminal multiboot boot
python3 -B "$here/mkdisk.py" "$box/usr/lib/grub/i386-pc" "$out/core.img" \
    "$xen" "$out/guest" "$out/disk.img"
cylinders=$(($(wc -c <"$out/disk.img") / 516096))

cat >"$out/bochsrc" <<END
config_interface: textconfig
display_library: term
memory: guest=256, host=256
romimage: file=\$BXSHARE/BIOS-bochs-latest
vgaromimage: file=\$VGABIOS
boot: disk
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path="$out/disk.img", mode=flat, cylinders=$cylinders, heads=16, spt=63
com1: enabled=1, mode=file, dev=$out/console.txt
cpu: model=sapphire_rapids, count=2, ips=50000000, reset_on_triple_fault=0
clock: sync=none, time0=1000000000
log: $out/log
panic: action=fatal
error: action=report
info: action=ignore
debug: action=ignore
END
# The machine does not switch itself off: wait for the last line.
TERM=xterm timeout -k 5 "${SECONDS_MAX:-300}" "$here/../emulated/emulator.sh" bochs \
    -q -f "$out/bochsrc" </dev/null >"$out/screen" 2>&1 &
bochs=$!
trap 'kill $bochs 2>/dev/null || :' EXIT
trap 'exit 1' HUP INT TERM
while kill -0 $bochs 2>/dev/null; do
    sleep 1
    grep -q 'guest: done' "$out/console.txt" 2>/dev/null && exit 0
done
grep -E '^[0-9]*[ep]' "$out/log" | tail -n 20 >&2 || :
exit 1
