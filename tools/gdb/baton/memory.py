"""Read the kernel: variables, lists, trees; physical memory; any task's user memory.

User memory is read by walking page tables through the direct map, so it does not matter whose
tables a CPU has loaded.
"""
import locale
import struct
from typing import Callable, Iterator

import gdb
from ktracelib.untrusted import printable

from .lines import show

PAGE = 4096
DIRECT_MAP = 0xffff888000000000  # arch/paging.h, where they are macros
KERNEL_BASE = 0xffffffff80000000
KSTACK_BASE = 0xffffc90000000000
USER_TOP = 0x7ffffffff000
ADDRESS = 0x000ffffffffff000
PRESENT, WRITE, USER, LARGE, NX = 1, 2, 4, 0x80, 1 << 63


def variable(name: str) -> gdb.Value:
    """A global of the kernel, or a file's own: "mm/kmalloc.c:name". Without a machine gdb would take
    what the kernel's file has there."""
    if gdb.selected_thread() is None:
        raise gdb.GdbError("nothing to look at: `make gdb`, or give gdb a core that kcore wrote")
    file, _, symbol = name.rpartition(":")
    return gdb.parse_and_eval(f"'kernel/{file}'::{symbol}" if file else symbol)


def address_of(label: str) -> int:
    """Where a label of the assembly is."""
    return int(gdb.parse_and_eval(f"(unsigned long)&'{label}'"))


def pointer_to(name: str) -> gdb.Type:
    return gdb.lookup_type(name).pointer()


def at(address: int, name: str) -> gdb.Value:
    """The object of type `name` that is at an address."""
    return gdb.Value(address).cast(pointer_to(name)).dereference()


def container_of(pointer: gdb.Value, name: str, member: str) -> gdb.Value:
    """The `name` whose member a pointer points to."""
    offset = next(f.bitpos // 8 for f in gdb.lookup_type(name).fields() if f.name == member)
    return at(int(pointer) - offset, name)


def text(value: gdb.Value) -> str:
    """A string of the guest's, for a terminal that is not to obey it, and may not have all letters:
    programs and coroutines have any bytes for a name."""
    return line_of(value.string("latin-1").encode("latin-1"))


def line_of(data: bytes) -> str:
    charset = locale.nl_langinfo(locale.CODESET)
    return printable(data.decode(errors="replace")).encode(charset, "backslashreplace").decode(charset)


def damaged(what: str, node: int) -> None:
    """Say so, once until the next prompt: a command goes through the same list again and again."""
    if (what, node) not in told:
        told.add((what, node))
        show(f"(damaged: {what} at 0x{node:x}; what is behind it is not shown)")


told: set[tuple[str, int]] = set()
gdb.events.before_prompt.connect(told.clear)


def list_items(head: gdb.Value, name: str, member: str) -> Iterator[gdb.Value]:
    node, seen = head["next"], {0, int(head.address)}
    try:
        while int(node) not in seen:
            seen.add(int(node))
            after = node.dereference()["next"]
            int(after)  # reads it: an item that is not there is not shown
            yield container_of(node, name, member)
            node = after
    except gdb.MemoryError:
        damaged("a list leads to no memory", int(node))
        return
    if int(node) != int(head.address):
        damaged("a list runs in a circle" if int(node) else "a list has no end", int(node))


def tree_items(node: gdb.Value, name: str, member: str) -> Iterator[gdb.Value]:
    """In order."""
    above: list[gdb.Value] = []
    seen: set[int] = set()
    try:
        while True:
            while int(node) and int(node) not in seen:
                seen.add(int(node))
                above.append(node)
                node = node["left"]
            if int(node):
                damaged("a tree leads back to a node", int(node))
            if not above:
                return
            item = above.pop()
            yield container_of(item, name, member)
            node = item["right"]
    except gdb.MemoryError:
        damaged("a tree leads to no memory", int(node))


def read(address: int, size: int) -> bytes:
    return bytes(gdb.selected_inferior().read_memory(address, size))


def read_physical(address: int, size: int) -> bytes:
    return read(DIRECT_MAP + address, size)


def physical_of(address: int) -> int:
    """Of the kernel's memory, or of the current address space's."""
    if address >= KERNEL_BASE:
        return address - KERNEL_BASE
    if DIRECT_MAP <= address < KSTACK_BASE:
        return address - DIRECT_MAP
    root = kernel_tables() if address >= USER_TOP else loaded_tables()
    found = translate(root, address)
    if found is None:
        raise gdb.GdbError(f"0x{address:x} is not mapped")
    return found


def kernel_tables() -> int:
    return int(variable("paging_kernel_pml4")) - DIRECT_MAP


def loaded_tables() -> int:
    from . import tasks  # tasks needs this module
    mm = tasks.selected()["mm"]
    return tables_of(mm) if int(mm) else kernel_tables()


def tables_of(mm: gdb.Value) -> int:
    return int(mm["pml4"]) - DIRECT_MAP


def walk(root: int, address: int) -> Iterator[tuple[int, int, int]]:
    """Level (3: the pml4), the entry's index and its value; ends with the page's, or absent."""
    table = root
    for level in (3, 2, 1, 0):
        index = address >> (12 + 9 * level) & 511
        entry, = struct.unpack("<Q", read_physical(table + index * 8, 8))
        yield level, index, entry
        if not entry & PRESENT or (entry & LARGE and level):
            return
        table = entry & ADDRESS


def translate(root: int, address: int) -> int | None:
    level, _, entry = list(walk(root, address))[-1]
    if not entry & PRESENT:
        return None
    size = 1 << (12 + 9 * level)
    return (entry & ADDRESS & -size) + address % size


def read_user(mm: gdb.Value, address: int, size: int) -> bytes:
    """From a task's user memory; raises gdb.MemoryError where it is not present."""
    data = b""
    while len(data) < size:
        place = address + len(data)
        part = min(size - len(data), PAGE - place % PAGE)
        found = translate(tables_of(mm), place) if 0 <= place < USER_TOP else None
        if found is None:
            raise gdb.MemoryError(f"user memory at 0x{place:x} is not present")
        data += read_physical(found, part)
    return data


def user_string(mm: gdb.Value, address: int, most: int = 40) -> str:
    """As C has it between quotes, cut after `most` bytes; the address where it cannot be read."""
    data = b""
    try:
        while b"\0" not in data and len(data) <= most:
            data += read_user(mm, address + len(data), 1)
    except gdb.MemoryError:
        if not data:
            return f"0x{address:x}"
    text = data.split(b"\0")[0]
    return '"' + escape(text[:most]) + '"' + ("..." if len(text) > most else "")


def escape(data: bytes) -> str:
    names = {10: "\\n", 13: "\\r", 9: "\\t", 27: "\\e", 34: '\\"', 92: "\\\\"}
    return "".join(names.get(c) or (chr(c) if 32 <= c < 127 else f"\\{c:o}") for c in data)


def symbol_at(address: int) -> str:
    """The symbol there and what is added to it, or the address."""
    text = gdb.execute(f"info symbol 0x{address:x}", to_string=True).split(" in section")[0].strip()
    return f"0x{address:x}" if text.startswith("No symbol") else text.replace(" + ", "+")


def file_of_static(address: int) -> str:
    """The file whose static variable is there: several have one of the same name. "" for none."""
    found = [symbol.symtab.filename for symbol in gdb.lookup_static_symbols(symbol_at(address))
             if int(symbol.value().address) == address]
    return found[0] if found else ""


def flags_text(flags: str, value: int, bits: Callable[[int], bool] | None = None) -> str:
    """Letters for the bits that are set, lowest first; `-` for the others."""
    return "".join(letter if value >> i & 1 else "-" for i, letter in enumerate(flags))
