# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh disable=SC2034 # for those who read it
# How a kernel's own build compiles the library: $kernel_flags, a list.
kernel_flags='-std=c11 -O2 -ffreestanding -fno-stack-protector -fno-pic
    -fno-asynchronous-unwind-tables -Iinclude'
if [ "$(uname -m)" = x86_64 ]; then
    kernel_flags="$kernel_flags -mno-red-zone -mgeneral-regs-only
        -mcmodel=kernel -fcf-protection=none"
fi
