#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Build examples/linux with the headers of a kernel that was only unpacked.
#
# usage: build.sh BOX ROOT FOLDER [ARGUMENT...]
#
# BOX is the folder of fetch-debs.sh, ROOT the tree, FOLDER receives the module;
# ARGUMENTs go to make. The headers name each other by absolute paths, so a folder
# of links stands in, with a makefile of its own.
set -eu

[ $# -ge 3 ] || {
    sed -n 's/^# usage: /usage: /p' "$0" >&2
    exit 2
}
box=$1
root=$2
folder=$3
shift 3

headers=$(find "$box/usr/src" -maxdepth 1 -name 'linux-headers-*-amd64')
common=$(find "$box/usr/src" -maxdepth 1 -name 'linux-headers-*-common')
rm -rf "$folder"
mkdir -p "$folder/headers" "$folder/module/libvtdpi"
cp "$root"/examples/linux/*.[ch] "$root/examples/linux/Kbuild" "$folder/module/"
cp -R "$root/include" "$root/src" "$folder/module/libvtdpi/"
for entry in "$headers"/.[a-zM]* "$headers"/[a-zM]*; do
    ln -s "$entry" "$folder/headers/"
done
rm "$folder/headers/Makefile"
echo "include $common/Makefile" >"$folder/headers/Makefile"
make -C "$folder/headers" M="$folder/module" "$@" modules
