"""`kcore`: the machine's memory as an ELF core with a thread a task, for any gdb, offline.

The file holds all RAM once, sparse, so that zero pages take no room. Several program headers lead
to it: the direct map, the kernel image, every kernel stack, and the user memory of one process,
for there can be but one at an address.
"""
import os

import gdb
from ktracelib import core as elf_core, format as trace_format

from . import memory, tasks, unwind
from .command import command
from .lines import show
from .memory import tree_items, variable
from .running import live

# struct user_regs_struct of Linux, sys/user.h
ORDER = ("r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx",
         "rsi", "rdi", "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds",
         "es", "fs", "gs")
PCI_HOLE_END = 1 << 32  # RAM above the hole for devices goes on here


def registers_of(task: gdb.Value) -> dict[str, int]:
    """A running task's are the CPU's; others are about to leave switch_to."""
    cpu = tasks.cpu_of(task)
    if cpu is None:
        registers = tasks.saved_registers(task)
        return registers | {"rip": memory.address_of("switch_end"), "rsp": registers["rsp"] - 8}
    before = gdb.selected_thread()
    for thread in gdb.selected_inferior().threads():
        if thread.ptid[1] == int(cpu["lapic_id"]) + 1:
            thread.switch()
    frame = gdb.newest_frame()
    found = {name: int(frame.read_register(name)) & (1 << 64) - 1
             for name in ORDER if name != "orig_rax"}
    before.switch()
    return found


def note(task: gdb.Value) -> bytes:
    registers = {"cs": 8, "ss": 16} | registers_of(task)
    return elf_core.note({i: registers[name] for i, name in enumerate(ORDER) if name in registers},
                         tasks.core_id(task))


def segments(shown: gdb.Value) -> list[tuple[int, int, int]]:
    """Virtual address, physical address and size of what the core maps beside the direct map."""
    ram = int(variable("boot_ram_end"))
    start, end = memory.address_of("kernel_text_start"), memory.address_of("kernel_end")
    found = [(start, start - memory.KERNEL_BASE, end - start)]
    root = memory.kernel_tables()
    for task in tasks.all_tasks():
        top = int(task["kernel_stack"])
        for page in range(top - tasks.KSTACK_SIZE, top, memory.PAGE) if top >= memory.KSTACK_BASE else ():
            place = memory.translate(root, page)
            if place is not None:
                found.append((page, place, memory.PAGE))
    if int(shown["mm"]):
        for vma in tree_items(shown["mm"]["vmas"]["node"], "struct vma", "node"):
            for page in range(int(vma["start"]), int(vma["end"]), memory.PAGE):
                place = memory.translate(memory.tables_of(shown["mm"]), page)
                if place is not None and place < ram:
                    found.append((page, place, memory.PAGE))
    return found


def save_memory(path: str) -> None:
    """QEMU writes the RAM to a file, without the hole below 4 GiB."""
    ram = int(variable("boot_ram_end"))
    low = ram
    if ram > PCI_HOLE_END:
        low = trace_format.low_memory(ram)
        gdb.execute(f'monitor pmemsave {PCI_HOLE_END} {ram - PCI_HOLE_END} "{path}.high"',
                    to_string=True)
    gdb.execute(f'monitor pmemsave 0 {low} "{path}"', to_string=True)
    if ram > PCI_HOLE_END:
        with open(path, "ab") as whole, open(path + ".high", "rb") as high:
            while piece := high.read(1 << 20):
                whole.write(piece)
        os.unlink(path + ".high")


@command("kcore FILE", gdb.COMPLETE_FILENAME)
def kcore(arguments: list[str]) -> None:
    """Write the machine's memory as a core file for gdb.

    In the core each task is a thread, by its tid; idle tasks are 1000000 and up.
    It has all RAM (sparse), the kernel, its stacks, and the user memory of the task
    looked at. `make gdb CORE=FILE` opens it with these commands; for a gdb without
    them, `gdb build/baton.elf FILE`, the file FILE.gdb names the threads."""
    live()
    path, shown = arguments[0], tasks.selected()
    found = [task for task in tasks.all_tasks() if int(task["kernel_stack"])]
    found.sort(key=lambda task: int(task.address) != int(shown.address))
    raw = os.path.abspath(path) + ".ram"
    save_memory(raw)
    try:
        elf_core.write(path, raw, b"".join(note(task) for task in found), segments(shown))
    finally:
        os.unlink(raw)
    write_names(path, found)
    used = os.stat(path).st_blocks // 2048
    show(f"{path}: {len(found)} tasks, memory of {tasks.label(shown)}, {used} MiB on disk")
    print(f"  make gdb CORE={path}\n"
          f"  gdb build/baton.elf {path} -x {path}.gdb")  # to copy, so it is not cut


def write_names(path: str, found: list[gdb.Value]) -> None:
    with open(path + ".gdb", "w") as f:
        for i, task in enumerate(found):
            f.write(f"thread apply {i + 1} -q thread name {tasks.name_of(task)}\n")


def opened() -> None:
    """gdb was started with a core: name its threads, and look at the first."""
    for thread in gdb.selected_inferior().threads():
        task = tasks.of_core_thread(thread)
        thread.name = tasks.name_of(task) if task is not None else "the machine"
    if tasks.of_core_thread() is not None:
        unwind.look_at(tasks.selected())
