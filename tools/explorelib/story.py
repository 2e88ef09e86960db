"""A run as a story in the program's own lines: who ran from where to where, where the CPU was taken."""
import re
import shlex
import signal
import textwrap
from dataclasses import dataclass, field

from explorelib.engine import Result
from explorelib.program import Place, Program, output
from explorelib.watch import Watch
from launch.host import KERNEL, ROOT

INLINED = re.compile(r"/(percpu|spinlock)\.h:")  # of the kernel
VALUES_MAX = 3  # of variables, in a line
FIRST_ROWS, LAST_ROWS = 16, 10  # of a story that is too long for a screen
WIDTH = 78  # of a line, which is set in by two


@dataclass
class Step:
    """A task with the CPU, until it loses it or gives it away."""
    task: int
    at: int = 0  # the place where that begins
    until: int = 0
    places: list[Place] = field(default_factory=list)  # the lines that it begins, in order
    ends: str = ""  # taken, blocks, ends, yields, turn; nothing: the run was over
    waits: str = ""
    stands: Place | None = None  # the line that it was about to go on with
    values: list[tuple[str, str, int]] = field(default_factory=list)  # (reads or writes, variable, value), in order
    kernel: str = ""  # if the CPU was taken in the kernel: where
    elsewhere: bool = False  # it is, or becomes, another program

    def lines(self) -> str:
        own = self.own_lines()
        if self.elsewhere:
            return f"{own}, another program" if own else "(another program)"
        return own or "(in a library)"

    def own_lines(self) -> str:
        """As short as can be: one line, or from the first to the last."""
        if not self.places:
            return ""
        first, last = self.places[0], self.places[-1]
        if first.file != last.file:
            return f"{first} to {last}"
        numbers = [p.line for p in self.places if p.file == first.file]
        low, high = min(numbers), max(numbers)
        return str(first) if low == high else f"{Place(first.file, low)}..{high}"


def name(task: int) -> str:
    return "main" if task == 1 else f"thread {task}"


def waits(event: dict, program: Program, base: int, reasons: list[str]) -> str:
    reason = reasons[event["reason"]] if event["reason"] < len(reasons) else "?"
    if reason == "futex":
        variable = program.variable(event["object"] - base)
        return f"waits for {variable} (a futex)" if variable else "waits (for a futex)"
    return {"nanosleep": "sleeps", "wait4": "waits for a child"}.get(reason, f"waits ({reason})")


def _look(event: dict, watch: Watch, program: Program) -> list[tuple[str, str, int]]:
    """What an instruction did to its variable."""
    name, bits = program.variable(watch.address), watch.size * 8
    before, after = ((v ^ 1 << bits - 1) - (1 << bits - 1) for v in (event["before"], event["after"]))  # signed
    return [("reads", name, before)] * watch.reads + [("writes", name, after)] * watch.writes


def keep_shared(found: list[Step]) -> None:
    """Only variables that one task writes and another one looks at, too, are worth a word."""
    users: dict[str, set[int]] = {}
    written = {name for step in found for does, name, _ in step.values if does == "writes"}
    for step in found:
        for _, name, _ in step.values:
            users.setdefault(name, set()).add(step.task)
    for step in found:
        step.values = [v for v in step.values if v[1] in written and len(users[v[1]]) > 1]


def told_values(step: Step) -> str:
    """The last of what was read, and of what was written, of each variable: "(reads counter: 0)"."""
    last: dict[tuple[str, str], int] = {}
    for does, name, value in step.values:
        last.pop((does, name), None)
        last[does, name] = value
    words = [f"{does} {name}: {value if abs(value) < 1 << 20 else hex(value % (1 << 64))}"
             for (does, name), value in last.items()]
    return f"({', '.join(words[-VALUES_MAX:])})" if words else ""


def _kernel_place(address: int) -> str:
    """Who takes the lock, or gives it back, there: not what is inlined for that."""
    lines = output("addr2line", "-i", "-f", "-e", KERNEL, hex(address)).split("\n")
    frames = [(name, at) for name, at in zip(lines[::2], lines[1::2]) if not INLINED.search(at)]
    name, at = frames[0] if frames else ("?", "?")
    return f"{name} {at.split(' ')[0].removeprefix(ROOT + '/')}"


def steps(result: Result, program: Program, reasons: list[str], watches: dict[int, Watch]) -> list[Step]:
    base = result.entry - program.entry
    program.look_up({e["rip"] - base for e in result.events if e["event"] == "step"})
    found: list[Step] = []
    last: dict[int, Place] = {}  # where each task was last
    for event in result.events:
        if event["event"] == "runs":
            found.append(Step(event["task"], event["at"]))
            found[-1].elsewhere = event["rip"] == 0
            place = program.place(event["rip"] - base)
            if not found[-1].elsewhere and (place or event["task"] in last):  # it goes on with what it was doing
                found[-1].places.append(place or last[event["task"]])
        elif event["event"] == "step" and found:
            place = program.place(event["rip"] - base)
            if place and (not found[-1].places or found[-1].places[-1] != place):
                found[-1].places.append(place)
            if place:
                last[event["task"]] = place
            if "before" in event:
                found[-1].values += _look(event, watches[event["rip"] - base], program)
        elif event["event"] == "stops" and found:
            now = found[-1]
            now.until, now.ends = event["at"], event["why"]
            now.elsewhere |= event["rip"] == 0
            now.stands = program.place(event["rip"] - base)
            if result.panic and now.stands:  # no step is known: from where to where is
                now.places.append(now.stands)
            if now.ends == "taken" and event["object"]:
                now.kernel = _kernel_place(event["object"] - 1)
                now.stands = None
            elif now.ends == "blocks":
                now.waits = waits(event, program, base, reasons)
            elif now.ends in ("taken", "turn") and len(now.places) > 1 and now.places[-1] == now.stands \
                    and not _begun(result, event, base, program):
                now.places.pop()  # it was about to begin that line
    keep_shared(found)
    return found


def _begun(result: Result, stop: dict, base: int, program: Program) -> bool:
    """Had the task executed anything of the line at which the CPU was taken?"""
    before = [e for e in result.events if e["event"] == "step" and e["task"] == stop["task"]
              and e["at"] < stop["at"]]
    return bool(before) and program.place(before[-1]["rip"] - base) == program.place(stop["rip"] - base)


def _folded(waiting: list[str]) -> list[str]:
    """What is too wide for a line has the program's own text on the next one."""
    lines = []
    for line in waiting:
        where, _, text = line.rpartition("  ")
        lines += [line] if len(line) <= WIDTH - 2 or not where else [where, f"  {text}"]
    return lines


def verdict(run: dict, waiting: list[str]) -> str:
    kind = run["verdict"]
    if kind == "deadlock":
        return "deadlock: nobody can go on" + "".join(f"\n    {line}" for line in _folded(waiting))
    if kind == "livelock":
        return f"livelock: not at its end after {run['instructions']:,} instructions"
    if kind == "leak":
        return f"leak: it leaves {run['lost']} behind, each time"
    if run["signal"]:
        return f"killed by signal {run['signal']} ({signal.Signals(run['signal']).name})"
    if run["status"]:
        return f"it ended with status {run['status']}"
    return "it ended with status 0"


def waiting(found: list[Step]) -> list[str]:
    """Who waits for what, when nobody can go on."""
    last: dict[int, Step] = {}
    for step in found:
        last[step.task] = step
    lines = []
    for task, step in sorted(last.items()):
        if step.ends == "blocks":
            place = step.places[-1] if step.places else None
            where = f" at {place}  {place.text()}" if place else ""
            lines.append(f"{name(task)} {step.waits}{where}")
    return lines


def with_text(row: str, place: Place, behind: str = "", column: int = 32) -> str:
    """The line itself, as much of it as fits, between these."""
    row = row.ljust(column - 2) + "  "
    room = max(WIDTH - len(row) - len(behind), 0)
    text = place.text()
    return row + (text if len(text) <= room else f"{text[:max(room - 4, 0)].rstrip()} ...") + behind


def cut(told: list[str]) -> list[str]:
    if len(told) > FIRST_ROWS + LAST_ROWS + 1:
        told[FIRST_ROWS:-LAST_ROWS] = [f"... {len(told) - FIRST_ROWS - LAST_ROWS} lines more ..."]
    return told


def _wrapped(values: str) -> list[str]:
    """On lines of their own; none is broken within."""
    lines = textwrap.wrap(values.replace(": ", ":\0").replace("s ", "s\0"), WIDTH, initial_indent=" " * 13,
                          subsequent_indent=" " * 14, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\0", " ") for line in lines]


def _taken(step: Step) -> list[str]:
    """Where the CPU was taken, in a line or two."""
    where = f", before {step.stands}" if step.stands else ""
    what = f"in the kernel: {step.kernel}" if step.kernel else step.stands.text() if step.stands else ""
    row = f"{' ' * 11}-- CPU taken here{where}{', ' if step.kernel else '  ' if what else ''}{what} --"
    if len(row) <= WIDTH:
        return [row]
    return [f"{' ' * 11}-- CPU taken here{where} --", *textwrap.wrap(what, WIDTH, initial_indent=" " * 14, subsequent_indent=" " * 16)]


def tell(found: list[Step]) -> list[str]:
    """The lines of the story. What the same task does in a row without a preemption is one line."""
    told = []
    for i, step in enumerate(found):
        row = f"{name(step.task):<10} {step.lines()}"
        ends = {"ends": ", to its end", "blocks": f", {step.waits}", "yields": ", yields"}.get(step.ends, "")
        single = len({str(p) for p in step.places}) == 1 and not step.elsewhere
        row = with_text(row, step.places[0], ends) if single else row + ends
        values = told_values(step)
        if values and len(f"{row:<56}  {values}") <= WIDTH:
            told.append(f"{row:<56}  {values}")
        else:
            told += [row, *_wrapped(values)]
        if step.ends == "turn":
            told.append(" " * 11 + "-- its turn is over --")
        elif step.ends == "taken" and i + 1 < len(found):
            told += _taken(step)
    return cut(told)


def many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


class Told:
    """What was found among the schedules of tasks; orders.Told is its twin for coroutines."""
    unit = "schedule"

    def __init__(self, result: Result, program: Program, reasons: list[str], watches: dict[int, Watch]) -> None:
        self.run = result.run
        self.has_lines = bool(program.ranges)
        self.found = steps(result, program, reasons, watches)

    def count(self) -> int:
        return sum(step.ends == "taken" for step in self.found)

    def deviations(self) -> str:
        return many(self.count(), "preemption")

    def lines(self) -> list[str]:
        return tell(self.found)

    def waiting(self) -> list[str]:
        return waiting(self.found)

    def gdb(self, command: str, added: list[str]) -> str:
        words = f"ADD={shlex.quote(' '.join(added))} " if added else ""
        return f"make gdb {words}EXPLORE={self.run['schedule']} CMD={shlex.quote(command)}"

    def steps(self) -> list[dict]:
        return [{"task": s.task, "from": s.at, "to": s.until, "ends": s.ends, "lines": [str(p) for p in s.places],
                 "kernel": s.kernel, "values": [list(v) for v in s.values]} for s in self.found]

    def coverage(self, coverage: dict) -> list[str]:
        """What was tried, in words that are true: "every" where it was all, "by chance" where it was a sample."""
        lines = []
        for level in coverage["covered"]:
            n, number = level["preemptions"], level["schedules"]
            what = "without a preemption" if n == 0 else f"with {many(n, 'preemption')}"
            lost = f"; {level['diverged']:,} of these did not go as they say" if level["diverged"] else ""
            if level["all"]:
                lines.append(f"every schedule {what}: {number:,}")
            elif level["of"]:
                more = "" if lost else f"; there are more than {max(level['of'], number):,}"
                lines.append(f"schedules {what}: {number:,}{more}{lost}")
            elif number:
                by = " by chance" if n > 1 else ", of more"
                lines.append(f"schedules {what}: {number:,}{by}{lost}")
        return lines
