"""Event loops that stood still: a thread that otherwise waits in poll or epoll, for whatever comes
first, has waited in another call, for one thing only, and no other thread of its process has polled in
its place, as Go's do. Of any runtime, since the kernel sees the calls.

Threads with coroutines of our library are left out: their stalls are known better (coroutines.py).
"""
from __future__ import annotations

import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Iterator

from .spans import Span, duration

if TYPE_CHECKING:
    from .states import Model, Task

POLLS = {"poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2"}
PARKS = {"futex"}  # a runtime's spare threads sleep there: they serve nobody meanwhile
STOOD_LEAST = 1_000_000  # ns: a file from a disk is no stall
POLLS_LEAST = 3


@dataclass
class LoopStall:
    task: Task
    call: str
    reason: str
    start: int
    end: int

    def sentence(self) -> str:
        return (f"event loop of {self.task.label()} stalled by {self.call}() for "
                f"{duration(self.end - self.start)} ({self.reason})")


def _waits(spans: list[Span]) -> Iterator[Span]:
    """Each call in which the thread was blocked, from its first wait to its last one's end."""
    wait: Span | None = None
    for span in spans:
        if wait and (span.state == "run-user" or span.call != wait.call):
            yield wait
            wait = None
        if span.state == "blocked" and span.call and not wait:
            wait = Span(span.start, span.end, "blocked", span.detail, span.call)
        elif span.state == "blocked" and wait:
            wait.end = span.end
    if wait:
        yield wait


def find(model: Model) -> list[LoopStall]:
    """The longest first."""
    with_coroutines = {tid for tid, _ in model.coroutines}
    found = []
    for threads in model.groups().values():
        waits = {task.tid: list(_waits(task.spans)) for task in threads}
        polls = {tid: [wait for wait in of_it if wait.call in POLLS] for tid, of_it in waits.items()}
        for task in threads:
            own = waits[task.tid]
            if task.tid in with_coroutines or len(polls[task.tid]) < POLLS_LEAST or \
                    2 * len(polls[task.tid]) <= len(own):
                continue
            others = sorted(wait.start for tid, of_it in polls.items() if tid != task.tid for wait in of_it)
            found += [LoopStall(task, wait.call, wait.detail, wait.start, wait.end) for wait in own
                      if wait.call not in POLLS | PARKS and wait.end - wait.start >= STOOD_LEAST
                      and bisect.bisect(others, wait.start) == bisect.bisect(others, wait.end)]
    return sorted(found, key=lambda stall: (stall.start - stall.end, stall.start))
