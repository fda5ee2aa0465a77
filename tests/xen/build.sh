#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Build Xen of Debian 12 privately, as it is or with the port.
#
# usage: build.sh own|vtdpi|debug|bochs
#
# vtdpi has the port, debug has Xen's and the library's assertions besides, and bochs
# also has what edit_bochs.py changes for a test.
#
# Prints the hypervisor's path. Everything is below
# ${XDG_CACHE_HOME:-~/.cache}/libvtdpi/xen; a second call builds only what has
# changed. Status: 0; 77 if the sources or tools are not to be had here; else 1,
# with the end of the log on stderr.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
suite=$root/tests/suite
top=${XDG_CACHE_HOME:-$HOME/.cache}/libvtdpi/xen
variant=$1
tree=$top/build-$variant

source=$("$suite/fetch-source.sh" bookworm xen/source xen) || exit 77
tools=$("$suite/fetch-debs.sh" - - xen/tools bison flex m4 libsigsegv2) ||
    exit 77
for program in gcc make ld python3 diff; do
    command -v "$program" >/dev/null || {
        echo "build.sh: no $program here" >&2
        exit 77
    }
done
if command -v flock >/dev/null; then
    exec 8>"$tree.lock"
    flock 8
fi

# What the result depends on.
{
    cat "$source/.version" "$0"
    gcc --version
    if [ "$variant" != own ]; then
        find "$root/examples/xen" "$root/src" "$root/include" \
            "$here/edit_bochs.py" -type f -exec sha256sum {} + |
            sed "s|$root||" | sort
    fi
} | sha256sum >"$tree.wanted"
if cmp -s "$tree.wanted" "$tree.built"; then
    echo "$tree/xen/xen"
    exit 0
fi
rm -f "$tree.built"

# Sources as they are to be; only what differs goes to the tree of the last build,
# and a first one begins with the objects of another variant.
new=$(mktemp -d "$top/new.XXXXXX")
trap 'rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM
for part in COPYING Config.mk config scripts xen version.sh debian; do
    [ ! -e "$source/$part" ] || cp -a "$source/$part" "$new"
done
[ "$variant" = own ] || python3 -B "$root/examples/xen/edit.py" "$new/xen"
[ "$variant" != bochs ] || python3 -B "$here/edit_bochs.py" "$new/xen"
for other in debug vtdpi own; do
    if [ ! -d "$tree" ] && [ -f "$top/build-$other.built" ]; then
        cp -a "$top/build-$other" "$tree.new"
        mv "$tree.new" "$tree"
    fi
done
mkdir -p "$tree"
diff -rq "$new" "$tree" |
    sed -n -e "s|^Files $new/\(.*\) and .* differ\$|\1|p" \
        -e "s|^Only in $new/\{0,1\}\(.*\): \(.*\)\$|\1/\2|p" |
    while read -r file; do
        rm -rf "${tree:?}/$file"
        cp -R "$new/$file" "$tree/$file"
    done

# configure: the defaults, and assertions for the variants that have them.
configure() {
    config=$tree/xen/.config
    [ -f "$config" ] || make -C "$tree/xen" defconfig || return
    case $variant in
    debug | bochs)
        sed -i 's/^# CONFIG_DEBUG is not set$/CONFIG_DEBUG=y/' "$config" &&
            make -C "$tree/xen" olddefconfig &&
            grep '^CONFIG_DEBUG=y$' "$config"
        ;;
    esac
}

PATH=$tools/usr/bin:$PATH
M4=$tools/usr/bin/m4
BISON_PKGDATADIR=$tools/usr/share/bison
LD_LIBRARY_PATH=$(find "$tools/usr/lib" -maxdepth 1 -name '*-linux-gnu')
export PATH M4 BISON_PKGDATADIR LD_LIBRARY_PATH
{
    configure &&
        make -C "$tree/xen" -j"$(nproc)"
} >"$tree.log" 2>&1 8>&- || {
    tail -n 40 "$tree.log" >&2
    exit 1
}
cp "$tree.wanted" "$tree.built"
echo "$tree/xen/xen"
