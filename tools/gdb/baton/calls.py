"""System calls as they come: `ksyscall`."""
import os
import re

import gdb

from . import memory, programs, tasks
from .command import Usage, command
from .lines import columns, show, width
from .running import Point, live, register, run_to

ARGUMENTS = ("rdi", "rsi", "rdx", "r10", "r8", "r9")
NEVER_RETURN = ("exit", "exit_group", "rt_sigreturn")


def names() -> dict[int, str]:
    with open(os.path.join(programs.ROOT, "kernel/syscall/calls.h")) as f:
        return {int(n): name for n, name in re.findall(r"^    SYSCALL\((\d+), (\w+),", f.read(), re.M)}


class AtCall(Point):
    """The entry of a call with this number, or of any."""

    def __init__(self, place: int, number: int | None) -> None:
        super().__init__(place)
        self.call = number

    def wanted(self) -> bool:
        return self.call is None or register("rax") == self.call


class AtReturn(Point):
    """A task's return from its call."""

    def __init__(self, place: int, task: int) -> None:
        super().__init__(place)
        self.caller = task

    def wanted(self) -> bool:
        return int(tasks.current().address) == self.caller


def decode(task: gdb.Value, number: int, known: dict[int, str]) -> list[str]:
    """The call with its arguments; then with less and less of strings, where a line is short."""
    name = known.get(number)
    if name is None:
        return [f"system call {number}, which this kernel does not have"]
    function = gdb.lookup_global_symbol(f"sys_{name}")
    fields = function.type.fields() if function else []
    values = [register(argument) for argument in ARGUMENTS[:len(fields)]]
    return [f"{name}({', '.join(argument(task, f.type, v, most) for f, v in zip(fields, values))})"
            for most in (40, 20, 10, 0)]


def argument(task: gdb.Value, kind: gdb.Type, value: int, most: int) -> str:
    kind = kind.strip_typedefs()
    if kind.code == gdb.TYPE_CODE_PTR:
        target = kind.target()
        if "const" in str(target) and target.unqualified().sizeof == 1 and value:
            return memory.user_string(task["mm"], value, most)
        return f"0x{value:x}" if value else "NULL"
    signed = value - (1 << 64) if value >> 63 else value
    if kind.sizeof == 4:
        signed = (value & 0xffffffff) - ((value & 0x80000000) << 1)
    return str(signed) if abs(signed) < 1 << 20 else f"0x{value:x}"


def result(value: int) -> str:
    signed = value - (1 << 64) if value >> 63 else value
    if -4096 < signed < 0:
        return f"{signed} ({error_name(-signed)})"
    return str(signed) if abs(signed) < 1 << 20 else f"0x{value:x}"


def error_name(number: int) -> str:
    with open(os.path.join(programs.ROOT, "kernel/lib/errno.h")) as f:
        found = re.search(rf"(E[A-Z0-9]+) = {number}\b", f.read())
    return found[1] if found else "?"


@command("ksyscall [-r] [NAME]")
def ksyscall(arguments: list[str]) -> None:
    """Run to the next system call, and show it with its arguments.

    The machine stops at syscall_entry, the first instruction in the kernel. -r: run
    on to its return and show the result; the machine stops where the result is
    about to be given back."""
    live()
    known, to_return = names(), "-r" in arguments
    wanted = [a for a in arguments if a != "-r"]
    number = next((n for n, name in known.items() if wanted and name == wanted[0]), None)
    if len(wanted) > 1:
        raise Usage
    if wanted and number is None:
        raise gdb.GdbError(f"{wanted[0]}: no such system call in kernel/syscall/calls.h")
    place = memory.address_of("syscall_entry")
    run_to(AtCall(place, number), place, "such a call")
    task, number = tasks.current(), register("rax")
    texts = [f"{tasks.label(task)}: {text}" for text in decode(task, number, known)]
    if not to_return or known.get(number) in NEVER_RETURN:
        show_first_that_fits(texts, ", which does not return" if to_return else "")
        return
    place = memory.address_of("syscall_entry.done")
    run_to(AtReturn(place, int(task.address)), place, f"the end of {texts[0]}")
    show_first_that_fits(texts, f" = {result(register('rax'))}")


def show_first_that_fits(texts: list[str], behind: str) -> None:
    fitting = [text for text in texts if columns(text + behind) <= width()]
    show([*fitting, texts[-1]][0] + behind)
