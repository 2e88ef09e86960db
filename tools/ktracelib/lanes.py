"""The lanes of a picture, from top to bottom: CPUs, then each process with its threads and their
coroutines. Both pictures, the one that moves and the one that does not, are drawn from these."""
from dataclasses import dataclass

from .coroutines import is_blocked
from .spans import Span
from .states import Model

# Where there is no room for all, the last of these is shown.
RANK = ("idle", "parked", "blocked", "ready", "busy", "run", "run-user", "in-syscall",
        "run-kernel", "irq", "preempted", "blocking", "stalled")


@dataclass
class Lane:
    kind: str  # cpu, process (a heading without spans), thread, co
    label: str
    tid: int
    spans: list[Span]
    number: int = 0  # of the coroutine, or the CPU


def _of_cpu(model: Model, number: int) -> list[Span]:
    return [Span(start, end, "busy" if tid else "idle", model.task(tid).label() if tid else "")
            for start, end, tid in model.cpus[number].spans]


def _of_coroutine(spans: list[Span]) -> list[Span]:
    """A system call that blocks the thread is what one looks for: it is a state of its own."""
    return [Span(s.start, s.end, "blocking", s.detail, s.call) if is_blocked(s) else s
            for s in spans]


def _in_window(spans: list[Span], start: int) -> list[Span]:
    """Where a ring has lost its oldest events, what the others tell of the time before is left out."""
    return [Span(max(s.start, start), s.end, s.state, s.detail, s.call) for s in spans if s.end > start]


def lanes(model: Model) -> list[Lane]:
    found = _all_lanes(model)
    for lane in found:
        if lane.spans and lane.spans[0].start < model.start:
            lane.spans = _in_window(lane.spans, model.start)
    return found


def _all_lanes(model: Model) -> list[Lane]:
    found = [Lane("cpu", f"CPU {i}", 0, _of_cpu(model, i), i) for i in range(len(model.cpus))]
    by_thread: dict[int, list[Lane]] = {}
    for co in model.coroutines.values():
        by_thread.setdefault(co.tid, []).append(
            Lane("co", co.label(), co.tid, _of_coroutine(co.spans), co.number))
        model.task(co.tid)
    for group, tasks in model.groups().items():
        shown = [task for task in tasks if task.spans or task.tid in by_thread]
        if shown:
            found.append(Lane("process", f"process {group}: {shown[0].name or '?'}", group, []))
        for task in shown:
            found.append(Lane("thread", f"thread {task.tid}", task.tid,
                              [s for s in task.spans if s.state != "zombie"]))
            found += by_thread.get(task.tid, [])
    return found
