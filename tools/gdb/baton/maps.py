"""Address spaces: `kmaps` and `kwalk`."""
import os

import gdb

from . import files, memory, tasks
from .command import command, number
from .lines import show
from .memory import at, flags_text, tree_items

TABLES = ("page table", "page directory", "pdpt", "pml4")
PAGE_SIZES = ("4 KiB", "2 MiB", "1 GiB")


@command("kmaps [TID]")
def kmaps(arguments: list[str]) -> None:
    """List the mappings of a task's user memory.

    Without TID, of the task looked at. Pages are present once they were used."""
    task = tasks.find(number(arguments[0], "a tid")) if arguments else tasks.selected()
    mm = task["mm"]
    if int(mm) == 0:
        raise gdb.GdbError(f"{tasks.label(task)} has no user memory: a kernel thread or a zombie")
    show(f"memory of {tasks.label(task)}: {int(mm['pages'])} pages mapped, "
         f"{int(mm['resident'])} present, CR3 0x{memory.tables_of(mm):x}")
    for vma in tree_items(mm["vmas"]["node"], "struct vma", "node"):
        start, end = int(vma["start"]), int(vma["end"])
        shared = "s" if int(vma["flags"]) & 1 else "p"
        show(f"  {start:012x}-{end:012x} {flags_text('rwx', int(vma['prot']))}{shared} "
             f"{(end - start) // 4096:6} pages  {what(mm, vma)}")


def what(mm: gdb.Value, vma: gdb.Value) -> str:
    start, end = int(vma["start"]), int(vma["end"])
    if int(vma["source"]):
        file = memory.file_of_static(int(vma["source"]["ops"]))
        if not file.endswith("/tmpfs.c"):
            return f"[{os.path.basename(file).removesuffix('.c')}]"  # shared, or the ring of ktrace
        inode = at(int(vma["source"]), "struct tmpfs_source")["inode"]
        return files.path_of(inode.dereference()) + f" from page {int(vma['offset'])}"
    layout = mm["layout"]
    if start <= int(layout["stack_start"]) < end:
        return "[stack]"
    return "[heap]" if end > int(layout["brk_start"]) and start <= int(layout["brk"]) else ""


@command("kwalk ADDRESS [TID]")
def kwalk(arguments: list[str]) -> None:
    """Show the page table entries behind an address.

    Four levels of tables, the flags of each entry and the physical place that it
    leads to, and whether the user and the kernel may read, write and execute there;
    a right needs all levels. Without TID, in the memory of the task looked at."""
    address = number(arguments[0], "an address") & (1 << 64) - 1
    task = tasks.find(number(arguments[1], "a tid")) if len(arguments) > 1 else tasks.selected()
    mm = task["mm"]
    root = memory.tables_of(mm) if int(mm) else memory.kernel_tables()
    show(f"0x{address:x} in the page tables of {tasks.label(task)}")
    show(f"  CR3 {'':41} -> table at 0x{root:x}")
    write = user = True
    execute = True
    for level, index, entry in memory.walk(root, address):
        if not entry & memory.PRESENT:
            show(f"  {TABLES[level]:14} [{index:3}]  not present (0x{entry:x})")
            show(f"PROT_NONE hides the page at physical 0x{entry & memory.ADDRESS:x}: a fault is SIGSEGV"
                 if entry else "nobody can use it: a page fault comes first")
            return
        write, user = write and bool(entry & memory.WRITE), user and bool(entry & memory.USER)
        execute = execute and not entry & memory.NX
        leaf = level == 0 or bool(entry & memory.LARGE)
        to = f"page, {PAGE_SIZES[level]}" if leaf else "table"
        show(f"  {TABLES[level]:14} [{index:3}]  {entry_flags(entry)}  -> {to} at "
             f"0x{entry & memory.ADDRESS & (-(4096 << 9 * level) if leaf else -4096):x}")
    show(f"physical 0x{memory.translate(root, address):x}")
    rights = "r" + ("w" if write else "-") + ("x" if execute else "-")
    show(f"user: {rights if user else 'nothing'}; kernel: {rights if not user else rights[:2] + '-'}"
         + (", where SMAP is off or stac was done" if user else ""))


def entry_flags(entry: int) -> str:
    names = ((1, "P"), (2, "W"), (4, "U"), (8, "WT"), (16, "CD"), (32, "A"), (64, "D"),
             (256, "G"), (memory.NX, "NX"))
    return " ".join(name if entry & bit else "-" * len(name) for bit, name in names)
