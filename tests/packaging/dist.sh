#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Check: the tarball of a release, from a clean clone, as its user gets it.
. "$ROOT/tests/check/lib.sh"

need 'tarball' git tar xz meson ninja cc pkg-config || exit 0
copy=$OUT/copy
. "$ROOT/tests/packaging/scratch.sh"
name=libvtdpi-$(cat VERSION)

dist() {
    rm -rf "$OUT/dist" "$OUT/unpacked"
    in_copy meson setup "$OUT/dist" --auto-features=disabled &&
        in_copy meson dist -C "$OUT/dist" --no-tests --formats xztar &&
        (cd "$OUT/dist/meson-dist" && sha256sum -c "$name.tar.xz.sha256sum") &&
        mkdir "$OUT/unpacked" &&
        tar -C "$OUT/unpacked" -xf "$OUT/dist/meson-dist/$name.tar.xz"
}

# differences: between the tarball and what git tracks. There is nothing of git, and
# nothing that is generated.
differences() {
    (cd "$OUT/unpacked" && find . ! -type d | sort) >"$OUT/has"
    in_copy git ls-files | sed "s,^,./$name/," | sort | diff - "$OUT/has"
    # The same bytes, and programs that can be run.
    in_copy git ls-files | while read -r file; do
        cmp "$copy/$file" "$OUT/unpacked/$name/$file"
        [ ! -x "$copy/$file" ] || [ -x "$OUT/unpacked/$name/$file" ] ||
            echo "$file is no program"
    done
}

builds() {
    rm -rf "$OUT/build" "$OUT/prefix"
    meson setup "$OUT/build" "$OUT/unpacked/$name" --prefix="$OUT/prefix" \
        --libdir=lib -Dtests=auto -Dbench=disabled -Dconform=disabled \
        -Dexplore=disabled -Dtool=disabled -Dexamples=disabled &&
        ninja -C "$OUT/build" src/libvtdpi.a
}

# Tests of the tree find the files without git, too.
tests_pass() {
    env -u RESULTS meson test -C "$OUT/build" version pid verdict sources \
        --print-errorlogs -t 5
}

installs() {
    meson install -C "$OUT/build" &&
        [ -f "$OUT/prefix/lib/libvtdpi.so.$(soversion)" ]
}

program_runs() {
    export PKG_CONFIG_LIBDIR="$OUT/prefix/lib/pkgconfig"
    # shellcheck disable=SC2046 # a list of flags
    cc "$OUT/unpacked/$name/examples/hello.c" -o "$OUT/hello" -static \
        $(pkg-config --static --cflags --libs libvtdpi) && "$OUT/hello"
}

scratch || {
    fail 'a copy with a history'
    exit 0
}
check 'meson dist' dist
none 'the tarball is the tree' differences
check 'the tarball builds' builds
check 'the tarball passes its tests' tests_pass
check 'the tarball installs' installs
check 'a program runs with the installation' program_runs
