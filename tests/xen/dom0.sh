#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Make the initial file system of dom0 from Debian's kernel and busybox.
#
# usage: dom0.sh FOLDER
#
# Writes FOLDER/vmlinuz and FOLDER/initrd. Status: 0; 77 if the packages are not
# to be had here; else 1.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=$1
# The same set as the other tests with Debian's kernel, so it is fetched once.
box=$("$here/../suite/fetch-debs.sh" --with 'linux-*' - - linux \
    linux-image-amd64 linux-headers-amd64 busybox-static) || exit 77
busybox=$box/bin/busybox
version=$(basename "$box"/boot/vmlinuz-*)
version=${version#vmlinuz-}
modules=lib/modules/$version

mkdir -p "$out"
rm -rf "$out/root"
mkdir -p "$out/root/bin" "$out/root/$modules"
cp "$busybox" "$out/root/bin/busybox"
cp "$here/dom0-init" "$out/root/init"
chmod +x "$out/root/init"

# These modules and what they need. depmod sees all; the guest gets few.
"$busybox" depmod -b "$box" -n "$version" >"$out/modules.dep" 2>/dev/null || :
wanted='nvme ahci sd_mod e1000e virtio_pci virtio_blk'
for name in $wanted; do
    sed -n "s|^\([^ ]*/$name\.ko\): *|\1 |p" "$out/modules.dep"
done | tr ' ' '\n' | sort -u | while read -r file; do
    [ -n "$file" ] || continue
    mkdir -p "$out/root/$modules/$(dirname "$file")"
    cp "$box/$modules/$file" "$out/root/$modules/$file"
done
for list in modules.builtin modules.order; do
    cp "$box/$modules/$list" "$out/root/$modules"
done
"$busybox" depmod -b "$out/root" "$version"
(cd "$out/root" && find . | "$busybox" cpio -o -H newc 2>/dev/null) |
    gzip -1 >"$out/initrd.new"
mv "$out/initrd.new" "$out/initrd"
cp "$box/boot/vmlinuz-$version" "$out/vmlinuz"
