# SPDX-License-Identifier: BSD-2-Clause
"""A machine with Debian's Linux in QEMU: an initramfs, a boot, the console."""

import subprocess


def member(name, mode, data=b"", device=(0, 0)):
    """One file of a cpio archive in the format newc."""
    path = name.encode() + b"\0"
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0]
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def initramfs(box, init, *files):
    """busybox, the script `init` as the first process, and files (name, mode, bytes)."""
    return b"".join([
        member("bin", 0o040755),
        member("dev", 0o040755),
        member("dev/console", 0o020600, device=(5, 1)),
        member("bin/busybox", 0o100755, (box / "bin/busybox").read_bytes()),
        member("etc", 0o040755),
        member("init", 0o100755, init.read_bytes()),
        *(member(name, 0o100000 | mode, data) for name, mode, data in files),
        member("TRAILER!!!", 0),
    ])


def boot(box, archive, emulator, work, cpus, words, arguments=(), seconds=240):
    """The console, without carriage returns, or None without an emulator. `words` go to
    the kernel, `arguments` to QEMU."""
    work.mkdir(parents=True, exist_ok=True)
    console = work / "console"
    initrd = work / "initramfs"
    initrd.write_bytes(archive)
    console.write_text("", encoding="utf-8")
    kernel = next((box / "boot").glob("vmlinuz-*"))
    command = [
        emulator, "qemu", "-machine", "q35", "-accel", "tcg,thread=multi",
        "-cpu", "max,-la57", "-smp", str(cpus), "-m", "512", "-nodefaults",
        "-display", "none", "-no-reboot", "-serial", f"file:{console}",
        "-kernel", kernel, "-initrd", initrd, *arguments, "-append",
        f"console=ttyS0 panic=-1 loglevel=5 no_timer_check {words}",
    ]
    try:
        status = subprocess.run(
            [str(word) for word in command], stdin=subprocess.DEVNULL,
            timeout=seconds, check=False).returncode
    except subprocess.TimeoutExpired:
        status = None
    if status == 77:
        return None
    text = console.read_text(encoding="utf-8", errors="replace")
    return text.replace("\r", "") + f"\nemulator {status}\n"
