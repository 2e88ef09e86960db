"""From events to states: who ran where, who could run, who waited for what, and why.

Thread: run-user, run-kernel, irq, ready, blocked, zombie. Coroutine: see coroutines.py. Spans of
one lane follow each other without overlap; a span of length 0 is not kept.
"""
from collections import Counter
from dataclasses import dataclass, field
from typing import Callable, Iterable, Iterator

from . import coroutines, format as fmt, loops
from .spans import Span

WHYS = fmt.lower_names("WHY")
CR3_LOADED = 0x80
WAKE_EARLY = 1
CLONE_THREAD = 0x10000
PIECES_MIN, PIECES_EACH = 1 << 20, 4
TASK_STATES = ("running", "sleeping", "blocked", "stopped", "zombie")


@dataclass
class Task:
    tid: int
    raw_name: bytes = b""
    group: int = 0
    parent: int = 0
    spans: list[Span] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)  # the system call it is in
    reason: str = ""
    state: str = ""
    since: int = 0
    status: int | None = None  # of its exit
    switches: Counter = field(default_factory=Counter)  # away from it, by why
    faults: int = 0
    woken: int = 0

    @property
    def name(self) -> str:
        return coroutines.shown(self.raw_name)

    def label(self) -> str:
        return f"{self.name or '?'} {self.tid}" if self.tid else "idle"

    def become(self, time: int, state: str, detail: str = "") -> None:
        """End the present span at `time` and begin another."""
        if self.state and time > self.since:
            self.spans.append(Span(self.since, time, self.state, self.reason,
                                   self.calls[-1] if self.calls else ""))
        self.state, self.reason, self.since = state, detail, time

    def run(self, time: int) -> None:
        if self.calls:
            self.become(time, "run-kernel", self.calls[-1])
        else:
            self.become(time, "run-user")


@dataclass
class Cpu:
    current: int = -1  # tid, -1: not known yet
    since: int = 0
    spans: list[tuple[int, int, int]] = field(default_factory=list)  # start, end, tid
    irq: int = 0


@dataclass
class Wake:
    time: int
    waker: int  # tid, -1: an interrupt
    woken: int
    reason: str


class Model:
    """The states of a trace."""

    def __init__(self, trace: fmt.Trace) -> None:
        self.trace = trace
        self.records = trace.records
        self.end = self.records[-1].time if self.records else 0
        self.start = min(self._window(), self.end)
        self.tasks: dict[int, Task] = {0: Task(0, b"idle")}
        self.cpus = [Cpu() for _ in range(trace.cpus)]
        self.wakes: list[Wake] = []
        self.switches: Counter = Counter()  # process, thread, to and from idle; coroutine
        self.blocking: dict[int, str] = {}  # why a thread is about to give its CPU away
        self.events = Counter(record.event for record in self.records)
        for record in self.records:
            handler = HANDLERS.get(record.event)
            if 0 <= record.cpu < len(self.cpus) and record.event not in ("TASK", "NAME", "LOST"):
                self._seen(record)
            if handler:
                handler(self, record)
        self._finish()
        self.pieces = 0
        self.coroutines = coroutines.build(self)
        self.stalls = coroutines.find_stalls(self)
        self.loop_stalls = loops.find(self)

    def _window(self) -> int:
        """From when on the trace is whole: what was overwritten is so on some CPU before."""
        starts = [ring.records[0][0] for ring in self.trace.rings
                  if ring.kind == fmt.KIND_CPU and ring.records and ring.records[0][6] > 1]
        header = self.trace.header
        first = self.records[0].time if self.records else 0
        return max([first] + [(tsc - header["tsc_base"]) * header["tsc_mult"] >> 32
                              for tsc in starts])

    def counted(self, pieces: Iterable) -> Iterator:
        """Coroutines times blocking calls may be far more than there are events: there is an end to it."""
        most = PIECES_MIN + PIECES_EACH * len(self.records)
        for piece in pieces:
            self.pieces += 1
            if self.pieces > most:
                raise fmt.TraceError(f"more than {most} times that a coroutine stood still: trace a shorter time")
            yield piece

    def task(self, tid: int) -> Task:
        if tid not in self.tasks:
            self.tasks[tid] = Task(tid, group=tid)
        return self.tasks[tid]

    def groups(self) -> dict[int, list[Task]]:
        """Tasks by process, the idle tasks left out, each process's own thread first."""
        found: dict[int, list[Task]] = {}
        for task in sorted(self.tasks.values(), key=lambda t: (t.group, t.tid)):
            if task.tid:
                found.setdefault(task.group or task.tid, []).append(task)
        return found

    def syscall(self, number: int) -> str:
        return self.trace.syscalls.get(number, f"call {number}")

    def reason(self, number: int) -> str:
        names = self.trace.reasons
        return names[number] if 0 < number < len(names) else "?"

    def _seen(self, record: fmt.Record) -> None:
        """The record's task runs on the record's CPU, also if its switch to it was lost."""
        cpu = self.cpus[record.cpu]
        if record.tid == cpu.current:
            return
        if cpu.current > 0:  # exec by a thread other than the first: it has a new tid
            old = self.task(cpu.current)
            old.become(record.time, "")
            self.task(record.tid).calls = old.calls
        self._run(record.time, cpu, record.tid)

    def _run(self, time: int, cpu: Cpu, tid: int) -> None:
        if cpu.current >= 0 and time > cpu.since:
            cpu.spans.append((cpu.since, time, cpu.current))
        cpu.current, cpu.since = tid, time
        if tid:
            self.task(tid).run(time)

    def _finish(self) -> None:
        for task in self.tasks.values():
            if task.state == "ready" and task.since < self.start:
                task.state = ""  # what became of it was overwritten: it has ended, probably
            if task.state != "zombie":
                task.become(self.end, "")
        for cpu in self.cpus:
            if cpu.current >= 0 and self.end > cpu.since:
                cpu.spans.append((cpu.since, self.end, cpu.current))

    def on_task(self, r: fmt.Record) -> None:
        known = r.tid in self.tasks and self.tasks[r.tid].state not in ("", "zombie")
        task = self.task(r.tid)
        task.group, task.parent = r.x, r.a >> 32
        if not known and r.time >= self.start:
            state = TASK_STATES[min(r.a & 0xff, 4)]
            task.become(r.time, *(("ready",) if state == "running" else
                                  ("zombie",) if state == "zombie" else
                                  ("blocked", self.reason(r.a >> 8 & 0xff))))

    def on_name(self, r: fmt.Record) -> None:
        task = self.task(r.tid)
        task.raw_name = coroutines.appended(task.raw_name, r.x, r)

    def on_switch(self, r: fmt.Record) -> None:
        prev, why = self.task(r.tid), WHYS.get(r.flags & 3, "?")
        after = self.task(r.x)
        if r.tid:
            prev.switches[why] += 1
            if why == "block":
                prev.become(r.time, "blocked", self.blocking.get(r.tid, "?"))
            else:
                prev.become(r.time, "zombie" if why == "exit" else "ready",
                            "" if why == "exit" else why)
        self.switches["idle" if not (r.tid and r.x) else
                      "thread" if prev.group == after.group else "process"] += 1
        self._run(r.time, self.cpus[r.cpu], r.x)

    def on_block(self, r: fmt.Record) -> None:
        self.blocking[r.tid] = self.reason(r.x)

    def on_wake(self, r: fmt.Record) -> None:
        task = self.task(r.x)
        in_irq = self.cpus[r.cpu].irq > 0
        self.wakes.append(Wake(r.time, -1 if in_irq else r.tid, r.x, self.reason(r.a)))
        task.woken += 1
        if not r.flags & WAKE_EARLY and task.state in ("blocked", ""):
            task.become(r.time, "ready", "woken")

    def on_clone(self, r: fmt.Record) -> None:
        parent = self.task(r.tid)
        child = self.tasks[r.x] = Task(r.x, parent.raw_name, r.x)
        if r.a & CLONE_THREAD:
            child.group = parent.group
        child.parent = r.tid
        child.become(r.time, "ready", "new")

    def on_exit(self, r: fmt.Record) -> None:
        self.task(r.tid).status = r.a

    def on_syscall(self, r: fmt.Record) -> None:
        task = self.task(r.tid)
        task.become(r.time, "")
        task.calls.append(self.syscall(r.x))
        task.run(r.time)

    def on_sysret(self, r: fmt.Record) -> None:
        task = self.task(r.tid)
        task.become(r.time, "")
        if task.calls:
            task.calls.pop()
        task.run(r.time)

    def on_irq_in(self, r: fmt.Record) -> None:
        self.cpus[r.cpu].irq += 1
        if r.tid:
            self.task(r.tid).become(r.time, "irq", f"interrupt 0x{r.x:x}")

    def on_irq_out(self, r: fmt.Record) -> None:
        self.cpus[r.cpu].irq = 0
        if r.tid:
            self.task(r.tid).run(r.time)

    def on_fault(self, r: fmt.Record) -> None:
        self.task(r.tid).faults += 1


HANDLERS: dict[str, Callable[[Model, fmt.Record], None]] = {
    name[3:].upper(): function for name, function in vars(Model).items() if name.startswith("on_")}
