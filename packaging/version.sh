#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Write the version into every file that has it, or see that they agree.
#
# usage: version.sh MAJOR.MINOR.PATCH
#        version.sh --check
set -eu
me=version.sh
# shellcheck source=packaging/lib.sh
. "$(dirname -- "$0")/lib.sh"

maps='src/vtdpi.map src/model/vtdpi-model.map'

# replace EXPRESSION FILE...: sed in place, also where sed has no -i.
replace() {
    r_expression=$1
    shift
    for r_file; do
        sed -E "$r_expression" "$r_file" >"$r_file.new"
        cat "$r_file.new" >"$r_file"
        rm "$r_file.new"
    done
}

# headers: the version that version.h states in numbers and in text.
headers() {
    awk '/#define VTDPI_VERSION_(MAJOR|MINOR|PATCH) / { v = v s $3; s = "." }
        /#define VTDPI_VERSION_TEXT / { t = $3 }
        END { print v " " t }' include/vtdpi/version.h
}

# debian: the version of the newest entry, and the package that has the soname.
debian() {
    sed -n '1s/^libvtdpi (\([^)]*\)).*/\1/p' packaging/debian/changelog
    sed -n 's/^Package: libvtdpi\([0-9]\)/\1/p' packaging/debian/control
}

disagree() {
    version=$(cat VERSION)
    is_version "$version" || echo "VERSION: $version"
    [ "$(headers)" = "$version \"$version\"" ] ||
        echo "include/vtdpi/version.h: $(headers)"
    [ "$(debian | paste -sd' ' -)" = "$version $(interface "$version")" ] ||
        echo "packaging/debian: $(debian | paste -sd' ' -)"
    [ -e "packaging/debian/libvtdpi$(interface "$version").install" ] ||
        echo "packaging/debian: no libvtdpi$(interface "$version").install"
    for map in $maps; do
        grep -qE "^VTDPI_(MODEL_)?$(interface "$version" | sed 's/\./\\./') \{\$" \
            "$map" || echo "$map: no node of $(interface "$version")"
    done
}

[ $# -eq 1 ] || usage
if [ "$1" = --check ]; then
    wrong=$(disagree)
    [ -z "$wrong" ] || die "not the version of VERSION:
$wrong"
    exit 0
fi

is_version "$1" || usage
old=$(interface "$(cat VERSION)")
new=$(interface "$1")
echo "$1" >VERSION
{
    echo "$1" | tr . '\n' | paste -sd' ' -
} | {
    read -r major minor patch
    replace "s/^(#define VTDPI_VERSION_MAJOR )[0-9]+/\\1$major/
s/^(#define VTDPI_VERSION_MINOR )[0-9]+/\\1$minor/
s/^(#define VTDPI_VERSION_PATCH )[0-9]+/\\1$patch/
s/^(#define VTDPI_VERSION_TEXT ).*/\\1\"$1\"/" include/vtdpi/version.h
}
# shellcheck disable=SC2086 # a list of files
replace "s/^(VTDPI_(MODEL_)?)$(echo "$old" | sed 's/\./\\./') \{\$/\\1$new {/" $maps

# Debian's package of the shared libraries has the soname in its name.
if [ "$old" != "$new" ]; then
    mv "packaging/debian/libvtdpi$old.install" \
        "packaging/debian/libvtdpi$new.install"
    replace "s/libvtdpi$(echo "$old" | sed 's/\./\\./')([ ,]|\$)/libvtdpi$new\\1/" \
        packaging/debian/control
fi
if [ "$(debian | head -n 1)" != "$1" ]; then
    {
        printf 'libvtdpi (%s) unstable; urgency=medium\n\n' "$1"
        printf '  * CHANGELOG.md has the changes.\n\n -- %s  %s\n\n' \
            "$(sed -n 's/^Maintainer: //p' packaging/debian/control)" \
            "$(LC_ALL=C date -u '+%a, %d %b %Y %H:%M:%S +0000')"
        cat packaging/debian/changelog
    } >packaging/debian/changelog.new
    mv packaging/debian/changelog.new packaging/debian/changelog
fi
exec "$root/packaging/$me" --check
