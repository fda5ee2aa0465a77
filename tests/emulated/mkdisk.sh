#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Make a raw disk image that boots a kernel of the runtime: for emulators that
# have no -kernel.
#
# usage: mkdisk.sh MBR KERNEL IMAGE
#
# MBR is runtime/mbr.S as a flat binary, KERNEL the kernel as one. IMAGE gets
# one cylinder of 16 heads and 63 sectors, for the emulator's configuration.
set -eu

[ $# -eq 3 ] || {
    sed -n 's/^# usage: /usage: /p' "$0" >&2
    exit 2
}

total=$((16 * 63))
size=$(wc -c <"$2")
sectors=$(((size + 511) / 512))
if [ "$(wc -c <"$1")" -ne 512 ] || [ "$sectors" -ge "$total" ]; then
    echo 'mkdisk.sh: not a boot sector, or the kernel is too large' >&2
    exit 1
fi

rm -f "$3"
dd if=/dev/zero of="$3" bs=512 count="$total" status=none
dd if="$1" of="$3" conv=notrunc status=none
dd if="$2" of="$3" bs=512 seek=1 conv=notrunc status=none
# The number of sectors, little-endian, is at 508 of the boot sector.
# shellcheck disable=SC2059 # the format is the data
printf "\\$(printf %03o $((sectors % 256)))\\$(printf %03o $((sectors / 256)))" |
    dd of="$3" bs=1 seek=508 conv=notrunc status=none
