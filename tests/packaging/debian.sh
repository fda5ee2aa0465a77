#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Check: Debian's packages. They are built in a copy and unpacked there; nothing is
# installed.
. "$ROOT/tests/check/lib.sh"

need 'Debian packages' dpkg-buildpackage dh lintian fakeroot meson || exit 0
unpacked=$OUT/unpacked
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
version=$(dpkg-parsechangelog -l packaging/debian/changelog -S Version)

# packages: what a build makes, without symbols for debuggers.
packages() {
    sed -n 's/^Package: //p' packaging/debian/control |
        if [ -n "$profiles" ]; then grep -v -- '-doc$'; else cat; fi
}

# The tests of the tree are run elsewhere.
build() {
    rm -rf "$OUT/debs"
    mkdir -p "$OUT/debs/tree"
    copy_tree "$OUT/debs/tree" && cp -R packaging/debian "$OUT/debs/tree/debian" &&
        (
            cd "$OUT/debs/tree" || exit 1
            unset RESULTS
            DEB_BUILD_OPTIONS="nocheck parallel=2" DEB_BUILD_PROFILES=$profiles \
                dpkg-buildpackage -us -uc -b
        )
}

wrong_packages() {
    (cd "$OUT/debs" && ls -- *.deb) | grep -v -- '-dbgsym_' | sed 's/_.*//' |
        sort >"$OUT/built"
    packages | sort | diff - "$OUT/built"
}

# lint: every error and warning. The tool's page is the tool's own business.
lint() {
    set --
    [ -e tools/vtdpi/vtdpi.1 ] || set -- --suppress-tags no-manual-page
    lintian --allow-root --fail-on none --display-level '>=warning' "$@" "$OUT"/debs/*.changes
}

# unpack PACKAGE...: their files as they would be below /.
unpack() {
    for u_name; do
        dpkg-deb -x "$OUT/debs/$u_name"_*.deb "$unpacked" || return 1
    done
}

flags() {
    PKG_CONFIG_SYSROOT_DIR=$unpacked \
        PKG_CONFIG_LIBDIR=$unpacked/usr/lib/$triplet/pkgconfig pkg-config "$@"
}

# What the README builds, against the unpacked packages.
# shellcheck disable=SC2046 # lists of flags
shared() {
    cc "$unpacked/usr/share/doc/libvtdpi-dev/examples/hello.c" -o "$OUT/shared" \
        $(flags --cflags --libs libvtdpi) &&
        readelf -d "$OUT/shared" | grep -qF "[libvtdpi.so.$(soversion)]" &&
        LD_LIBRARY_PATH=$unpacked/usr/lib/$triplet "$OUT/shared"
}

# shellcheck disable=SC2046 # lists of flags
static() {
    cc examples/hello.c -o "$OUT/static" -static \
        $(flags --static --cflags --libs libvtdpi) && "$OUT/static"
}

# shellcheck disable=SC2046 # lists of flags
with_model() {
    cc tests/consumer/consumer.c -o "$OUT/model" \
        $(flags --cflags --libs libvtdpi libvtdpi-model) &&
        LD_LIBRARY_PATH=$unpacked/usr/lib/$triplet "$OUT/model"
}

by_cmake() {
    mkdir -p "$OUT/cmake"
    printf '%s\n' 'cmake_minimum_required(VERSION 3.16)' \
        'project(hello LANGUAGES C)' 'find_package(libvtdpi REQUIRED)' \
        'add_executable(hello hello.c)' \
        'target_link_libraries(hello PRIVATE libvtdpi::vtdpi-static)' \
        >"$OUT/cmake/CMakeLists.txt"
    cp examples/hello.c "$OUT/cmake/" &&
        cmake -S "$OUT/cmake" -B "$OUT/cmake/build" \
            -DCMAKE_PREFIX_PATH="$unpacked/usr" \
            -DCMAKE_LIBRARY_ARCHITECTURE="$triplet" &&
        cmake --build "$OUT/cmake/build" && "$OUT/cmake/build/hello"
}

tool() {
    "$unpacked/usr/bin/vtdpi" --help >"$OUT/help" && grep -q irte "$OUT/help" &&
        test -s "$unpacked/usr/share/bash-completion/completions/vtdpi" &&
        test -s "$unpacked/usr/share/zsh/vendor-completions/_vtdpi" &&
        test -s "$unpacked/usr/share/man/man1/vtdpi-host.1.gz"
}

# What the run-time package alone needs of others is the C library.
depends() {
    dpkg-deb -f "$OUT/debs/libvtdpi$(soversion)"_*.deb Depends | tr ',' '\n' |
        grep -vE '^ *libc6 \('
    dpkg-deb -f "$OUT"/debs/libvtdpi-dev_*.deb Depends |
        grep -qF "libvtdpi$(soversion) (= $version)" ||
        echo 'libvtdpi-dev is not bound to its library'
}

# Without what the site needs, all packages but that of the site are built.
profiles=
dpkg-checkbuilddeps packaging/debian/control || profiles=nodoc
check 'version of debian/changelog' test "$version" = "$(cat VERSION)"
check 'the packages build' build
none 'exactly these packages' wrong_packages
none 'lintian has no error and no warning' lint
rm -rf "$unpacked"
mkdir -p "$unpacked"
# shellcheck disable=SC2046 # a list of names
check 'the packages unpack' unpack $(packages)
none 'dependencies' depends
check 'README: the program, shared' shared
check 'README: the program, static' static
check 'a program with the model' with_model
need 'by CMake' cmake && check 'by CMake' by_cmake
check 'the tool, its pages and its completion' tool
if [ -n "$profiles" ]; then
    skip 'the site' 'Doxygen, its style or Graphviz is not installed'
else
    check 'the site' test -s "$unpacked/usr/share/doc/libvtdpi-doc/html/index.html"
fi
