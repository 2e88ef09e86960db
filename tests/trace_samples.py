"""Traces made by hand for the tests of tools/ktrace: what happens in them is known exactly.

blocking() is the lesson: three coroutines tick every 100 ms, a fourth reads from a pipe without
care, and another process answers after two seconds. large() is long, for the page's speed.
"""
import sys

from driver import ROOT

sys.path.insert(0, str(ROOT / "tools"))
from ktracelib import format as fmt  # noqa: E402

EVENTS = {entry[0]: number for number, entry in fmt.list_of("EVENT").items()}
MS = 1_000_000
REASONS = ["-", "pipe read", "pipe write", "tty read", "tty write", "wait4", "nanosleep", "poll"]
READ, WRITE, POLL, SLEEP = 0, 1, 7, 35
PREEMPT, YIELD, BLOCK, EXIT = range(4)
CR3 = 0x80
CO_YIELD, CO_PARK, CO_EXIT = range(3)


def word(text: str) -> int:
    return int.from_bytes(text.encode()[:8].ljust(8, b"\0"), "little")


class Sample:
    def __init__(self, cpus: int = 1, on_host: bool = False) -> None:
        self.now = 0
        self.cpus, self.flags = cpus, 1 | (fmt.ON_HOST if on_host else 0)
        self.kernel: list[list[tuple]] = [[] for _ in range(cpus)]
        self.user: dict[tuple[int, int], list[tuple]] = {}

    def _add(self, ring: list[tuple], cpu: int, tid: int, event: str, flags: int, x: int,
             a: int) -> None:
        ring.append((self.now, tid, EVENTS[event], cpu, flags, x, len(ring) + 1, a))

    def event(self, tid: int, event: str, x: int = 0, a: int = 0, flags: int = 0,
              cpu: int = 0) -> None:
        self._add(self.kernel[cpu], cpu, tid, event, flags, x, a)

    def co(self, tid: int, event: str, x: int, a: int = 0, flags: int = 0) -> None:
        self._add(self.user.setdefault((tid, tid), []), 255, tid, event, flags, x, a)

    def task(self, tid: int, name: str, group: int = 0) -> None:
        self.event(tid, "TASK", group or tid)
        for at in range(0, max(1, len(name)), 8):
            self.event(tid, "NAME", at, word(name[at:]))

    def coroutine(self, tid: int, number: int, name: str) -> None:
        self.co(tid, "CO_SPAWN", number)
        for at in range(0, len(name), 8):
            self.co(tid, "CO_NAME", number, word(name[at:]), at)

    def trace(self) -> fmt.Trace:
        rings = [fmt.Ring(fmt.KIND_CPU, cpu, 0, 0, fmt.Records.of(ring)) for cpu, ring in enumerate(self.kernel)
                 if ring]
        rings += [fmt.Ring(fmt.KIND_USER, tid, group, 0, fmt.Records.of(ring))
                  for (tid, group), ring in self.user.items()]
        events = {number: name for name, number in EVENTS.items()}
        return fmt.Trace({"flags": self.flags, "cpus": self.cpus, "tsc_base": 0,
                          "tsc_mult": 1 << 32, "reasons": REASONS, "events": events,
                          "syscalls": fmt.syscall_names()}, rings)


TICKERS = {1: "ticker a", 2: "ticker b", 3: "ticker c"}


def _tick(s: Sample, tid: int, number: int, due: int) -> None:
    s.co(tid, "CO_READY", number)
    s.co(tid, "CO_IN", number)
    s.now += MS
    s.co(tid, "CO_DUE", number, due)
    s.co(tid, "CO_PARK", number, word("sleep"))
    s.co(tid, "CO_OUT", number, 0, CO_PARK)


def _poll(s: Sample, tid: int, until: int) -> None:
    """The loop has nothing to do: it sleeps in poll until the first ticker is due."""
    s.event(tid, "SYSCALL", POLL)
    s.event(tid, "BLOCK", 7)
    s.event(tid, "SWITCH", 0, 0, BLOCK)
    s.now = until
    s.event(0, "IRQ_IN", 0xf0)
    s.event(0, "WAKE", tid, 7)
    s.event(0, "IRQ_OUT", 0xf0)
    s.event(0, "SWITCH", tid, 0, PREEMPT)
    s.event(tid, "SYSRET", POLL, 0)


def _start(s: Sample) -> None:
    s.event(0, "START", 1)
    s.task(7, "stall")
    s.task(8, "answer")
    s.event(0, "SWITCH", 7, 0, PREEMPT | CR3)
    for number, name in TICKERS.items():
        s.coroutine(7, number, name)
    s.coroutine(7, 4, "reader")


def blocking() -> fmt.Trace:
    s = Sample()
    _start(s)
    s.now = MS
    for number in TICKERS:
        _tick(s, 7, number, 100 * MS)
    s.co(7, "CO_IN", 4)
    s.co(7, "MARK", 1, word("reads"))
    s.now += MS
    s.event(7, "SYSCALL", READ, 3)
    s.event(7, "BLOCK", 1, 0x1000)
    s.event(7, "SWITCH", 8, 1, BLOCK | CR3)
    s.event(8, "SYSCALL", SLEEP)
    s.event(8, "BLOCK", 6)
    s.event(8, "SWITCH", 0, 1, BLOCK)
    s.now = 2000 * MS
    s.event(0, "IRQ_IN", 0xf0)
    s.event(0, "WAKE", 8, 6)
    s.event(0, "IRQ_OUT", 0xf0)
    s.event(0, "SWITCH", 8, 0, PREEMPT)
    s.event(8, "SYSRET", SLEEP)
    s.event(8, "SYSCALL", WRITE, 4)
    s.event(8, "WAKE", 7, 1)
    s.event(8, "SYSRET", WRITE, 7)
    s.now += MS
    s.event(8, "SYSCALL", 231)
    s.event(8, "EXIT", 8)
    s.event(8, "SWITCH", 7, 4, EXIT | CR3)
    s.event(7, "SYSRET", READ, 7)
    s.now += MS
    s.co(7, "CO_EXIT", 4)
    s.co(7, "CO_OUT", 4, 0, CO_EXIT)
    for number in TICKERS:
        _tick(s, 7, number, 2100 * MS)
    _poll(s, 7, 2100 * MS)
    for number in TICKERS:
        _tick(s, 7, number, 2200 * MS)
    s.event(7, "SYSCALL", 231)
    s.event(7, "EXIT", 7)
    s.event(7, "SWITCH", 0, 4, EXIT)
    return s.trace()


def aware() -> fmt.Trace:
    """The same, but the reader parks until the pipe has something."""
    s = Sample()
    _start(s)
    s.now = MS
    due = 0
    for round_ in range(22):
        due = (round_ + 1) * 100 * MS
        for number in TICKERS:
            _tick(s, 7, number, due)
        if round_ == 0:
            s.co(7, "CO_IN", 4)
            s.co(7, "CO_ON", 4, 3)
            s.co(7, "CO_PARK", 4, word("fd"))
            s.co(7, "CO_OUT", 4, 0, CO_PARK)
        _poll(s, 7, due)
        if round_ == 20:
            s.co(7, "CO_READY", 4)
            s.co(7, "CO_IN", 4)
            s.now += MS
            s.co(7, "CO_EXIT", 4)
            s.co(7, "CO_OUT", 4, 0, CO_EXIT)
    return s.trace()


def large(events: int = 100_000) -> fmt.Trace:
    """Three processes of two threads take turns on two CPUs, and one has busy coroutines."""
    s = Sample(cpus=2)
    s.event(0, "START", 2)
    for tid, group in ((10, 10), (11, 10), (12, 12), (13, 12), (14, 14), (15, 14)):
        s.task(tid, f"worker {tid}", group)
    for number in range(1, 9):
        s.coroutine(10, number, f"co {number}")
    running = [0, 0]
    count = 0
    state = 12345
    while count < events:
        state = (state * 1103515245 + 12345) & 0x7fffffff
        cpu, step = state >> 8 & 1, state >> 16
        s.now += 500 + step % 20000
        tid = 10 + 2 * (step % 3) + cpu
        if tid != running[cpu]:
            s.event(running[cpu], "SWITCH", tid, 0, step % 2 | CR3, cpu)
            running[cpu] = tid
        elif tid == 10:
            number = 1 + step % 8
            s.co(10, "CO_IN", number)
            s.now += 3000
            s.co(10, "CO_OUT", number, 0, CO_YIELD)
            count += 1
        else:
            s.event(tid, "SYSCALL", WRITE, 1, 0, cpu)
            s.now += 800
            s.event(tid, "SYSRET", WRITE, 5, 0, cpu)
            count += 1
        count += 1
    return s.trace()


def many(pieces: int = 164, workers: int = 36) -> fmt.Trace:
    """Coroutines of one name, and others whose names differ in a number; the last one blocks all."""
    s = Sample()
    s.event(0, "START", 1)
    s.task(7, "parallel")
    s.event(0, "SWITCH", 7, 0, PREEMPT | CR3)
    numbers = range(1, pieces + workers + 1)
    for number in numbers:
        s.coroutine(7, number, "piece" if number <= pieces else f"worker {number - pieces}")
    for number in numbers:
        s.now += MS // 10
        s.co(7, "CO_IN", number)
        s.now += MS // 2
        if number == numbers[-1]:
            s.event(7, "SYSCALL", READ, 3)
            s.event(7, "BLOCK", 1, 0x1000)
            s.event(7, "SWITCH", 0, 1, BLOCK)
            s.now += 100 * MS
            s.event(0, "IRQ_IN", 0xf0)
            s.event(0, "WAKE", 7, 1)
            s.event(0, "IRQ_OUT", 0xf0)
            s.event(0, "SWITCH", 7, 0, PREEMPT)
            s.event(7, "SYSRET", READ, 1)
        if number % 2:
            s.co(7, "CO_PARK", number, word("sleep"))
        s.co(7, "CO_OUT", number, 0, CO_PARK if number % 2 else CO_YIELD)
    s.now += MS
    s.event(7, "SYSCALL", 231)
    s.event(7, "EXIT", 7)
    s.event(7, "SWITCH", 0, 4, EXIT)
    return s.trace()


def event_loop() -> fmt.Trace:
    """Thread 7 polls, and once reads for two seconds; 8 only reads; 9 waits for locks as often as it polls."""
    s = Sample()
    s.event(0, "START", 1)
    for tid, name in {7: "server", 8: "cat", 9: "spare"}.items():
        s.task(tid, name)

    def wait(tid: int, call: int, reason: int, time: int) -> None:
        s.event(0, "SWITCH", tid)
        s.now += MS // 10
        s.event(tid, "SYSCALL", call)
        s.event(tid, "BLOCK", reason)
        s.event(tid, "SWITCH", 0, 1, BLOCK)
        s.now += time
        s.event(0, "IRQ_IN", 0xf0)
        s.event(0, "WAKE", tid, reason)
        s.event(0, "IRQ_OUT", 0xf0)
        s.event(0, "SWITCH", tid)
        s.event(tid, "SYSRET", call)
        s.now += MS // 10
        s.event(tid, "SWITCH", 0)

    for round_ in range(4):
        wait(7, POLL, 7, 50 * MS)
        wait(8, READ, 1, 20 * MS)
        wait(9, POLL, 7, 5 * MS)
        wait(9, READ, 3, 5 * MS)
    wait(7, READ, 1, 2000 * MS)
    wait(7, POLL, 7, 50 * MS)
    return s.trace()


def one_event() -> fmt.Trace:
    s = Sample()
    s.event(0, "START", 1)
    return s.trace()


def on_host() -> fmt.Trace:
    """A run on Linux: no events of the kernel, but the CPU time at each switch."""
    s = Sample(cpus=0, on_host=True)
    s.now = 1000 * MS
    s.coroutine(7, 1, "ticker")
    s.coroutine(7, 2, "reader")
    s.co(7, "CO_IN", 1, 5 * MS)
    s.co(7, "CO_DUE", 1, 1100 * MS)
    s.co(7, "CO_PARK", 1, word("sleep"))
    s.co(7, "CO_OUT", 1, 5 * MS, CO_PARK)
    s.co(7, "CO_IN", 2, 5 * MS)
    s.now = 1500 * MS
    s.co(7, "CO_EXIT", 2)
    s.co(7, "CO_OUT", 2, 6 * MS, CO_EXIT)
    s.co(7, "CO_IN", 1, 6 * MS)
    s.co(7, "CO_EXIT", 1)
    s.co(7, "CO_OUT", 1, 7 * MS, CO_EXIT)
    return s.trace()


def main() -> None:
    """Write them all as .ktr files into a directory: for looking at them."""
    for sample in (blocking, aware, large, many, event_loop, one_event, on_host):
        fmt.save(sample(), f"{sys.argv[1]}/{sample.__name__}.ktr")


if __name__ == "__main__":
    main()
