"""An ELF core of a guest, from its memory: for stock gdb. (Of a live one: kcore of tools/gdb.)

That of a guest that has ended has the direct map, the kernel image and every mapped page of the kernel stacks, and one
thread: where the kernel left the machine (the symbol exit_registers), which for a panic leads to
its cause. The memory is written with holes where the guest's is zero.
"""
import itertools
import os
import struct
from typing import BinaryIO, Iterator

from . import format as fmt

DIRECT_MAP, KSTACKS = 0xffff888000000000, 0xffffc90000000000
IMAGE_MAX = 64 << 20  # of the kernel image, from KERNEL_BASE on
PRESENT, LARGE, ADDRESS = 1, 0x80, 0x000ffffffffff000
PT_LOAD, PT_NOTE, NT_PRSTATUS = 1, 4, 1
PAGE = 4096
REGISTERS = 27  # of user_regs_struct: r15 r14 r13 r12 rbp rbx r11 ... rip cs rflags rsp ss ...
RBP, RIP, RSP = 4, 16, 19
TABLES_MAX, PIECES_MAX = 4096, 60000  # page tables that are read, pages of stacks in a core
THE_END = 3000000  # the number of write_core's thread: no task's tid


def _kernel_stacks(read: fmt.Read, pml4: int) -> Iterator[tuple[int, int]]:
    """(virtual, physical) of every page mapped under the page map entry of the stacks. A guest may
    have spoiled its tables, so that there is no end to it: the caller takes no more than it can use."""
    tables = iter(range(TABLES_MAX))

    def walk(table: int, level: int, base: int) -> Iterator[tuple[int, int]]:
        if next(tables, None) is None:
            return
        for index, (entry,) in enumerate(struct.iter_unpack("<Q", read(table, PAGE))):
            address = base + (index << 12 + 9 * level)
            if not entry & PRESENT:
                continue
            if level == 0:
                yield address, entry & ADDRESS
            elif not entry & LARGE:
                yield from walk(entry & ADDRESS, level - 1, address)

    top = struct.unpack("<Q", read(pml4 + 8 * (KSTACKS >> 39 & 511), 8))[0]
    if top & PRESENT:
        yield from walk(top & ADDRESS, 2, KSTACKS)


def _is_memory(physical: int, size: int) -> bool:
    """Does the page lie in `size` bytes of memory, below the hole or above it?"""
    low = fmt.low_memory(size)
    return physical + PAGE <= (low if physical < low else size - low + (1 << 32)) and \
        not low <= physical < 1 << 32


def note(registers: dict[int, int], thread: int) -> bytes:
    """A thread; registers by their index in user_regs_struct."""
    values = [registers.get(i, 0) for i in range(REGISTERS)]
    status = bytearray(336)  # struct elf_prstatus; pr_pid at 32, pr_reg at 112
    struct.pack_into("<i", status, 32, thread)
    struct.pack_into(f"<{REGISTERS}Q", status, 112, *values)
    return struct.pack("<III", 5, len(status), NT_PRSTATUS) + b"CORE\0\0\0\0" + status


def _copy(memory: str, to: BinaryIO, at: int) -> None:
    """With holes: what is zero is not written."""
    zero = bytes(1 << 16)
    with open(memory, "rb") as source:
        while piece := source.read(len(zero)):
            if piece != zero[:len(piece)]:
                to.seek(at)
                to.write(piece)
            at += len(piece)
    to.truncate(at)


def write(path: str, memory: str, notes: bytes, pieces: list[tuple[int, int, int]]) -> None:
    """The core: all of the memory once, and `pieces` of it (virtual, physical, size) mapped, with
    the direct map."""
    size = os.path.getsize(memory)
    low = fmt.low_memory(size)
    pieces = [(DIRECT_MAP, 0, low)] + pieces
    if size > low:
        pieces.append((DIRECT_MAP + (1 << 32), 1 << 32, size - low))
    headers = 64 + 56 * (len(pieces) + 1)
    memory_at = (headers + len(notes) + PAGE - 1) // PAGE * PAGE
    with open(path, "wb") as f:
        f.write(struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 4, 62, 1, 0, 64, 0, 0, 64, 56,
                            len(pieces) + 1, 0, 0, 0))  # at most 65535: PIECES_MAX
        f.write(struct.pack("<IIQQQQQQ", PT_NOTE, 4, headers, 0, 0, len(notes), 0, 4))
        for virtual, physical, length in pieces:
            offset = physical if physical < low else physical - (1 << 32) + low
            f.write(struct.pack("<IIQQQQQQ", PT_LOAD, 7, memory_at + offset, virtual, physical,
                                length, length, PAGE))
        f.write(notes)
        _copy(memory, f, memory_at)


def write_core(memory: str, kernel: str, path: str) -> None:
    with fmt.memory_reader(memory) as read:
        end, pieces = _contents(fmt.Elf(kernel), read, os.path.getsize(memory))
    write(path, memory, end, pieces)


def _contents(elf: fmt.Elf, read: fmt.Read, size: int) -> tuple[bytes, list[tuple[int, int, int]]]:
    """The note with the registers, and the pieces, as write() takes them."""
    def word(address: int) -> int:
        return struct.unpack("<Q", read(address, 8))[0]

    at = elf.symbol("exit_registers") - fmt.KERNEL_BASE
    end = note({RIP: word(at), RSP: word(at + 8), RBP: word(at + 16)}, THE_END)
    pml4 = word(elf.symbol("paging_kernel_pml4") - fmt.KERNEL_BASE) - DIRECT_MAP
    pieces = [(fmt.KERNEL_BASE, 0, min(fmt.low_memory(size), IMAGE_MAX))]
    if 0 < pml4 < size:
        stacks = itertools.islice(_kernel_stacks(read, pml4), PIECES_MAX)
        pieces += [(virtual, physical, PAGE) for virtual, physical in stacks
                   if _is_memory(physical, size)]
    return end, pieces
