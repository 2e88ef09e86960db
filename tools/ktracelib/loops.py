"""Event loops that stood still: a thread that otherwise waits in poll or epoll, for whatever comes
first, has waited in another call, for one thing only. Of any runtime, since the kernel sees the calls.

Threads with coroutines of our library are left out: their stalls are known better (coroutines.py).
"""
from __future__ import annotations

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
    for task in model.tasks.values():
        waits = list(_waits(task.spans))
        polls = sum(wait.call in POLLS for wait in waits)
        if task.tid in with_coroutines or polls < POLLS_LEAST or 2 * polls <= len(waits):
            continue
        found += [LoopStall(task, wait.call, wait.detail, wait.start, wait.end) for wait in waits
                  if wait.call not in POLLS | PARKS and wait.end - wait.start >= STOOD_LEAST]
    return sorted(found, key=lambda stall: (stall.start - stall.end, stall.start))
