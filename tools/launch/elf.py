"""What an ELF file says about itself: its interpreter and the libraries it needs (gabi, chapter 5)."""
import mmap
import os
import stat
import struct
from dataclasses import dataclass, field

LOAD, DYNAMIC, INTERP = 1, 2, 3  # p_type
NEEDED, STRTAB, RPATH, RUNPATH = 1, 5, 15, 29  # d_tag
X86_64 = 62
MACHINES = {3: "i386", 40: "ARM", X86_64: "x86-64", 183: "ARM", 243: "RISC-V"}
OTHER_KINDS = {b"MZ": "Windows", b"\xcf\xfa\xed\xfe": "macOS"}
HEADERS_MAX, TAGS_MAX = 1170, 4096


@dataclass
class Elf:
    interpreter: str = ""
    needed: list[str] = field(default_factory=list)
    rpath: str = ""
    runpath: str = ""


def read(path: str) -> Elf | None:
    """None: it is none for this machine, or it is damaged."""
    try:
        with open(path, "rb") as f:
            if not stat.S_ISREG(os.fstat(f.fileno()).st_mode) or f.read(6) != b"\177ELF\2\1":
                return None
            with mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _read(data)
    except (OSError, struct.error, ValueError, OverflowError):
        return None


def foreign(path: str) -> str:
    """For what it was compiled, if that is not this machine; "": it is no program, or one for it."""
    with open(path, "rb") as f:
        head = f.read(20)
    if not head.startswith(b"\177ELF") or len(head) < 20:
        return next((system for magic, system in OTHER_KINDS.items() if head.startswith(magic)), "")
    machine, bits = struct.unpack("<H", head[18:])[0], 64 if head[4] == 2 else 32
    return "" if (machine, bits) == (X86_64, 64) else f"{MACHINES.get(machine, 'another machine')}, {bits} bits"


def _read(data: mmap.mmap) -> Elf | None:
    machine, = struct.unpack_from("<H", data, 18)
    phoff, = struct.unpack_from("<Q", data, 32)
    phentsize, phnum = struct.unpack_from("<HH", data, 54)
    if machine != X86_64 or phentsize != 56 or phnum > HEADERS_MAX:
        return None
    # type, offset, address, size in the file
    headers = [(p[0], p[2], p[3], p[5]) for p in struct.iter_unpack("<IIQQQQQQ", data[phoff:phoff + 56 * phnum])]
    elf = Elf()
    for kind, offset, _, size in headers:
        if kind == INTERP:
            elf.interpreter = os.fsdecode(data[offset:offset + size].split(b"\0")[0])
        elif kind == DYNAMIC:
            size = min(size, 16 * TAGS_MAX) // 16 * 16
            _read_dynamic(elf, data, headers, data[offset:offset + size])
    return elf


def _read_dynamic(elf: Elf, data: mmap.mmap, headers: list, section: bytes) -> None:
    tags = list(struct.iter_unpack("<QQ", section))
    address = next((value for tag, value in tags if tag == STRTAB), 0)
    strings = next((address - start + offset for kind, offset, start, size in headers
                    if kind == LOAD and start <= address < start + size), len(data))

    def text(at: int) -> str:
        end = data.find(b"\0", strings + at, strings + at + 4096)
        return os.fsdecode(data[strings + at:max(end, 0)])

    for tag, value in tags:
        if tag == NEEDED:
            elf.needed.append(text(value))
        elif tag == RPATH:
            elf.rpath = text(value)
        elif tag == RUNPATH:
            elf.runpath = text(value)
