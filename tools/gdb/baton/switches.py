"""`kswitch`: run to the next switch, and show both sides of it.

The three stages are labels: before the stack changes, right after, and with all registers loaded.
Of the kernel they are in kernel/sched/switch.asm, of the coroutine library in user/ulib/co.
"""
from typing import NamedTuple

import gdb

from . import coroutines, memory, programs, tasks
from .command import Usage, command
from .lines import pad, show
from .memory import at
from .running import Point, go_to, live, register, run_to

KINDS = ("any", "process", "thread", "coroutine")
KERNEL = ("switch_begin", "switch_swapped", "switch_end")
USER = ("co_switch", "co_swapped", "co_swapped.popped")
SAVED = ("rbp", "rbx", "r12", "r13", "r14", "r15")


class Side(NamedTuple):
    """One of the two that change places."""

    name: str
    registers: dict[str, int]


class TablesLoaded(Point):
    """Remembers what schedule() has replaced: it loads page tables before it switches stacks. (Who ends
    or executes another program loads some, too; those are no part of a switch.)"""

    def __init__(self) -> None:
        super().__init__("mm_switch")
        self.before: dict[int, int] = {}  # by CPU: the mm; 0: the kernel's own tables

    def wanted(self) -> bool:
        caller = gdb.newest_frame().older()
        while caller and caller.name() != "schedule" and caller.type() == gdb.INLINE_FRAME:
            caller = caller.older()
        if caller and caller.name() == "schedule":
            cpu = tasks.selected_cpu()
            self.before[int(cpu["id"])] = int(cpu["active_mm"])
        return False


class AtSwitch(Point):
    """Where a switch of the wanted kind begins."""

    def __init__(self, kind: str, tables: TablesLoaded) -> None:
        super().__init__("*switch_begin")
        self.kind, self.tables = kind, tables

    def wanted(self) -> bool:
        found = kind_of(at(register("rdi"), "struct task"), at(register("rsi"), "struct task"),
                        self.tables)
        if self.kind in ("any", found):
            return True
        self.tables.before.pop(int(tasks.selected_cpu()["id"]), None)
        return False


class InProgram(Point):
    """Stops in the program whose symbols are loaded: others use the same addresses."""

    def wanted(self) -> bool:
        task = tasks.current()
        return programs.has_program(task) and programs.path_for(task) == programs.loaded


def kind_of(prev: gdb.Value, after: gdb.Value, tables: TablesLoaded) -> str:
    """process: other page tables; thread: the same ones; kernel: from or to a kernel thread."""
    if int(tasks.selected_cpu()["id"]) in tables.before:
        return "process"
    if int(prev["mm"]) and int(prev["mm"]) == int(after["mm"]):
        return "thread"
    return "kernel"


def stack_owner(rsp: int) -> str:
    for task in tasks.all_tasks():
        if int(task["kernel_stack"]) - tasks.KSTACK_SIZE < rsp <= int(task["kernel_stack"]):
            return tasks.label(task)
    return "the boot"


def kernel_switch(kind: str, only_before: bool) -> None:
    tables = TablesLoaded()
    try:
        run_to(AtSwitch(kind, tables), memory.address_of("switch_begin"), "such a switch")
    finally:
        if tables.is_valid():
            tables.delete()
    prev, after = (at(register(name), "struct task") for name in ("rdi", "rsi"))
    cpu = int(tasks.selected_cpu()["id"])
    found = kind_of(prev, after, tables)
    title = "kernel thread switch" if found == "kernel" else f"{found} switch"
    show(f"{title} on CPU {cpu}: {tasks.label(prev)} -> {tasks.label(after)}")
    show(f"{tasks.label(prev)} is {left_because(prev)}; " + tables_text(tables, cpu, after))
    show_stages(Side(tasks.label(prev), leaving()), entering(after), KERNEL, only_before, stack_owner)


def leaving() -> dict[str, int]:
    """What is about to be saved; at the first instruction the return address is on top."""
    registers = {name: register(name) for name in SAVED}
    return registers | {"rip": int(at(register("rsp"), "unsigned long"))}


def entering(task: gdb.Value) -> Side:
    return Side(tasks.label(task), tasks.saved_registers(task))


def left_because(task: gdb.Value) -> str:
    if int(task["state"]) == 0:
        return "idle" if int(task["tid"]) == 0 else "ready to run on"
    reason = tasks.reason_text(task)
    return tasks.STATES[int(task["state"])] + (f" ({reason})" if reason else "")


def tables_text(tables: TablesLoaded, cpu: int, after: gdb.Value) -> str:
    before = tables.before.get(cpu)
    if before is None:
        return "CR3 does not change"
    old = memory.tables_of(at(before, "struct mm")) if before else memory.kernel_tables()
    return f"CR3 0x{old:x} -> 0x{memory.tables_of(after['mm']):x}"


def show_stages(old: Side, new: Side, labels: tuple[str, ...], only_before: bool, owner) -> None:
    show(f"  {'':8} {pad('saved: ' + old.name, 31)} loaded: {new.name}")
    for name in SAVED:
        show(f"  {name:8} {old.registers[name]:016x}{'':15} {new.registers[name]:016x}")
    back = [memory.symbol_at(side.registers["rip"]) for side in (old, new)]
    show(f"  {'goes on':8} {pad(back[0], 31)} {back[1]}")
    stages = list(zip(("before", "at", "after"), labels))
    for stage, label in stages[:1] if only_before else stages:
        place = memory.address_of(label)
        if register("rip") != place:
            go_to(place, label)
        rsp = register("rsp")
        show(f"  {stage:8} {label:17} rsp {rsp:016x}, stack of {owner(rsp)}")


def coroutine_switch(only_before: bool) -> None:
    if not gdb.lookup_global_symbol("co_registry"):
        run_to_coroutines()
    place = memory.address_of("co_switch")
    run_to(InProgram(place), place, "such a switch")
    task = tasks.current()
    names = [coroutines.name_at(task, register(name)) for name in ("rdi", "rsi")]
    show(f"coroutine switch in {tasks.label(task)}: {names[0]} -> {names[1]}")
    show("CR3 does not change, the kernel does not take part, and its task is the same")
    new = coroutines.saved_registers(task, coroutines.saved_rsp(task, register("rsi")))
    show_stages(Side(names[0], leaving()), Side(names[1], new), USER, only_before,
                lambda rsp: coroutines.stack_owner(task, rsp))


def run_to_coroutines() -> None:
    """Run on, from program to program, to one that has the coroutine library."""
    while not gdb.lookup_global_symbol("co_registry"):
        programs.run_to_next()


@command("kswitch [-b] [KIND]")
def kswitch(arguments: list[str]) -> None:
    """Run to the next context switch and show both sides.

    KIND: process (page tables change), thread (of one process), coroutine (of one
    thread), any. Shows what is saved and what is loaded, and rsp at three places:
    before anything is saved, at the instruction after the change of stacks, and
    after all is loaded, where the machine then stops. -b: stop before, to step
    through it with stepi."""
    live()
    kinds = [a for a in arguments if a != "-b"] or ["any"]
    if len(kinds) > 1:
        raise Usage
    if kinds[0] not in KINDS:
        raise gdb.GdbError(f"{kinds[0]}: no kind of switch; {', '.join(KINDS)} are")
    if kinds[0] == "coroutine":
        coroutine_switch("-b" in arguments)
    else:
        kernel_switch(kinds[0], "-b" in arguments)
