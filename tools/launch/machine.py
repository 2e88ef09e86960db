"""The machine: QEMU's command line for what tools/run was asked for, and the files that it names.

QEMU runs in a directory of this run's own: names of files there need no quoting.
"""
import argparse
import os
import shutil
import subprocess
import sys

import catalogue
from launch import archive, evidence, host, lines, recording
from launch.host import BUILD, KERNEL, ROOT, LaunchError, WrongUse

NO_GRUB = 3  # status of tools/mkiso
KERNEL32 = os.path.join(BUILD, "baton32.elf")
INITRAMFS = os.path.join(BUILD, "initramfs.cpio")
LINE_MAX, LINUX_LINE_MAX = 1023, 2047  # boot_command_line in kernel/arch/boot.c; COMMAND_LINE_SIZE in Linux


def check_built() -> None:
    for path in (KERNEL, KERNEL32, INITRAMFS):
        if not os.path.exists(path):
            raise LaunchError(f"build/{os.path.basename(path)} is missing: run `make all` first")
    archive.check_images(KERNEL32, INITRAMFS)


class Machine:
    def __init__(self, args: argparse.Namespace, directory: str, stdin: lines.Input) -> None:
        self.args, self.dir, self.stdin = args, directory, stdin
        self.memory: evidence.Memory | None = None
        self.nonce = os.urandom(8).hex()  # what no program of the guest can know

    def command(self) -> list[str]:
        """All of it, with what a debugger and a recording need."""
        a = self.args
        if a.replay:
            command, self.nonce = recording.replayed(a.replay, self.dir)
        else:
            command = self._qemu() + self._boot()
        if a.record:
            command = recording.recorded(command, self.dir, a.record, self.nonce)
        if a.gdb is not None:
            socket = os.path.abspath(a.gdb).replace(",", ",,") if a.gdb else "gdb"
            command += ["-gdb", f"unix:{socket},server=on,wait=off", "-S"]
        return command

    def start(self, command: list[str]) -> subprocess.Popen:
        try:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2, cwd=self.dir,
                                    pass_fds=[self.memory.fd] if self.memory else [],
                                    preexec_fn=host.tied_to_us())
        except FileNotFoundError:
            raise LaunchError(f"{command[0]} is missing: tools/setup run") from None

    def _qemu(self) -> list[str]:
        """Its processors, memory and devices."""
        a = self.args
        command = ["qemu-system-x86_64", "-accel", a.accel, "-cpu", "host" if a.accel == "kvm" else a.cpu,
                   "-m", str(a.mem), *self._cpus(), "-no-reboot", "-nodefaults", "-vga", "std",
                   "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
        if not a.linux and not a.record:  # memory that is still there when QEMU is not
            self.memory = evidence.Memory(a.mem << 20, self.dir)
            command += ["-object", f"memory-backend-file,id=ram,size={a.mem}M,share=on,"
                        f"mem-path={self.memory.path}", "-machine", "memory-backend=ram"]
        command += ["-qmp", "unix:qmp"]
        if "sched=explore" in a.append.split():  # it finds who keeps interrupts off for ever (arch/watchdog.h)
            command += ["-device", "ib700", "-action", "watchdog=inject-nmi"]
        if not a.linux and not a.record:
            command.append("-no-shutdown")  # after a triple fault it is still there to be looked at
        command += ["-display", self._window() or "none"]
        for i in range(2):
            command += ["-chardev", f"pipe,id=c{i},path=s{i}", "-serial", f"chardev:c{i}"]
        if a.icount:
            command += ["-icount", "shift=0,sleep=off", "-rtc", "base=2020-01-01,clock=vm"]
            keys = self.stdin.terminal and not a.trace  # none come to one that records while it sleeps
            if a.gdb is None and not keys:  # nor can it be stepped without the timers (Qqemu.sstep)
                command += ["-icount", "rr=record,rrfile=/dev/null"]  # see _cpus()
        return command

    def _cpus(self) -> list[str]:
        """QEMU's options for the guest's CPUs.

        While all CPUs sleep, another thread of QEMU sets icount's clock forward. It can see that they
        do before their last instructions are counted, and sets it too far by as many; only where QEMU
        records does a mutex keep the two apart (docs/devel/replay.rst there, "Locking and thread
        synchronisation"). So it records, to nowhere. It refuses to with -smp 2, as it cannot replay
        that: the other CPUs are devices then, which make the same machine.
        """
        n = self.args.smp
        if not self.args.icount:
            return ["-smp", str(n)]
        cpu = self.args.cpu.split(",")[0]
        options = ["-smp", f"1,sockets={n},cores=1,threads=1,maxcpus={n}"]
        for i in range(1, n):
            options += ["-device", f"{cpu}-x86_64-cpu,socket-id={i},core-id=0,thread-id=0"]
        return options

    def _window(self) -> str | None:
        """QEMU's display for a VGA window: with GUI=1, or in a session where DISPLAY is set."""
        asked = os.environ.get("GUI") == "1"
        if not asked and (self.args.command or not self.stdin.terminal or not os.environ.get("DISPLAY")):
            return None
        known = subprocess.run(["qemu-system-x86_64", "-display", "help"], capture_output=True,
                               text=True).stdout.split()
        found = [name for name in ("gtk", "sdl") if name in known]
        if asked and not found:
            sys.exit("tools/run: GUI=1 needs QEMU with a window: install qemu-system-gui")
        return found[0] if found else None

    def _boot(self) -> list[str]:
        """From what it boots: GRUB's image, or the kernel itself."""
        a = self.args
        options = " ".join(self._kernel_options())
        size = self._write_extra(f"{self.dir}/extra.cpio")
        if (a.iso or not a.command) and not a.kernel and not a.linux:
            self._check_line(options)
            if self._make_iso(options, size > 0):
                return ["-cdrom", "baton.iso", "-boot", "d"]
        # QEMU puts the kernel's name in front of the options: with a path that has spaces its words would be some.
        os.symlink(os.path.abspath(a.linux or KERNEL32), f"{self.dir}/kernel")
        self._check_line(options if a.linux else f"./kernel {options}")
        shutil.copyfile(INITRAMFS, f"{self.dir}/initrd")
        with open(f"{self.dir}/extra.cpio", "rb") as extra, open(f"{self.dir}/initrd", "ab") as f:
            shutil.copyfileobj(extra, f)
        os.unlink(f"{self.dir}/extra.cpio")
        return ["-kernel", "./kernel", "-initrd", "initrd", "-append", options]

    def _check_line(self, line: str) -> None:
        """A kernel would cut what is too long, and do without its last options."""
        size, most = len(os.fsencode(line)), LINUX_LINE_MAX if self.args.linux else LINE_MAX
        if size > most:
            raise WrongUse(f"--append makes a command line of {size} bytes for the kernel, which reads {most}")

    def _kernel_options(self) -> list[str]:
        a = self.args
        options = a.append.split()
        if a.linux:
            options += ["console=ttyS1", "baton.tty=ttyS0", "panic=-1", "quiet"]
        else:
            options += ["exit=debug"] + (["quiet"] if a.command else [])
            options += [f"timeout={max(1, round(a.timeout))}"] if a.timeout else []
            options += lines.terminal_size()
            options += ["trace=on"] if a.trace and "trace=" not in a.append else []
        options += ["baton.lang=zh_CN.UTF-8"] if self._speaks_chinese() else []
        options += self._plain_terminal()
        if not a.command and not self.stdin.terminal:
            options.append("session=once")
        return options

    def _plain_terminal(self) -> list[str]:
        """What our environment says of the terminal that the guest has as its own: moves and colours are no use to it."""
        if os.environ.get("GUI") == "1" or not os.isatty(1):
            return []
        options = ["baton.term=dumb"] if os.environ.get("TERM") == "dumb" else []
        return options + (["baton.no_color=1"] if os.environ.get("NO_COLOR") else [])

    def _speaks_chinese(self) -> bool:
        """The lessons do, where our environment asks for it. Not by that alone where other programs are
        brought, which would ask for files of that locale, and where a window is, which has no such letters."""
        if self.args.lang:
            return self.args.lang == "zh"
        return not self.args.add and os.environ.get("GUI") != "1" and catalogue.wanted(os.environ)

    def _write_extra(self, path: str) -> int:
        """An archive of what --add asks for, and COMMAND for init. Its size."""
        with open(INITRAMFS, "rb") as f:
            base = f.read()
        with open(path, "wb") as out:
            extra = archive.Archive(base, out, self.args.mem << 20)
            for item in self.args.add:
                extra.add(item)
            extra.add_needs()
            if self.args.command:
                stdin = "file" if self.stdin.feed and self.args.icount else "feed" if self.stdin.feed else "tty"
                content = self.stdin.all((self.args.mem << 20) // 2) if stdin == "file" else b""
                extra.add_command(archive.Command(self.args.command, self.nonce, stdin,
                                                  "tty" if os.isatty(1) else "pipe", content))
            extra.finish()
        if not self.args.linux:
            extra.check_memory(self.args.mem)
        return extra.cpio.size

    def _make_iso(self, options: str, extra: bool) -> bool:
        """False: there is no GRUB, and it was not asked for."""
        made = subprocess.run([os.path.join(ROOT, "tools/mkiso"), f"{self.dir}/baton.iso", KERNEL, INITRAMFS,
                               os.path.join(ROOT, "iso/grub.cfg"), options]
                              + ([f"{self.dir}/extra.cpio"] if extra else []))
        if made.returncode == NO_GRUB and not self.args.iso:
            host.say("tools/run: QEMU boots the kernel itself, without a menu")
            return False
        if made.returncode:
            raise LaunchError("no image to boot from could be made (tools/setup run)")
        return True
