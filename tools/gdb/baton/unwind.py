"""Look through the eyes of a task that is not running: `ktask N`.

gdb's frames start at the CPU's registers, and those are never written. While a view is chosen, the
unwinder says that the CPU's innermost frame was called from the task's saved context, and a
filter hides the frames in front of it. The innermost frame is recognised by its rip and rsp, not
by level 0: where the code is inlined, several levels are one frame.

gdb reads user memory through the page tables that the CPU has loaded. For a task of another
address space the unwinder walks its user stack itself, by frame pointers; arguments are hidden
there, since gdb would read them from the wrong memory.
"""
import re
from typing import Iterator, NamedTuple

import gdb
from gdb.FrameDecorator import FrameDecorator
from gdb.unwinder import Unwinder, register_unwinder

from . import memory, programs, tasks
from .command import Usage, command, number
from .lines import show

REGISTERS = ("rbx", "rbp", "r12", "r13", "r14", "r15", "rsp", "rip")


class FrameId(NamedTuple):
    """What gdb tells frames apart by."""

    sp: gdb.Value
    pc: gdb.Value


class View:
    """What is looked at, and from where."""

    def __init__(self, task: gdb.Value, origin: tuple[int, int], registers: dict[str, int]) -> None:
        self.task, self.origin, self.registers = task, origin, registers
        mm = int(task["mm"])
        if tasks.on_core():
            self.foreign = mm != 0 and not tasks.core_has_memory_of(task)
        else:
            self.foreign = mm not in (0, int(tasks.selected_cpu()["active_mm"]))


view: View | None = None


def nobody(task: gdb.Value, rsp: int) -> dict[str, int]:
    return END


coroutine_resumer = nobody  # coroutines.py knows better


def viewed() -> gdb.Value | None:
    return view.task if view else None


class TaskUnwinder(Unwinder):
    def __init__(self) -> None:
        super().__init__("baton-tasks")

    def __call__(self, pending: gdb.PendingFrame) -> gdb.UnwindInfo | None:
        if view is None:
            return None
        rip, rsp = int(pending.read_register("rip")), int(pending.read_register("rsp"))
        rip, rsp = rip & (1 << 64) - 1, rsp & (1 << 64) - 1
        if (rip, rsp) == view.origin:
            return self.answer(pending, 0, rip, view.registers)
        if rip < memory.USER_TOP:
            return self.user_frame(pending, rip, rsp)
        return None

    def user_frame(self, pending: gdb.PendingFrame, rip: int, rsp: int) -> gdb.UnwindInfo | None:
        rbp = int(pending.read_register("rbp")) & (1 << 64) - 1
        try:
            if symbol_of(rip) == "co_entry":
                caller = coroutine_resumer(view.task, rsp)
            elif view.foreign:
                caller = caller_of(view.task["mm"], rip, rsp, rbp)
            else:
                return None
        except gdb.MemoryError:
            return None
        return self.answer(pending, rsp, rip, caller)

    @staticmethod
    def answer(pending: gdb.PendingFrame, sp: int, pc: int, registers: dict[str, int]
               ) -> gdb.UnwindInfo:
        def word(value: int) -> gdb.Value:
            return gdb.Value(value).cast(gdb.lookup_type("unsigned long"))
        info = pending.create_unwind_info(FrameId(word(sp), word(pc)))
        for name in REGISTERS:
            if name in registers:
                info.add_saved_register(name, word(registers[name]))
        return info


def symbol_of(pc: int) -> str:
    """The function of the assembly or C there, without a local label behind it."""
    return re.split(r"[+.\[]", memory.symbol_at(pc))[0]


def user_word(mm: gdb.Value, address: int) -> int:
    return int.from_bytes(memory.read_user(mm, address, 8), "little")


END = {"rip": 0, "rsp": 0, "rbp": 0}


def caller_of(mm: gdb.Value, rip: int, rsp: int, rbp: int) -> dict[str, int]:
    """Assembly of the C library keeps no frame pointer; its return address is on top."""
    place = gdb.find_pc_line(rip)
    if place.symtab is not None and place.symtab.filename.endswith(".asm"):
        return {"rip": user_word(mm, rsp), "rsp": rsp + 8, "rbp": rbp}
    if rbp == 0:
        return END
    return {"rip": user_word(mm, rbp + 8), "rsp": rbp + 16, "rbp": user_word(mm, rbp)}


class TaskFrames:
    """The frame filter: hide what is not the task's, and name the kernel's entries."""

    def __init__(self) -> None:
        self.name, self.priority, self.enabled = "baton-tasks", 100, True
        gdb.frame_filters[self.name] = self

    def filter(self, frames: Iterator) -> Iterator:
        first = first_frame().level() if view and view.registers else 0
        for f in frames:
            frame = f.inferior_frame()
            if frame.level() < first or frame.pc() == 0:
                continue
            if view and view.foreign and frame.pc() < memory.USER_TOP:
                f = Quiet(f)
            elif frame.type() == gdb.SIGTRAMP_FRAME:
                f = Entry(f)
            yield f if frame.name() or frame.type() == gdb.SIGTRAMP_FRAME else Nameless(f)
            if frame.name() in ("_start", "clone"):  # nobody called them
                return


class Entry(FrameDecorator):
    """gdb calls every frame that was interrupted a signal handler's."""

    def function(self) -> str:
        return symbol_of(self.inferior_frame().pc())

    def line(self) -> int:
        return gdb.find_pc_line(self.inferior_frame().pc()).line


class Nameless(FrameDecorator):
    """gdb leaves the name out where a filter is at work."""

    def function(self) -> str:
        return "??"


class Quiet(FrameDecorator):
    def frame_args(self) -> None:
        return None

    def frame_locals(self) -> None:
        return None


def first_frame() -> gdb.Frame:
    """The viewed task's innermost frame."""
    frame = gdb.newest_frame()
    while frame.older() is not None and frame.type() == gdb.INLINE_FRAME:
        frame = frame.older()
    if frame.older() is None:
        raise gdb.GdbError("the task's frames cannot be read")
    return frame.older()


def look_at(task: gdb.Value | None, registers: dict[str, int] | None = None) -> None:
    """Choose the view; None: the CPU's own."""
    global view
    view = None
    gdb.invalidate_cached_frames()
    thread = thread_of(task if task is not None else tasks.current())
    if thread is not None:
        thread.switch()
    task = task if task is not None else tasks.current()
    programs.load_for(task)
    if registers or thread is None:
        view = View(task, origin_here(), registers or tasks.saved_registers(task))
        gdb.invalidate_cached_frames()
        first_frame().select()
    elif tasks.on_core():
        view = View(task, (-1, -1), {})  # its registers are gdb's; user memory may be foreign
        gdb.invalidate_cached_frames()


def thread_of(task: gdb.Value) -> gdb.InferiorThread | None:
    """The thread of gdb that has the task's registers: its CPU, or in a core the task."""
    if tasks.on_core():
        wanted = tasks.core_id(task)
    else:
        cpu = tasks.cpu_of(task)
        wanted = int(cpu["lapic_id"]) + 1 if cpu is not None else None
    found = next((t for t in gdb.selected_inferior().threads() if t.ptid[1] == wanted), None)
    if found is None and tasks.on_core() and tasks.of_core_thread() is None:
        found = gdb.selected_thread()  # of tools/run's core: the machine as it was left, in some task
        top = int(task["kernel_stack"])
        if not top - tasks.KSTACK_SIZE < origin_here()[1] <= top:
            found = None
    return found


def origin_here() -> tuple[int, int]:
    frame = gdb.newest_frame()
    rip, rsp = (int(frame.read_register(name)) & (1 << 64) - 1 for name in ("rip", "rsp"))
    return rip, rsp


def on_stop(event: gdb.Event) -> None:
    """The machine ran: what was saved is not any more."""
    global view
    view = None


def show_place() -> None:
    """As `frame` does, which has no name for the kernel's entries."""
    frame = gdb.selected_frame()
    if frame.type() == gdb.SIGTRAMP_FRAME:
        line = gdb.find_pc_line(frame.pc())
        print(f"#{frame.level()}  {symbol_of(frame.pc())} () at {line.symtab}:{line.line}")
    else:
        gdb.execute("frame")


@command("ktask [TID | cpu | apply all COMMAND...]")
def ktask(arguments: list[str]) -> None:
    """Look at a task that need not be running.

    `bt`, `up`, `info locals` then show that task, up into its user code. Registers
    are not written, and the view ends when the machine runs. `ktask cpu` goes back
    to what the CPU runs; `ktask apply all COMMAND` does COMMAND in the view of
    every task. Without an argument: which task is looked at."""
    if arguments[:2] == ["apply", "all"] and len(arguments) > 2:
        apply_all(" ".join(arguments[2:]))
        return
    if len(arguments) > 1:
        raise Usage
    if not arguments:
        task = tasks.selected()
    elif arguments[0] == "cpu":
        look_at(None)
        task = tasks.current()
    else:
        task = tasks.find(number(arguments[0], "a tid"))
        if int(task["kernel_stack"]) == 0:
            raise gdb.GdbError(f"{tasks.label(task)} is a zombie and has no stack any more")
        look_at(task)
    reason = tasks.reason_text(task)
    show(f"task {tasks.label(task)}: {tasks.state_text(task)}" + (f", {reason}" if reason else ""))
    if view and view.foreign:
        show("(another address space: its user frames show no arguments)")
    show_place()


def apply_all(text: str) -> None:
    before = viewed()
    try:
        for task in tasks.all_tasks():
            if int(task["kernel_stack"]) == 0:
                continue
            look_at(task)
            show(f"\ntask {tasks.label(task)}: {tasks.state_text(task)} {tasks.reason_text(task)}")
            try:
                gdb.execute(text)
            except gdb.error as error:
                print(error)
    finally:
        look_at(before)


register_unwinder(None, TaskUnwinder(), replace=True)
TaskFrames()
