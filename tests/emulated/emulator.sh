#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Run an emulator that is new enough to judge: QEMU 10 or Bochs 3.
#
# usage: emulator.sh qemu ARGUMENT...     qemu-system-x86_64 ARGUMENT...
#        emulator.sh bochs ARGUMENT...    bochs ARGUMENT..., with BXSHARE and
#                                         VGABIOS set for the configuration
#        emulator.sh --check qemu|bochs   print its version, run nothing else
#
# The one on PATH is taken if it is new enough. Otherwise it is fetched with
# all shared libraries that it needs from Debian's suite trixie, unpacked below
# ${XDG_CACHE_HOME:-~/.cache}/libvtdpi, and started by its own loader: nothing
# is installed, and the libraries of the system are not used.
#
# EMULATORS_MISSING in the environment names those that are known not to be had.
#
# Status: the emulator's own; or 77 if it is not to be had here.
set -u

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
fetch=$here/../suite/fetch-debs.sh

skip() {
    echo "emulator.sh: $*" >&2
    exit 77
}

# major COMMAND...: the first number that its --version or --help prints.
major() {
    "$@" 2>&1 </dev/null |
        sed -n 's/^[^0-9]*\([0-9][0-9]*\)\.[0-9].*/\1/p' | head -n 1
}

new_enough() {
    [ "${1:-0}" -ge "$2" ] 2>/dev/null
}

# unpack FOLDER PACKAGE...: fetch them and set box, loader and libraries.
unpack() {
    [ "$(uname -m)" = x86_64 ] || skip 'only fetched for x86-64 machines'
    box=$("$fetch" --with-libraries trixie - "$@" 2>/dev/null) ||
        skip "$1 is neither installed nor to be had from Debian trixie"
    loader=$(find "$box/usr/lib" -name 'ld-linux-x86-64.so.2' | head -n 1)
    libraries=$(dirname "$loader")
    for directory in "$libraries"/*/; do
        libraries=$libraries:${directory%/}
    done
}

# alone PROGRAM ARGUMENT...: become a program of the box, with its libraries only.
alone() {
    alone_program=$1
    shift
    exec "$loader" --inhibit-cache --library-path "$libraries" \
        "$box/usr/bin/$alone_program" "$@"
}

find_qemu() {
    new_enough "$(major qemu-system-x86_64 --version)" 10 ||
        unpack qemu qemu-system-x86 qemu-system-data seabios
}

# These two do not return: a signal to this process ends the emulator.
run_qemu() {
    if [ -z "$box" ]; then
        exec qemu-system-x86_64 "$@"
    else
        alone qemu-system-x86_64 -L "$box/usr/share/qemu" \
            -L "$box/usr/share/seabios" "$@"
    fi
}

find_bochs() {
    if ! new_enough "$(major bochs --help)" 3 ||
        [ ! -f /usr/share/bochs/BIOS-bochs-latest ] ||
        [ ! -f /usr/share/vgabios/vgabios.bin ]; then
        unpack bochs bochs bochs-term bochsbios vgabios
        LTDL_LIBRARY_PATH=$(find "$box/usr/lib" -path '*/bochs/plugins')
        export LTDL_LIBRARY_PATH
    fi
    BXSHARE=$box/usr/share/bochs
    VGABIOS=$box/usr/share/vgabios/vgabios.bin
    export BXSHARE VGABIOS
}

run_bochs() {
    if [ -z "$box" ]; then
        exec bochs "$@"
    else
        alone bochs-bin "$@"
    fi
}

check=no
[ "${1:-}" != --check ] || {
    check=yes
    shift
}
emulator=${1:-}
[ $# -eq 0 ] || shift
box=
case " ${EMULATORS_MISSING:-} " in
*" ${emulator:-none} "*) skip "$emulator was looked for before" ;;
esac
case $emulator in
qemu) find_qemu ;;
bochs) find_bochs ;;
*)
    sed -n '/^# usage: /,/^#$/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac

case $check-$emulator in
no-qemu) run_qemu "$@" ;;
no-bochs) run_bochs "$@" ;;
yes-qemu) run_qemu --version | head -n 1 ;;
yes-bochs) run_bochs --help 2>&1 | sed -n 's/^ *\(.* [0-9]\.[0-9]\)/\1/p' ;;
esac
