"""The report: where the time of each task and coroutine went, and every stall in a sentence."""
from collections import Counter

from . import format as fmt
from .spans import Span, duration
from .states import Model

STALLS_TOLD = 20


def _times(spans: list[Span]) -> Counter:
    times: Counter = Counter()
    for span in spans:
        times[span.state] += span.end - span.start
    return times


def _reasons(spans: list[Span], state: str) -> str:
    times: Counter = Counter()
    for span in spans:
        if span.state == state:
            times[span.detail or "?"] += span.end - span.start
    return ", ".join(f"{reason} {duration(time)}" for reason, time in times.most_common())


def _table(rows: list[list[str]], left: int) -> list[str]:
    """Columns in line: the first ones, and the last, to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(width) if i < left or i == len(widths) - 1
                             else cell.rjust(width)
                             for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
            for row in rows]


def _threads(model: Model) -> list[str]:
    rows = [["tid", "name", "process", "user", "kernel", "irq", "ready", "blocked", "of it"]]
    for group, tasks in model.groups().items():
        for task in tasks:
            if not task.spans:
                continue  # it ended before, or did not live for a nanosecond
            times = _times(task.spans)
            rows.append([str(task.tid), task.name or "?", str(group)] +
                        [duration(times[state]) if times[state] else "-" for state in (
                            "run-user", "run-kernel", "irq", "ready", "blocked")] +
                        [_reasons(task.spans, "blocked")])
    return _table(rows, 3)


def _coroutines(model: Model) -> list[str]:
    states = ("run", "in-syscall", "ready", "stalled", "preempted", "parked")
    rows = [["coroutine", "thread", *states, "of it"]]
    for co in model.coroutines.values():
        times = _times(co.spans)
        rows.append([co.label(), str(co.tid)] +
                    [duration(times[state]) if times[state] else "-" for state in states] +
                    [_reasons(co.spans, "parked")])
    return _table(rows, 2)


def stall_lines(model: Model, limit: int = STALLS_TOLD) -> list[str]:
    lines = []
    for stall in model.stalls[:limit]:
        longest = {}
        for victim, start, end in stall.victims:
            longest[victim.number] = (victim, longest.get(victim.number, (victim, 0))[1] + end - start)
        who = ", ".join(f"{victim.label()} for {duration(time)}" for victim, time in longest.values())
        lines.append(f"  {stall.culprit.label()} blocked thread {stall.tid} in {stall.call} for "
                     f"{duration(stall.end - stall.start)}; could run, but did not: {who}")
    if len(model.stalls) > limit:
        lines.append(f"  and {len(model.stalls) - limit} shorter ones")
    return lines


def loop_lines(model: Model, limit: int = STALLS_TOLD) -> list[str]:
    lines = [f"  {stall.sentence()}, after {duration(stall.start - model.start)}"
             for stall in model.loop_stalls[:limit]]
    if len(model.loop_stalls) > limit:
        lines.append(f"  and {len(model.loop_stalls) - limit} shorter ones")
    return lines


def report(trace: fmt.Trace) -> str:
    model = Model(trace)
    where = "a Linux host" if trace.on_host else f"{trace.cpus} CPU" + "s" * (trace.cpus > 1)
    lines = [f"{len(model.records)} events in {duration(model.end - model.start)} on {where}" + trace.told_lost()]
    kinds = ", ".join(f"{model.switches[kind]} {kind}" for kind in
                      ("process", "thread", "coroutine", "idle"))
    lines += [f"switches by kind: {kinds}", ""]
    for number, cpu in enumerate(model.cpus):
        busy = sum(end - start for start, end, tid in cpu.spans if tid)
        share = 100 * busy / max(1, model.end - model.start)
        lines.append(f"CPU {number}: busy {duration(busy)} ({share:.0f} %)")
    if model.groups():
        lines += ["", "threads"] + _threads(model)
    if model.coroutines:
        lines += ["", "coroutines"] + _coroutines(model)
        lines += ["", "stalls: a coroutine blocked the thread of others that could run"
                  if model.stalls else "no stalls: no coroutine had to wait for a sibling's system call"]
        lines += stall_lines(model)
    if model.loop_stalls:
        lines += ["", "event loops that stood: threads that otherwise poll waited in another call"]
        lines += loop_lines(model)
    return "\n".join(lines) + "\n"
