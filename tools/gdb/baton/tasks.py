"""Tasks: which there are, where each one is, and `info ktasks`."""
from typing import Iterator

import gdb

from . import memory
from .command import command
from .lines import table
from .memory import at, list_items, pointer_to, variable

STATES = ("running", "sleeping", "blocked", "stopped", "zombie")
KSTACK_SIZE = 16384  # mm/kstack.h, where it is a macro
CALLEE_SAVED = ("r15", "r14", "r13", "r12", "rbx", "rbp", "rip")  # switch.asm, from rsp upwards


def on_core() -> bool:
    """Is this a core that kcore wrote? There each thread of gdb is a task."""
    connection = gdb.selected_inferior().connection
    return connection is not None and connection.type == "core"


def cpus() -> Iterator[gdb.Value]:
    for i in range(int(variable("cpu_count"))):
        yield variable("cpus")[i]


def selected_cpu() -> gdb.Value:
    """The CPU that is gdb's selected thread."""
    list(cpus())  # is there a machine?
    thread = gdb.selected_thread()
    if on_core():
        for cpu in cpus():
            if core_id(cpu["current_task"].dereference()) == thread.ptid[1]:
                return cpu
        return variable("cpus")[0]
    for cpu in cpus():
        if int(cpu["lapic_id"]) == thread.ptid[1] - 1:
            return cpu
    raise gdb.GdbError("the kernel has not started this CPU yet")


def current_of(cpu: gdb.Value) -> gdb.Value:
    task = cpu["current_task"]
    if int(task) == 0:
        raise gdb.GdbError("no task yet: the kernel has not got to sched_init")
    return task.dereference()


def current() -> gdb.Value:
    return current_of(selected_cpu())


def all_tasks() -> list[gdb.Value]:
    """The idle task of each CPU, then all others by tid."""
    idle = [cpu["idle"].dereference() for cpu in cpus() if int(cpu["idle"])]
    if not idle:
        raise gdb.GdbError("no task yet: the kernel has not got to sched_init")
    others = list_items(variable("all_tasks"), "struct task", "in_all")
    return idle + sorted(others, key=lambda task: int(task["tid"]))


def find(tid: int) -> gdb.Value:
    for task in all_tasks():
        if int(task["tid"]) == tid and (tid or int(task["cpu"]) == 0):
            return task
    raise gdb.GdbError(f"no task has the tid {tid}: `info ktasks`")


def selected() -> gdb.Value:
    """The task whose view is chosen, or the one that runs on the selected CPU."""
    from . import unwind  # unwind needs this module
    task = unwind.viewed() or (of_core_thread() if on_core() else None)
    return task if task is not None else current()


def of_core_thread(thread: gdb.InferiorThread | None = None) -> gdb.Value | None:
    """None: it stands for the machine, in a core of one that has ended (tools/run)."""
    number = (thread or gdb.selected_thread()).ptid[1]
    return next((task for task in all_tasks() if core_id(task) == number), None)


def core_has_memory_of(task: gdb.Value) -> bool:
    """kcore writes the task first whose user memory is in the core."""
    first = of_core_thread(min(gdb.selected_inferior().threads(), key=lambda thread: thread.num))
    return first is not None and int(first["mm"]) == int(task["mm"])


def core_id(task: gdb.Value) -> int:
    """The thread's number in a core: the tid, and for idle tasks one that no tid can be."""
    return int(task["tid"]) or 1000000 + int(task["cpu"])


def name_of(task: gdb.Value) -> str:
    return memory.text(task["name"])


def label(task: gdb.Value) -> str:
    return f"{name_of(task)} ({int(task['tid'])})"


def cpu_of(task: gdb.Value) -> gdb.Value | None:
    """The CPU that runs it."""
    for cpu in cpus():
        if int(cpu["current_task"]) == int(task.address):
            return cpu
    return None


def group_id(task: gdb.Value) -> int:
    return int(task["group"]["pid"]) if int(task["group"]) else 0


def state_text(task: gdb.Value) -> str:
    if int(task["state"]) == 0:
        idle = "idle" if int(task["tid"]) == 0 else "ready"
        return "running" if cpu_of(task) is not None else idle
    return STATES[int(task["state"])]


def reason_text(task: gdb.Value) -> str:
    reason = int(task["reason"])
    return variable("wait_reason_names")[reason].string() if reason else ""


def saved_registers(task: gdb.Value) -> dict[str, int]:
    """Of a task that is not running: as they will be when switch_to returns to it."""
    stack = int(task["rsp"])
    words = memory.at(stack, "uint64_t").address
    registers = {name: int(words[i]) for i, name in enumerate(CALLEE_SAVED)}
    registers["rsp"] = stack + 8 * len(CALLEE_SAVED)
    return registers


def sleeps_in(task: gdb.Value) -> str:
    """The function that waits: the innermost one that is not about scheduling and waiting itself.
    By the kernel's frame pointers."""
    registers = saved_registers(task)
    pc, frame, top = registers["rip"], registers["rbp"], int(task["kernel_stack"])
    for _ in range(8):
        place = gdb.find_pc_line(pc - 1)
        name = place.symtab.filename if place.symtab else ""
        if not name.endswith(("sched/core.c", "sched/wait.c", "sched/switch.asm")):
            break
        if not top - KSTACK_SIZE < frame < top:
            break
        pc, frame = (int(memory.at(frame + 8 * i, "uint64_t")) for i in (1, 0))
    return memory.symbol_at(pc)


def user_frame(task: gdb.Value) -> gdb.Value | None:
    """Its entry from user mode, at the top of its kernel stack; None for a kernel thread."""
    if int(task["mm"]) == 0 or int(task["kernel_stack"]) == 0:
        return None
    size = gdb.lookup_type("struct trap_frame").sizeof
    return at(int(task["kernel_stack"]) - size, "struct trap_frame")


def now() -> int:
    """The kernel's clock in ns, as of the last time that a task was put on a CPU."""
    return max((int(task["exec_start"]) for task in all_tasks()), default=0)


def since(task: gdb.Value) -> str:
    """How long it has been waiting, about: since it was last on a CPU."""
    if int(task["state"]) in (0, 4):
        return ""
    ended = int(task["exec_start"])
    time = max(now() - ended, 0)
    number, unit = (time / 1e9, "s") if time >= 1e9 else (time / 1e6, "ms")
    return f"{number:.{3 if number < 10 else 2 if number < 100 else 1}f} {unit}"


@command("info ktasks")
def info_ktasks(arguments: list[str]) -> None:
    """List the kernel's tasks: which CPU, what it does, where it is.

    `*` is the one looked at. A task is a thread; TGID is its process. `ready` has
    no CPU but wants one. SINCE counts from when the task was last given a CPU.
    WHERE is the function in the kernel that waits, USER PC the place in the program
    that entered the kernel."""
    chosen = int(selected().address)
    rows = []
    for task in all_tasks():
        cpu, frame = cpu_of(task), user_frame(task)
        if cpu is not None:
            where = "on the CPU"
        elif int(task["kernel_stack"]) == 0:
            where = "-"
        else:
            where = sleeps_in(task)
        user = f"0x{int(frame['rip']):x}" if frame is not None and int(frame["rip"]) else ""
        rows.append(("*" if int(task.address) == chosen else "",
                     "" if cpu is None else str(int(cpu["id"])), str(int(task["tid"])),
                     str(group_id(task)), name_of(task), state_text(task), reason_text(task),
                     since(task), where, user))
    table(("", ">CPU", ">TID", ">TGID", "NAME", "STATE", "WAITS FOR", ">SINCE", "WHERE", "USER PC"), rows)
