"""The part in the guest: /bin/explore (user/explore), what it is told and what it says."""
import json
import os
import re
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from typing import Callable

from explorelib import watch
from explorelib.program import Program
from launch import host, monitor
from launch.host import LaunchError

PANIC, TIMEOUT = 125, 124  # of tools/run
SCHEDULE = re.compile(r"explore: it was (schedule|by priorities) ?(\S*) after (\d+) instructions, run (\d+)")
EVENT = re.compile(r"explore: (\d+) (\d+) (\d+) (\d+) (\d+) (\d+) (0x[0-9a-f]+) (0x[0-9a-f]+) (0x[0-9a-f]+)")
FRAME = re.compile(r"  #\d+ (0x[0-9a-f]+) (\w+)")
KINDS, WHYS = ("runs", "stops"), ("taken", "blocks", "ends", "yields", "turn")  # kernel/sched/explore.h
PANICS_MAX = 2  # after so many the search is given up: each costs a boot
NMI = "NMI: somebody asks"  # kernel/arch/panic.c; here it is the watchdog
MARK = "order_mark"  # user/ulib/co/order.c: where a coroutine's turn begins, and where co_run returns


class MachineFailed(LaunchError):
    status = 3


@dataclass
class Result:
    """What the guest said, and how it ended."""
    entry: int = 0
    coverage: dict = field(default_factory=dict)
    run: dict = field(default_factory=dict)  # the last one, which failed if any did
    events: list[dict] = field(default_factory=list)
    orders: list[dict] = field(default_factory=list)  # what its coroutines did: user/ulib/co/order.h
    panic: str = ""  # what the kernel said; then run["schedule"] is from its log
    place: str = ""  # and where that was
    avoid: str = ""  # what is not to be tried again; run["schedule"], but for a run by priorities


def replayed(schedule: str) -> list[str]:
    """Options for this schedule alone."""
    return ["--replay", schedule, "--in", "both" if "k" in schedule else "user"]


@dataclass
class Guest:
    """What is explored, and where."""
    program: Program
    added: list[str]
    command: list[str]
    append: str = ""  # options of the kernel
    timeout: float = 0  # seconds of guest time for each boot
    watches: dict[int, watch.Watch] = field(default_factory=dict)


def options_of_run(guest: Guest, options: list[str]) -> list[str]:
    """What tools/run is told, besides --icount."""
    program, added, command = guest.program, guest.added, guest.command
    words = ["--append", f"sched=explore {guest.append}".strip(), *(word for item in added for word in ("--add", item)), "--", "explore",
              "--begin", str(program.begin())]
    if program.end() is not None:
        words += ["--end", str(program.end())]
    words += watch.option(program, guest.watches)
    mark = program.symbols.get(MARK)
    if mark is not None:
        words += ["--mark", str(mark - program.entry), "--range", f"{mark - program.entry}:{mark + 1 - program.entry}"]
    for low, high in program.ranges:
        words += ["--range", f"{low - program.entry}:{high - program.entry}"]
    return [*words, *options, "--", *command]


def take(result: Result, line: str) -> int | None:
    """One line of the guest. Returns how many schedules were tried, if it says so."""
    try:
        said = json.loads(line)
    except ValueError:
        raise MachineFailed(line.strip().removeprefix("explore: ")[:200]) from None
    if isinstance(said, list):
        result.events.append({"event": "step"} | dict(zip(("task", "at", "rip"), said)))
    elif "tried" in said:
        return said["tried"]
    elif "entry" in said:
        result.entry = said["entry"]
    elif "covered" in said:
        result.coverage = said
    elif "event" in said:
        result.events.append(said)
    elif "order" in said:
        result.orders.append(said)
    elif "schedule" in said:
        result.run = said
    return None


def _listen(process: subprocess.Popen, result: Result, progress: Callable[[int], None] | None) -> tuple[str, int]:
    """To the guest, until its end: what it complained of, and its status."""
    with process:
        try:
            for line in process.stdout:
                tried = take(result, line)
                if tried and progress:
                    progress(tried)
            return process.stderr.read(), process.wait()
        finally:
            process.terminate()  # it said what it should not; to one that has ended this does nothing


def boot(guest: Guest, options: list[str], *, run_options: list[str] | None = None,
         progress: Callable[[int], None] | None = None) -> Result:
    """Boot a guest that explores. Raises MachineFailed."""
    result = Result()
    with tempfile.TemporaryDirectory(prefix="explore-") as directory:
        log = os.path.join(directory, "log")
        process = subprocess.Popen(
            [os.path.join(host.ROOT, "tools/run"), "--icount", "--lang", "en", "--log", log, "--evidence", directory,
             "--timeout", f"{guest.timeout:.0f}", *(run_options or []), *options_of_run(guest, options)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors="replace", preexec_fn=host.tied_to_us(signal.SIGTERM))
        errors, status = _listen(process, result, progress)
        if status == PANIC:
            return _panicked(result, log, errors)
        if status == TIMEOUT:
            raise MachineFailed(_timed_out(guest, log))
    if status > 1:
        raise MachineFailed(errors.strip() or f"the guest ended with status {status}")
    return result


def _timed_out(guest: Guest, log: str) -> str:
    """Of a guest whose time is over: in a line, with the schedule it was busy with."""
    with open(log, errors="replace") as f:
        found = SCHEDULE.search(f.read())
    text = f"{guest.timeout:g} s of guest time are over (--timeout)"
    if not found:
        return f"{text}, between two runs"
    if found[1] != "schedule":
        return f"{text}, in run {found[4]}, one by priorities"
    return f"{text}, in run {found[4]}; again: --replay {found[2] or '-'}"


def _panicked(result: Result, log: str, errors: str) -> Result:
    with open(log, errors="replace") as f:
        text = f.read()
    found, said = SCHEDULE.search(text), re.search(r"PANIC: (.*)", text)
    if not found or not said:
        raise MachineFailed(errors.strip())
    silent = said[1].startswith(NMI)
    result.panic = "hang: the CPU has taken no interrupt for two seconds" if silent else said[1]
    result.place = _place(text[said.end():])
    result.events = [{"event": KINDS[int(kind)], "task": int(task), "why": WHYS[int(why)], "reason": int(reason),
                      "at": int(at), "nth": int(nth), "rip": int(rip, 16), "object": int(thing, 16),
                      "ready": int(ready, 16)}
                     for kind, task, why, reason, at, nth, rip, thing, ready in EVENT.findall(text)]
    result.coverage = {"schedules": int(found[4])}
    result.avoid = found[2] or "-"
    schedule = result.avoid if found[1] == "schedule" else _schedule_of_run(result.events)
    result.run = {"schedule": schedule, "failed": True, "verdict": "panic", "status": 0, "signal": 0,
                  "instructions": int(found[3]), "tasks": 0, "dropped": 0, "diverged": False, "output": "",
                  "lost": ""}
    return result


def _schedule_of_run(events: list[dict]) -> str:
    """By which the run would go without priorities, as user/explore/schedule.c has it."""
    places, stop = [], {}
    for event in events:
        taken = stop.get("why") == "taken"
        if event["event"] == "stops":
            stop = event
        elif taken or event["ready"].bit_count() > 1:
            nth = f"k{stop['nth']}" if taken and stop["nth"] else ""
            places.append(f"{event['at']}{nth}@{event['task']}")
    return ",".join(places) or "-"


def _place(log: str) -> str:
    """The function that panicked, or that was interrupted, and its line."""
    frames = FRAME.findall(log)
    names = [name for _, name in frames]
    for inner, skip in (("trap_dispatch", 2), ("panic", 1)):  # who was interrupted, or calls it
        if inner in names:
            frames = frames[names.index(inner) + skip:]
            break
    if not frames:
        return ""
    return f"in {frames[0][1]}() {monitor.place(host.KERNEL, int(frames[0][0], 16) - 1)[1]}"


def search(guest: Guest, options: list[str], progress: Callable[[int], None] | None) -> tuple[Result, list[Result]]:
    """Search until a schedule fails or all were tried; and those that ended the machine, which is booted
    again then, and passes over them."""
    panics: list[Result] = []
    while True:
        avoid = [word for p in panics for word in ("--avoid", p.avoid)]
        result = boot(guest, options + avoid, progress=progress)
        if not result.panic:
            return result, panics
        panics.append(result)
        if len(panics) == PANICS_MAX:
            return panics[-1], panics


def shrink_panic(guest: Guest, result: Result) -> Result:
    """Without the places that it panics without, too: each try is a boot."""
    tried, places, at = result.coverage, result.run["schedule"].split(","), 0
    while at < len(places) and places != ["-"]:
        without = ",".join(places[:at] + places[at + 1:]) or "-"
        shorter = boot(guest, [*replayed(without), "--once"])
        if shorter.panic:
            result, places = shorter, without.split(",")
        else:
            at += 1
    result.coverage = tried
    return result
