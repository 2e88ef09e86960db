"""What tools/run appends to the initramfs: the files of --add, and what init needs to know.

The kernel panics at an archive that it cannot unpack, so nothing wrong gets as far as that.
"""
import os
import posixpath
import stat
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader

from launch.host import ROOT, LaunchError

ARGUMENTS_MAX, ARGUMENT_BYTES = 1023, 65535  # init.c: argv[], arguments[]
NAME_MAX, PATH_MAX = 255, 4095
MULTIBOOT = (0x1badb002).to_bytes(4, "little")
KERNEL_MIB = 3  # of memory: its image, tables and first allocations


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


def _read(path: str, room: int) -> bytes:
    """A regular file that the guest has room for; --add's error otherwise."""
    try:
        about = os.stat(path)
        if stat.S_ISDIR(about.st_mode):
            raise LaunchError(f"--add {path}: a folder; name its files one by one")
        if not stat.S_ISREG(about.st_mode):
            raise LaunchError(f"--add {path}: no regular file")
        with open(path, "rb") as f:
            if about.st_size > room:
                raise LaunchError(f"--add {path}: {about.st_size >> 20} MiB are more than the guest has "
                                  "room for; --mem gives it more")
            return f.read(room + 1)[:room]
    except OSError as error:
        raise LaunchError(f"--add {path}: {error.strerror}") from None


def _split(item: str) -> tuple[str, str]:
    """FILE[:PATH]: there may be colons in both; FILE is the longest one that exists."""
    at = len(item)
    while at > 0 and not os.path.exists(item[:at]):
        at = item.rfind(":", 0, at)
    path, _, wanted = (item[:at], "", item[at + 1:]) if at > 0 else item.partition(":")
    return path, wanted or "/bin/"


def check_images(kernel: str, initramfs: str) -> None:
    """Of a build that was cut short, by a full disk or ^C, or of something else under that name."""
    with open(kernel, "rb") as f:
        if MULTIBOOT not in f.read(8192):  # the specification, section 3.1
            raise LaunchError(f"{os.path.relpath(kernel)} is no kernel (no multiboot header): make clean, then make")
    with open(initramfs, "rb") as f:
        content = f.read()
    if not content.startswith(b"070701") or b"TRAILER!!!" not in content[-1024:]:
        raise LaunchError(f"{os.path.relpath(initramfs)} is no whole cpio archive (newc): make clean, then make")


class Archive:
    def __init__(self, base: bytes) -> None:
        mkinitrd = SourceFileLoader("mkinitrd", os.path.join(ROOT, "tools/mkinitrd")).load_module()
        self.cpio, self.names = mkinitrd.Cpio(), _entries(base)

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

    def add_file(self, item: str, room: int) -> None:
        """One --add FILE[:PATH]; a PATH that is a folder, or ends as one, is where FILE goes."""
        path, wanted = _split(item)
        name = posixpath.normpath("/" + wanted).lstrip("/")
        if wanted.endswith("/") or self.names.get(name, name == ""):
            name = posixpath.join(name, os.path.basename(path))
        if len(os.fsencode(name)) > PATH_MAX or \
                any(len(os.fsencode(part)) > NAME_MAX for part in name.split("/")):
            raise LaunchError(f"--add {path}: its name in the guest is too long")
        content = _read(path, room)
        self._parents(name, item)
        if self.names.get(name):
            raise LaunchError(f"--add {path}: /{name} is a folder in the guest")
        self.names[name] = False
        self.cpio.add(name, 0o100755, content)

    def add_command(self, command: Command) -> None:
        argv = b"".join(os.fsencode(argument) + b"\0" for argument in command.argv)
        if len(command.argv) > ARGUMENTS_MAX or len(argv) > ARGUMENT_BYTES:
            raise LaunchError(f"COMMAND has {len(command.argv)} arguments of {len(argv)} bytes: "
                              f"{ARGUMENTS_MAX} of {ARGUMENT_BYTES} is the most")
        self.cpio.add("etc/baton", 0o40755)
        if command.stdin == "file":
            self.cpio.add("etc/baton/stdin", 0o100644, command.content)
        self.cpio.add("etc/baton/run", 0o100644, f"nonce={command.nonce}\nstdin={command.stdin}\n"
                                                 f"stdout={command.stdout}\n".encode())
        self.cpio.add("etc/baton/argv", 0o100644, argv)

    def finish(self) -> bytes:
        return self.cpio.finish() if self.cpio.number else b""


def check_memory(mib: int, initramfs: int) -> None:
    """The guest holds the archive and the files made of it at the same time."""
    needed = -(-2 * initramfs // (1 << 20)) + KERNEL_MIB
    if mib < needed:
        raise LaunchError(f"--mem {mib}: too little. Baton needs {needed} MiB here: {KERNEL_MIB} for itself "
                          f"and twice the initramfs of {initramfs / (1 << 20):.1f}")
