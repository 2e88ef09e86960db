"""The states of coroutines, from their library's records and the states of their threads.

run, in-syscall, ready, stalled, preempted, parked. STALLED is the lesson: the coroutine could
run, but its thread is blocked in a system call that a sibling made. It could run from the moment
another made it ready, and one that sleeps from its deadline on, though the library hears of that
only when its thread runs again.

A trace of a Linux host has no events of the kernel. There the library notes the thread's CPU
time: a coroutine that held its thread for long without using the CPU was blocked.
"""
from __future__ import annotations

import bisect
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Iterator

from . import format as fmt, untrusted
from .spans import Overlaps, Span, duration, merge

if TYPE_CHECKING:
    from .states import Model

NAME_MAX = 64  # bytes: more than a task's or coroutine's name has
OUTS = fmt.lower_names("OUT")
HOST_BLOCKED = 1_000_000  # ns off the CPU from which on a host's coroutine counts as blocked


@dataclass
class Coroutine:
    tid: int
    number: int
    raw_name: bytes = b""
    by: int = 0
    base: list[Span] = field(default_factory=list)  # run, ready, parked: what the library says
    spans: list[Span] = field(default_factory=list)
    state: str = ""
    detail: str = ""
    since: int = 0
    deadline: int = 0
    why: bytes = b""  # it is about to park for this reason
    on: str = ""
    due: int = 0
    cpu_time: int = 0

    @property
    def name(self) -> str:
        return shown(self.raw_name)

    def label(self) -> str:
        return self.name or f"coroutine {self.number}"

    def become(self, time: int, state: str, detail: str = "") -> None:
        if self.state == "parked" and self.deadline and self.since < self.deadline < time:
            self.base.append(Span(self.since, self.deadline, self.state, self.detail))
            self.state, self.detail, self.since = "ready", "its sleep is over", self.deadline
        if self.state and time > self.since:
            self.base.append(Span(self.since, time, self.state, self.detail))
        self.state, self.detail, self.since, self.deadline = state, detail, time, 0


@dataclass
class Stall:
    """A blocking call of `culprit`, and who could have run meanwhile."""
    tid: int
    culprit: Coroutine
    call: str
    reason: str
    start: int
    end: int
    victims: list[tuple[Coroutine, int, int]] = field(default_factory=list)

    def sentence(self, victim: Coroutine, start: int, end: int) -> str:
        return (f"{victim.label()} could run, but thread {self.tid} was blocked in {self.call} "
                f"by {self.culprit.label()} for {duration(end - start)}")


def build(model: Model) -> dict[tuple[int, int], Coroutine]:
    found: dict[tuple[int, int], Coroutine] = {}
    last: dict[int, int] = {}  # by thread: the coroutine that ran last
    for r in model.records:
        if not r.event.startswith("CO_"):
            continue
        co = found.setdefault((r.tid, r.x), Coroutine(r.tid, r.x))
        if r.event == "CO_NAME":
            co.raw_name = appended(co.raw_name, r.flags, r)
        elif r.event == "CO_SPAWN":
            co.by = r.a
            co.become(r.time, "ready", "new")
        elif r.event == "CO_IN":
            model.switches["coroutine"] += last.get(r.tid) != r.x
            last[r.tid] = r.x
            co.become(r.time, "run")
            co.cpu_time = r.a
        elif r.event == "CO_PARK":
            co.why = appended(co.why, r.flags, r)
        elif r.event == "CO_DUE":
            co.due = r.a
        elif r.event == "CO_ON":
            co.on = f" {r.a}"
        elif r.event == "CO_OUT":
            _leave(co, r)
        elif r.event == "CO_READY":
            co.become(r.time, "ready", _made_ready(found, r))
        elif r.event == "CO_EXIT" and co.state != "run":
            co.become(r.time, "")  # cancelled; one that runs gives its thread away next
    for co in found.values():
        co.become(model.end, "")
    _cross(model, found)
    return found


def _text(r: fmt.Record) -> bytes:
    return r.a.to_bytes(8, "little").split(b"\0")[0]


def text_of(*pieces: fmt.Record) -> str:
    return shown(b"".join(map(_text, pieces)))


def appended(text: bytes, at: int, r: fmt.Record) -> bytes:
    """Names come in pieces of eight bytes, in which a letter may be cut in two."""
    return (text[:at] + _text(r))[:NAME_MAX]


@functools.lru_cache(maxsize=1 << 14)
def shown(name: bytes) -> str:
    return untrusted.printable(name.decode(errors="replace"))


def _made_ready(found: dict[tuple[int, int], Coroutine], r: fmt.Record) -> str:
    by = found.get((r.tid, r.a))
    return f"made ready by {by.label()}" if by and r.a else "made ready by the loop"


def _leave(co: Coroutine, r: fmt.Record) -> None:
    """It gives its thread away. On a host: was it off the CPU for long?"""
    off = r.time - co.since - (r.a - co.cpu_time)
    if co.state == "run" and co.cpu_time and r.a and off > HOST_BLOCKED:
        blocked_from = max(r.time - off, co.since)  # the program may have written any CPU time
        if blocked_from > co.since:
            co.base.append(Span(co.since, blocked_from, "run"))
        co.base.append(Span(blocked_from, r.time, "in-syscall", "off the CPU", "a system call"))
        co.since = r.time
    out = OUTS.get(r.flags, "park")
    co.become(r.time, {"yield": "ready", "exit": ""}.get(out, "parked"),
              {"yield": "yielded", "resume": "one it resumed",
               "park": shown(co.why) + co.on or "its next resume"}.get(out, ""))
    co.deadline = co.due if out == "park" else 0
    co.why, co.on, co.due = b"", "", 0


def _running(co: Coroutine, span: Span, thread: Overlaps) -> Iterator[Span]:
    """A span in which the coroutine has its thread: what does the thread do?"""
    at = span.start
    for start, end, of_thread in thread.within(span.start, span.end):
        if start > at:
            yield Span(at, start, "run")
        state = {"ready": "preempted", "blocked": "in-syscall",
                 "run-kernel": "in-syscall"}.get(of_thread.state, "run")
        detail = of_thread.call if state == "in-syscall" else ""
        reason = of_thread.detail if of_thread.state == "blocked" else ""
        yield Span(start, end, state, reason, detail)
        at = end
    if at < span.end:
        yield Span(at, span.end, span.state, span.detail, span.call)


def _cross(model: Model, found: dict[tuple[int, int], Coroutine]) -> None:
    """First the coroutines that have their threads; then who could run while they were blocked."""
    threads = {tid: Overlaps(task.spans) for tid, task in model.tasks.items()}
    none = Overlaps([])
    for co in found.values():
        thread = threads.get(co.tid, none)
        co.spans = merge(piece for span in co.base for piece in model.counted(
            _running(co, span, thread) if span.state == "run" else [span]))
    blocks = _blocking_calls(found)
    for co in found.values():
        mine = blocks.get(co.tid, none)
        co.spans = merge(piece for span in co.spans for piece in model.counted(
            _waiting(span, mine) if span.state == "ready" else [span]))


def is_blocked(span: Span) -> bool:
    return span.state == "in-syscall" and bool(span.detail)


def _blocking_calls(found: dict[tuple[int, int], Coroutine]) -> dict[int, Overlaps]:
    by_thread: dict[int, list[Span]] = {}
    for co in found.values():
        by_thread.setdefault(co.tid, []).extend(
            Span(s.start, s.end, co.label(), s.detail, s.call) for s in co.spans if is_blocked(s))
    return {tid: Overlaps(sorted(spans, key=lambda s: s.start)) for tid, spans in by_thread.items()}


def _waiting(span: Span, blocks: Overlaps) -> Iterator[Span]:
    at = span.start
    for start, end, block in blocks.within(span.start, span.end):
        if start > at:
            yield Span(at, start, "ready", span.detail)
        yield Span(start, end, "stalled", block.state, block.call)
        at = end
    if at < span.end:
        yield Span(at, span.end, "ready", span.detail)


def find_stalls(model: Model) -> list[Stall]:
    """By culprit and blocking call, the longest first."""
    stalls: list[Stall] = []
    by_thread: dict[int, list[Coroutine]] = {}
    for co in model.coroutines.values():
        by_thread.setdefault(co.tid, []).append(co)
    for tid, group in by_thread.items():
        calls = sorted(((s, co) for co in group for s in co.spans if is_blocked(s)),
                       key=lambda pair: pair[0].start)
        of_thread = [Stall(tid, co, call_text(s), s.detail, s.start, s.end) for s, co in calls]
        starts = [stall.start for stall in of_thread]
        for co in group:
            for span in co.spans:
                if span.state == "stalled":
                    at = bisect.bisect_right(starts, span.start) - 1
                    end = bisect.bisect_left(starts, span.end)
                    for stall in model.counted(of_thread[at:end]):
                        stall.victims.append((co, max(span.start, stall.start),
                                              min(span.end, stall.end)))
        stalls += [stall for stall in of_thread if stall.victims]
    return sorted(stalls, key=lambda s: (s.start - s.end, s.start))


def call_text(span: Span) -> str:
    return f"{span.call}()" if span.call.isidentifier() else span.call or "the kernel"
