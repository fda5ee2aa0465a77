# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2034 # for those who read it
# How a kernel's own build compiles the library: $kernel_flags, a list.
kernel_flags='-std=c11 -O2 -ffreestanding -fno-stack-protector -fno-pic
    -fno-asynchronous-unwind-tables -Iinclude'
if [ "$(uname -m)" = x86_64 ]; then
    kernel_flags="$kernel_flags -mno-red-zone -mgeneral-regs-only
        -mcmodel=kernel -fcf-protection=none"
fi

# As certain kernels do: the language, the code and the warnings of their builds,
# and as errors. A compiler is given those that it knows.

# Linux 6.1 for x86-64 with W=1, W=2 and W=3, without what would forbid padding, the
# cast of a function's result, and a switch that names each value and has no default.
# Frames: half of the kernel's own bound.
linux_flags='-std=gnu11 -O2 -ffreestanding -nostdinc -fshort-wchar -fno-PIE
    -fno-strict-aliasing -fno-common -fno-asynchronous-unwind-tables
    -fno-delete-null-pointer-checks -fno-strict-overflow -fno-stack-check
    -fconserve-stack -fno-omit-frame-pointer -fno-optimize-sibling-calls
    -fno-jump-tables -fstack-protector-strong -mno-red-zone -mno-sse -mno-mmx
    -mno-sse2 -mno-3dnow -mno-avx -mskip-rax-setup -mtune=generic -mcmodel=kernel
    -mindirect-branch=thunk-extern -mindirect-branch-register
    -mfunction-return=thunk-extern -mharden-sls=all -fcf-protection=branch
    -Wall -Wundef -Wvla -Wdeclaration-after-statement -Wimplicit-fallthrough=5
    -Wcast-function-type -Wstrict-prototypes -Wpointer-sign -Wdate-time
    -Wincompatible-pointer-types -Wdesignated-init -Wframe-larger-than=1024
    -Wextra -Wmissing-declarations -Wrestrict -Wmissing-format-attribute
    -Wmissing-prototypes -Wold-style-definition -Wunused-but-set-variable
    -Wunused-const-variable -Wpacked-not-aligned -Wstringop-truncation
    -Wdisabled-optimization -Wnested-externs -Wshadow -Wlogical-op
    -Wmissing-field-initializers -Wtype-limits
    -Wcast-align -Wcast-qual -Wconversion -Wpacked
    -Wpointer-arith -Wredundant-decls -Wsign-compare'

# Xen 4.17 to 4.20 for x86-64, with its landing pads marked by hand.
xen_flags='-std=gnu99 -O2 -ffreestanding -nostdinc -fno-builtin -fno-common
    -fno-strict-aliasing -fno-stack-protector -fno-exceptions
    -fno-asynchronous-unwind-tables -fno-omit-frame-pointer -fpic
    -fno-jump-tables -mno-red-zone -mno-mmx -mno-sse -msoft-float
    -mskip-rax-setup -mpreferred-stack-boundary=3
    -mindirect-branch=thunk-extern -mindirect-branch-register
    -fcf-protection=branch -mmanual-endbr
    -Wall -Wextra -Wstrict-prototypes -Wdeclaration-after-statement -Wnested-externs
    -Wredundant-decls -Wvla -Wundef -Wshadow -Wframe-larger-than=1024'

# FreeBSD 14 for amd64, whose compiler is clang.
freebsd_flags='-std=gnu99 -O2 -ffreestanding -nostdinc -fno-common -fwrapv
    -fno-omit-frame-pointer -fno-strict-aliasing -fno-asynchronous-unwind-tables
    -fstack-protector -mno-red-zone -mno-mmx -mno-sse -msoft-float
    -mno-aes -mno-avx -mcmodel=kernel -fno-pic
    -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
    -Wcast-qual -Wundef -Wredundant-decls -Wnested-externs -Wold-style-definition
    -Wmissing-include-dirs -Wdeclaration-after-statement
    -Wframe-larger-than=1024'

# known_flags COMPILER FLAG...: those that the compiler knows. It names the first
# ones that it does not know, and is asked again without them.
known_flags() {
    kf_cc=$1
    shift
    while :; do
        kf_unknown=$(echo 'int kf;' | LC_ALL=C "$kf_cc" -Werror "$@" -xc -c \
            -o /dev/null - 2>&1 | grep -E '(error|warning):' |
            sed -n "s/^[^']*'\(-[^']*\)'.*/\1/p")
        [ -n "$kf_unknown" ] || break
        for kf_flag; do
            shift
            case "
$kf_unknown
" in
            *"
$kf_flag
"*) ;;
            *) set -- "$@" "$kf_flag" ;;
            esac
        done
    done
    echo "$@"
}
