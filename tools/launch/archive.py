"""What tools/run appends to the initramfs: what --add names and needs, and what init needs to know.

The kernel panics at an archive that it cannot unpack, so nothing wrong gets as far as that. Files go
from the disk to the archive's file piece by piece: they may be large.
"""
import os
import posixpath
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from launch import companions, elf, host, programs
from launch.cpio import MAGIC, Cpio
from launch.host import LaunchError

ARGUMENTS_MAX, ARGUMENT_BYTES = 1023, 65535  # init.c: argv[], arguments[]
NAME_MAX, PATH_MAX = 255, 4095
MULTIBOOT = (0x1badb002).to_bytes(4, "little")
KERNEL_MIB = 3  # of memory: its image, tables and first allocations
PAGE = 4096


@dataclass
class Command:
    argv: list[str]
    nonce: str
    stdin: str   # tty, feed or file
    stdout: str  # tty or pipe
    content: bytes = b""  # of standard input, where it is a file


def _entries(archive: bytes) -> dict[str, bool]:
    """Names in a newc archive; is it a folder?"""
    found, at = {}, 0
    while archive[at:at + 6] == b"070701":
        mode, size, length = (int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in (1, 6, 11))
        found[os.fsdecode(archive[at + 110:at + 109 + length])] = stat.S_ISDIR(mode)
        at = (at + 110 + length + 3 & ~3) + size + 3 & ~3
    return found


def split(item: str) -> tuple[str, str]:
    """FILE[:PATH]: there may be colons in both; FILE is the longest one that exists. One that is not
    there may be a program of the host's PATH."""
    at = len(item)
    while at > 0 and not os.path.exists(item[:at]):
        at = item.rfind(":", 0, at)
    path, _, wanted = (item[:at], "", item[at + 1:]) if at > 0 else item.partition(":")
    if "/" not in path and not os.path.exists(path):
        path = shutil.which(path) or path
    return path, wanted


def _guest_name(wanted: str) -> str:
    return posixpath.normpath("/" + wanted).lstrip("/")


def _tree(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """What is in it, by its name below it; sorted, so that the archive is the same each time."""
    for where, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(folders + files):
            path = os.path.join(where, name)
            yield os.path.relpath(path, folder), os.lstat(path)


def check_images(kernel: str, initramfs: str) -> None:
    """Of a build that was cut short, by a full disk or ^C, or of something else under that name."""
    with open(kernel, "rb") as f:
        if MULTIBOOT not in f.read(8192):  # the specification, section 3.1
            raise LaunchError(f"{os.path.relpath(kernel)} is no kernel (no multiboot header): make clean, then make")
    with open(initramfs, "rb") as f:
        begin = f.read(len(MAGIC))
        f.seek(max(0, os.fstat(f.fileno()).st_size - 1024))
        end = f.read()
    if begin != MAGIC or b"TRAILER!!!" not in end:
        raise LaunchError(f"{os.path.relpath(initramfs)} is no whole cpio archive (newc): make clean, then make")


class Archive:
    """Written to `out`, behind an archive `base`, for a guest that has room for so many bytes."""

    def __init__(self, base: bytes, out: BinaryIO, room: int) -> None:
        self.cpio, self.names, self.room = Cpio(out), _entries(base), room
        self.base, self.largest = len(base), 0
        self.programs: list[tuple[str, str, str]] = []  # item, path, name: what they need is to follow
        self.whole: set[str] = set()  # folders that were brought with all that is in them

    def _parents(self, name: str, item: str) -> None:
        """Make the folders above `name` that are not there."""
        at = name.find("/")
        while at >= 0:
            parent = name[:at]
            if not self.names.get(parent, True):
                raise LaunchError(f"--add {item}: /{parent} is a file in the guest, not a folder")
            if parent not in self.names:
                self.names[parent] = True
                self.cpio.add(parent, 0o40755)
            at = name.find("/", at + 1)

    def _claim(self, name: str, item: str, folder: bool = False) -> None:
        """That name is given to something new."""
        if len(os.fsencode(name)) > PATH_MAX or \
                any(len(os.fsencode(part)) > NAME_MAX for part in name.split("/")):
            raise LaunchError(f"--add {item}: its name in the guest is too long")
        self._parents(name, item)
        if self.names.get(name, folder) != folder:
            raise LaunchError(f"--add {item}: /{name} is a {'file' if folder else 'folder'} in the guest")
        self.names[name] = folder

    def _file(self, path: str, name: str, item: str, mode: int, mtime: int = 0) -> None:
        size = os.stat(path).st_size
        if size > self.room:
            raise LaunchError(f"--add {item}: {size >> 20} MiB are more than the guest has room for; "
                              "--mem gives it more")
        self.room -= size
        self.largest = max(self.largest, size)
        with open(path, "rb") as f:
            self._claim(name, item)
            if not self.cpio.add_file(name, 0o100000 | mode, f, size, mtime):
                raise LaunchError(f"--add {item}: {path} has changed while it was read")

    def _folder(self, path: str, name: str, item: str, needed: bool = False) -> None:
        """A folder with all that is in it, but devices and the like. One that is needed brings what
        nobody has asked for yet: the program that needs it may be in it."""
        self.whole.add(name)
        if name:
            self._claim(name, item, folder=True)
            self.cpio.add(name, 0o40755)
        for below, about in _tree(path):
            here, there = os.path.join(path, below), posixpath.join(name, below)
            if needed and (companions.LEFT_OUT.intersection(below.split("/")) or there in self.names):
                continue
            if stat.S_ISDIR(about.st_mode):
                self._claim(there, item, folder=True)
                self.cpio.add(there, about.st_mode & 0o47777)
            elif stat.S_ISLNK(about.st_mode):
                self._claim(there, item)
                self.cpio.add(there, 0o120777, os.fsencode(os.readlink(here)))
            elif stat.S_ISREG(about.st_mode):
                # With its time, by which Python knows that what it has compiled is up to date.
                self._file(here, there, item, about.st_mode & 0o777, int(about.st_mtime) & 0xffffffff)
                self.programs.append(("", here, there))

    def add(self, item: str) -> None:
        """One --add. FILE[:PATH]: a PATH that is a folder, or ends as one, is where FILE goes;
        DIR[:PATH]: PATH is what DIR becomes."""
        path, wanted = split(item)
        mounted = _guest_name(wanted).partition("/")[0]
        if mounted in ("dev", "proc"):
            raise LaunchError(f"--add {item}: /{mounted} is the kernel's own in the guest, and nothing can be put there")
        try:
            about = os.stat(path)
            if stat.S_ISDIR(about.st_mode):
                self._folder(path, _guest_name(wanted or path), item)
            elif stat.S_ISREG(about.st_mode):
                name = _guest_name(wanted or "/bin/")
                if not wanted or wanted.endswith("/") or self.names.get(name, name == ""):
                    name = posixpath.join(name, os.path.basename(path))
                if not programs.has_home(path):
                    self._file(path, name, item, 0o755)
                self.programs.append((item, path, name))
            else:
                raise LaunchError(f"--add {item}: neither a file nor a folder")
        except OSError as error:
            raise LaunchError(f"--add {item}: {error.strerror}") from None

    def add_needs(self) -> None:
        """What all these need that is not there yet."""
        for item, path, name in self.programs:
            needs = programs.program(path, f"/{name}") if item else programs.needs(path, f"/{name}")
            try:
                if item and (other := elf.foreign(path)):
                    host.say(f"tools/run: --add {item}: it was compiled for {other}; Baton runs what is for "
                             "x86-64 and Linux, 64 bits")
                for need in needs:
                    self._need(need, item or path)
            except programs.Missing as missing:
                if item:
                    host.say(f"tools/run: --add {item}: it needs {missing}, which this host does not have")
            except OSError as error:
                raise LaunchError(f"--add {item or path}: {error.filename}: {error.strerror}") from None

    def _need(self, need: programs.Need, item: str) -> None:
        name = need.name.lstrip("/")
        if need.link and name not in self.names:
            self._claim(name, item)
            self.cpio.add(name, 0o120777, os.fsencode(need.link))
        elif os.path.isdir(need.path) and not need.link:
            if name not in self.whole:
                self._folder(need.path, name, item, needed=True)
        elif name not in self.names:
            self._file(need.path, name, item, 0o755)

    def add_command(self, command: Command) -> None:
        argv = b"".join(os.fsencode(argument) + b"\0" for argument in command.argv)
        if len(command.argv) > ARGUMENTS_MAX or len(argv) > ARGUMENT_BYTES:
            raise LaunchError(f"COMMAND has {len(command.argv)} arguments of {len(argv)} bytes: "
                              f"{ARGUMENTS_MAX} of {ARGUMENT_BYTES} is the most")
        self.cpio.add("etc/baton", 0o40755)
        if command.stdin == "file":
            self.cpio.add("etc/baton/stdin", 0o100644, command.content)
            self.largest = max(self.largest, len(command.content))
        self.cpio.add("etc/baton/run", 0o100644, f"nonce={command.nonce}\nstdin={command.stdin}\n"
                                                 f"stdout={command.stdout}\n".encode())
        self.cpio.add("etc/baton/argv", 0o100644, argv)

    def finish(self) -> None:
        if self.cpio.number:
            self.cpio.finish()

    def check_memory(self, mib: int) -> None:
        """The guest gives back each part of the archive as soon as it has made a file of it."""
        size = self.base + self.cpio.size
        needed = -(-(size + self.largest + PAGE * len(self.names)) // (1 << 20)) + KERNEL_MIB
        if mib < needed:
            raise LaunchError(f"--mem {mib}: too little. Baton needs {needed} MiB here: {KERNEL_MIB} for itself, "
                              f"{size / (1 << 20):.1f} for the initramfs, and room to unpack it")
