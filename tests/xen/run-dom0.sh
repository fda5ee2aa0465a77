#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Boot Xen and dom0 in QEMU with its remapping unit, to the end of dom0-init.
#
# usage: run-dom0.sh XEN DOM0 MODE OUT
#
# XEN   the hypervisor
# DOM0  a folder of dom0.sh
# MODE  xapic, or eim: 32-bit APIC ids, in the unit's entries, too
# OUT   a folder, which gets console.txt, what the machine printed, and trace.txt,
#       what the unit was asked: entries that requests used, and invalidations
#
# SECONDS_MAX in the environment bounds the run, 600 by default. Status: QEMU's;
# 77 if QEMU 10 is not to be had here.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
xen=$1
dom0=$2
mode=$3
out=$4
mkdir -p "$out"
rm -f "$out/console.txt" "$out/trace.txt"
for disk in nvme ahci virtio; do
    dd if=/dev/zero of="$out/$disk.img" bs=1M count=0 seek=4 status=none
done

case $mode in
xapic)
    unit=eim=off
    options=x2apic=off
    ;;
eim)
    unit=eim=on
    options=x2apic=on
    ;;
*)
    echo "run-dom0.sh: no mode '$mode'" >&2
    exit 2
    ;;
esac

# Xen is a Multiboot kernel and dom0's kernel and file system are its modules.
# Not every instruction of the newest processors is one that this Xen knows.
timeout -k 5 "${SECONDS_MAX:-600}" "$here/../emulated/emulator.sh" qemu \
    -machine q35 -accel tcg,thread=multi -cpu max,-la57,-smap,-smep -smp 4 \
    -m 1024 -display none -nodefaults -no-reboot \
    -serial "file:$out/console.txt" \
    -device "intel-iommu,intremap=on,$unit" \
    -drive "if=none,id=nvme,format=raw,file=$out/nvme.img" \
    -device nvme,serial=1,drive=nvme \
    -drive "if=none,id=ahci,format=raw,file=$out/ahci.img" \
    -device ide-hd,bus=ide.0,drive=ahci \
    -drive "if=none,id=virtio,format=raw,file=$out/virtio.img" \
    -device virtio-blk-pci,drive=virtio \
    -netdev user,id=net,restrict=on -device e1000e,netdev=net,romfile= \
    -trace vtd_ir_irte_get -trace vtd_inv_desc_iec -D "$out/trace.txt" \
    -kernel "$xen" -append "console=com1 com1=115200 loglvl=all \
guest_loglvl=warning iommu=verbose dom0_mem=512M dom0_max_vcpus=4 \
dom0_vcpus_pin noreboot $options" \
    -initrd "$dom0/vmlinuz console=hvc0 loglevel=4 panic=1,$dom0/initrd" \
    </dev/null
