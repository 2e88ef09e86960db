"""The lanes of a picture, from top to bottom: CPUs, then each process with its threads and their
coroutines. Both pictures, the one that moves and the one that does not, are drawn from these."""
from dataclasses import dataclass

from .coroutines import is_blocked
from .spans import Overlaps, Span
from .states import Model

# Where there is no room for all, the last of these is shown.
RANK = ("idle", "parked", "blocked", "ready", "busy", "run", "run-user", "in-syscall",
        "run-kernel", "irq", "preempted", "blocking", "stalled")
RUNNING = ("run-user", "run-kernel", "irq")


@dataclass
class Lane:
    kind: str  # cpu, process (a heading without spans), thread, co
    label: str
    tid: int
    spans: list[Span]
    number: int = 0  # of the coroutine, or the CPU


def _of_cpu(model: Model, number: int, tasks: dict[int, Overlaps]) -> list[Span]:
    """Whom the CPU ran, and in which mode: the task's own spans say it."""
    found = []
    for start, end, tid in model.cpus[number].spans:
        if not tid:
            found.append(Span(start, end, "idle"))
            continue
        label, at = model.task(tid).label(), start
        for begin, until, span in tasks[tid].within(start, end):
            if span.state in RUNNING:
                found += [Span(at, begin, "busy", label)] if begin > at else []
                found.append(Span(begin, until, span.state, label, span.call))
                at = until
        found += [Span(at, end, "busy", label)] if end > at else []
    return found


def _of_coroutine(spans: list[Span]) -> list[Span]:
    """A system call that blocks the thread is what one looks for: it is a state of its own."""
    return [Span(s.start, s.end, "blocking", s.detail, s.call) if is_blocked(s) else s
            for s in spans]


def _in_window(spans: list[Span], start: int) -> list[Span]:
    """Where a ring has lost its oldest events, what the others tell of the time before is left out."""
    return [Span(max(s.start, start), s.end, s.state, s.detail, s.call) for s in spans if s.end > start]


def lanes(model: Model) -> list[Lane]:
    """A thread of which nothing is left, for it ended before, has no lane."""
    found: list[Lane] = []
    for lane in reversed(_all_lanes(model)):
        if lane.spans and lane.spans[0].start < model.start:
            lane.spans = _in_window(lane.spans, model.start)
        below = {"process": "thread", "thread": "co"}.get(lane.kind)
        if lane.spans or lane.kind == "cpu" or found and found[-1].kind == below:
            found.append(lane)
    return found[::-1]


def _all_lanes(model: Model) -> list[Lane]:
    overlaps = {tid: Overlaps(task.spans) for tid, task in model.tasks.items()}
    found = [Lane("cpu", f"CPU {i}", 0, _of_cpu(model, i, overlaps), i) for i in range(len(model.cpus))]
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
            name = f": {task.name}" if task.name not in ("", shown[0].name) else ""
            found.append(Lane("thread", f"thread {task.tid}{name}", task.tid,
                              [s for s in task.spans if s.state != "zombie"]))
            found += by_thread.get(task.tid, [])
    return found
