"""Where a test program died or the kernel panicked, and where a guest stood when its time was over:
in the words of the learner's source, with the step of the handout that asks for that function.

The test program tells its own addresses (labs/grade.h); a panic's stack comes named from tools/run.
"""
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ktracelib import format as fmt
from ktracelib.spans import duration
from ktracelib.states import Model
from manifest import Lab

SI_KERNEL = 0x80
STACK = 16 << 10  # bytes, about
TRACE_MAX = 8 << 20  # bytes of a trace that is looked through for a sentence
PLUMBING = re.compile(r"panic|finish_panic|begin_panic|trap_|assert|machine_|time_is_over|irq_|timer_|sched_timer_")
LIBRARY = re.compile(r"kernel/lib/|user/ulib/\w+\.")


@dataclass
class Place:
    symbol: str
    file: str = ""
    line: str = ""

    def __str__(self) -> str:
        return f"{self.symbol} ({self.file}:{self.line})" if self.file else self.symbol


def relative(path: str) -> str:
    """Below the tree's top: objects name the place where they were compiled, nasm's the folder twice."""
    match = re.match(r".*/((?:kernel|user|labs)/[\w./+-]+)$", "/" + path)
    return match[1] if match else ""


def lookup(binary: Path, addresses: list[int]) -> list[list[Place]]:
    """For each address the functions that are there, an inlined one before the one that it is in.
    Empty without addr2line, and for addresses outside."""
    try:
        out = subprocess.run(["addr2line", "-a", "-f", "-i", "-e", str(binary), *map(hex, addresses)],
                             text=True, capture_output=True, errors="replace", timeout=60).stdout
    except (OSError, subprocess.TimeoutExpired):
        out = ""
    found: list[list[Place]] = []
    lines = iter(out.splitlines())
    for line in lines:
        if re.fullmatch("0x[0-9a-f]+", line):
            found.append([])
        elif found:
            path, _, number = next(lines, "").split(" ")[0].rpartition(":")
            if line != "??":
                found[-1].append(Place(line, relative(path), number if number.isdigit() else "?"))
    return found + [[] for _ in addresses[len(found):]]


def chain(places: list[Place], lab: Lab) -> list[Place]:
    """The innermost function, the innermost outside of libraries, the innermost of those that the lab asks
    for, and the test's own."""
    callers = [place for place in places if not LIBRARY.match(place.file)]
    asked = [place for place in places if place.symbol in lab.places]
    tests = [place for place in places if place.file.startswith(f"labs/{lab.number}/")]
    found: list[Place] = []
    for place in places[:1] + callers[:1] + asked[:1] + tests[:1]:
        if place not in found:
            found.append(place)
    return found


def described(found: list[Place]) -> str:
    way = " and ".join(map(str, found[1:]))
    if not found:
        return ""
    return f"{found[0]}, by way of {way}" if way else str(found[0])


def step_of(found: list[Place], lab: Lab) -> str:
    for place in found:
        if place.symbol in lab.places:
            return f"{place.symbol} is where it ended: {lab.places[place.symbol]}"
    return ""


def name_of(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"


def program(root: Path, lab: Lab, report: str) -> tuple[str, list[Place]]:
    """What the test program told when it died, if it could: a sentence, and the places."""
    match = re.search(r"^# died: (\d{1,3}) (-?\d{1,9}) 0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16}) 0x([0-9a-f]{1,16})$",
                      report, re.M)
    if not match:
        return "", []
    address, rip, rbp = (int(text, 16) for text in match.groups()[2:])
    above = [max(int(text, 16) - 1, 0) for text in re.findall(r"^# frame: 0x([0-9a-f]{1,16})$", report, re.M)]
    first, *callers = lookup(root / f"build/labs/{lab.number}/tests", [rip] + above[:16])
    if not first:  # it was sent there: what lies on the stack tells by whom
        top = re.search(r"^# top: 0x([0-9a-f]{1,16})$", report, re.M)
        sender = lookup(root / f"build/labs/{lab.number}/tests", [int(top[1], 16) - 1])[0] if top else []
        found = chain(sender + sum(callers, []), lab)
        return f"it jumped to {rip:#x}, where no code is, from {described(found)}" if found \
            else f"it jumped to {rip:#x}, where no code is", found
    found = chain(first + sum(callers, []), lab)
    if int(match[2]) != SI_KERNEL:
        return f"in {described(found)}; address {address:#x}", found
    if rbp % 16:  # with frame pointers it is a multiple wherever the stack was one at the call
        return f"in {described(found)}, which uses SSE: the stack is not aligned to 16 bytes, it has a word too " \
               "many or too few", found[:1]
    return f"in {described(found)}; an address that none can be", found


def kernel(root: Path, lab: Lab, errors: str) -> tuple[str, list[Place]]:
    """Of a panic's stack, or of one where the time was over: a sentence, and the places."""
    frames = [int(text, 16) for text in re.findall(r"^  #\d+ 0x([0-9a-f]{16}) \S+\+", errors, re.M)[:40]]
    # It is the timer that says that the time is over.
    asked = {} if re.search("^timeout: ", errors, re.M) else lab.places
    places = [place for inlined in lookup(root / "build/baton.elf", [address - 1 for address in frames])
              for place in inlined if place.symbol in asked or not PLUMBING.match(place.symbol)]
    found = chain(places, lab)
    sent = re.search(r"^rip ([0-9a-f]{16}) rsp ([0-9a-f]{16})", errors, re.M)
    if sent and frames and not lookup(root / "build/baton.elf", [int(sent[1], 16)])[0]:
        here = "on its own stack" if abs(int(sent[1], 16) - int(sent[2], 16)) < STACK else "where no code is"
        return f"it went to 0x{sent[1]}, {here}: a ret that found a wrong word, by way of {described(found)}" if found \
            else f"it went to 0x{sent[1]}, {here}: a ret that found a wrong word", found
    return f"in {described(found)}" if found else "", found


def stopped(root: Path, lab: Lab, errors: str) -> tuple[str, list[Place]]:
    """Of a machine that a triple fault has stopped, where the CPUs were that did not sleep: any of
    them may have had it."""
    cpus = re.findall(r"^  CPU (\d+) is at 0x([0-9a-f]{1,16}) (?!.*, halted;)", errors, re.M)
    words, places = [], []
    if not cpus:  # without addresses addr2line reads its input
        return "", []
    for (cpu, address), lines in zip(cpus, lookup(root / "build/baton.elf", [int(at, 16) for _, at in cpus])):
        found = chain(lines, lab)
        where = f"in {described(found)}" if found else f"at 0x{address}, where no code of the kernel is"
        words.append(f"CPU {cpu}: {where}" if len(cpus) > 1 else where)
        places += found
    return "; ".join(words), places


def standing(root: Path, lab: Lab, errors: str, trace: Path) -> str:
    """What each thread of the test was at when the time was over: who waits for what, who runs where."""
    try:
        if trace.stat().st_size > TRACE_MAX:
            return ""
        model = Model(fmt.load(str(trace)))
    except Exception:  # nothing that the verdict depends on
        return ""
    interrupted = re.search(r"^  #\d+ 0x0000([0-7][0-9a-f]{11}) ", errors, re.M)
    at = lookup(root / f"build/labs/{lab.number}/tests", [int(interrupted[1], 16)])[0] if interrupted else []
    words = []
    for task in model.tasks.values():
        if task.name != "labtest" or task.status is not None or not task.spans:
            continue
        last, waits = task.spans[-1], [span for span in task.spans if span.state == "blocked"]
        if last.state == "blocked":
            words.append(f"thread {task.tid} waits for {duration(last.end - last.start)} now ({last.detail})")
        else:
            since = waits[-1].end if waits else task.spans[0].start
            long = duration(last.end - since)
            if last.state == "ready":
                words.append(f"thread {task.tid} is ready, and gets no CPU")
            elif at and model.cpus[0].current == task.tid:
                words.append(f"thread {task.tid} has not waited for {long}: it runs in {described(chain(at, lab))}")
            else:
                words.append(f"thread {task.tid} has not waited for {long}: it runs")
    more = [f"and {len(words) - 4} more"] if len(words) > 4 else []
    return "; ".join(words[:4] + more)
