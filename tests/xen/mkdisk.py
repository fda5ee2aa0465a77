#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Make a disk from which GRUB boots Xen and its dom0, for Bochs.

usage: mkdisk.py GRUB CORE XEN GUEST OUT

GRUB is the folder with boot.img, CORE an image of grub-mkimage. Behind them is one
partition, which is a tar archive: GRUB reads those.
"""

import io
import pathlib
import struct
import sys
import tarfile

SECTOR = 512
PARTITION = 2048  # sectors
CYLINDER = 16 * 63 * SECTOR


def archive(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, path in files.items():
            tar.add(path, arcname=name)
    return out.getvalue()


def main():
    if len(sys.argv) != 6:
        sys.exit(__doc__.split("\n\n", maxsplit=2)[1])
    grub, core, xen, guest, out = map(pathlib.Path, sys.argv[1:])
    data = archive({"xen": xen, "guest": guest})
    mbr = bytearray((grub / "boot.img").read_bytes())
    code = core.read_bytes()
    if len(code) > (PARTITION - 1) * SECTOR:
        sys.exit("mkdisk.py: GRUB does not fit in front of the partition")
    sectors = -(-len(data) // SECTOR)
    # One entry: active, of no file system in particular, no CHS addresses.
    mbr[446:462] = struct.pack("<B3sB3sII", 0x80, b"\xff" * 3, 0xda,
                               b"\xff" * 3, PARTITION, sectors)
    mbr[462:510] = bytes(48)  # no others: boot.img has text for floppy disks here
    mbr[510:512] = b"\x55\xaa"
    disk = bytes(mbr) + code
    disk += bytes(PARTITION * SECTOR - len(disk)) + data
    out.write_bytes(disk + bytes(-len(disk) % CYLINDER))


main()
