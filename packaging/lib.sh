# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# What the scripts of this folder share. `me` is the name of the script.
: "${me:?}"
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root" || exit 1

die() {
    echo "$me: $*" >&2
    exit 1
}

# usage: what the comment of the script says, up to its first line without "#".
usage() {
    sed -n '/^# usage: /,/^[^#]/s/^# \{0,1\}//p' "$root/packaging/$me" >&2
    exit 2
}

# is_version TEXT
is_version() {
    echo "$1" | grep -qxE '(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}'
}

# interface VERSION: the part of it that the soname has. meson.build says the same.
interface() {
    echo "$1" | sed -E 's/^(0\.[0-9]+|[1-9][0-9]*)\..*/\1/'
}

# later A B: whether version A comes after version B.
later() {
    [ "$1" != "$2" ] &&
        [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | tail -n 1)" = "$1" ]
}

# last_release: the tag of the last release before HEAD; nothing before the first.
last_release() {
    git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null || :
}
