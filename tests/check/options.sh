#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Meson accepts each part of the project alone, and all parts but each: no folder's
# file relies on another that an option has left out
. "$ROOT/tests/check/lib.sh"

need options meson ninja cc || exit 0
parts=$(sed -n "s/^option('\([a-z]*\)', type: 'feature', value: 'auto',$/\1/p" meson_options.txt)
[ -n "$parts" ] || fail options 'meson_options.txt has no part'

# accepts NAME OPTION...: a build folder is set up.
accepts() {
    name=$1
    shift
    rm -rf "$OUT/build"
    check "$name" meson setup "$OUT/build" "$@"
}

for part in $parts; do
    others=$(echo "$parts" | sed "/^$part$/d; s/.*/-D&=disabled/")
    # shellcheck disable=SC2086 # a list of options
    accepts "$part alone" $others
    accepts "all but $part" "-D$part=disabled"
done
