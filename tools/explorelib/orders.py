"""A run of coroutines as a story: whose turn it was, by which lines, and where another one came first."""
import shlex
from collections import Counter
from dataclasses import dataclass, field

from explorelib.engine import MARK, Result
from explorelib.program import Place, Program
from explorelib.story import Step, cut, many, waits, with_text
from explorelib.watch import Watch


@dataclass
class Turn:
    """A coroutine from the run loop's switch to it until it comes back; id 0: outside of the loop."""
    id: int = 0
    name: str = "main"
    among: int = 1  # so many were ready, and `taken` of them were passed over
    taken: int = 0
    step: Step = field(default_factory=lambda: Step(0))
    cases: list[str] = field(default_factory=list)  # of selects that did not take the first
    ends: str = "yields"


def _lines(result: Result, program: Program) -> list[list[Place]]:
    """The lines that are begun, in order: up to the first mark, up to the second, and so on."""
    base, mark = result.entry - program.entry, program.symbols.get(MARK)
    program.look_up({e["rip"] - base for e in result.events if e["event"] == "step"})
    found: list[list[Place]] = [[]]
    for event in result.events:
        if event["event"] != "step":
            continue
        place = None
        if event["rip"] - base == mark:
            found.append([])
        else:
            place = program.place(event["rip"] - base)
        if place and (not found[-1] or found[-1][-1] != place):
            found[-1].append(place)
    return found


def turns(result: Result, program: Program, reasons: list[str]) -> list[Turn]:
    """What happened, from the library's log, until nobody could go on; with lines, if all was seen that
    the log has."""
    found = [Turn()]
    for record in result.orders:
        kind = record["order"]
        if kind == "turn":
            found.append(Turn(record["id"], record["text"], record["among"], record["taken"]))
        elif kind == "back":
            found.append(Turn())
        elif kind == "park" and record["id"] == found[-1].id:
            found[-1].ends = f"waits ({record['text']})"
        elif kind == "end" and record["id"] == found[-1].id:
            found[-1].ends = "ends"
        elif kind == "select" and record["taken"]:
            found[-1].cases.append(f"takes ready case {record['taken'] + 1} of {record['among']}")
        elif kind == "deadlock":
            break
    lines = _lines(result, program)
    if len(lines) >= len(found):
        for turn, places in zip(found, lines):
            turn.step.places = places
    stops = [event for event in result.events if event["event"] == "stops"]
    if result.run["verdict"] == "deadlock" and found[-1].ends == "yields" and stops and stops[-1]["why"] == "blocks":
        found[-1].ends = "its thread " + waits(stops[-1], program, result.entry - program.entry, reasons)
    shared = Counter(turn.name for turn in {t.id: t for t in found}.values())
    for turn in found:
        turn.name += f" {turn.id}" if turn.id and shared[turn.name] > 1 else ""
    return found


def waiting(found: list[Turn]) -> list[str]:
    """Who waits for what, at the end."""
    last = {turn.id: turn for turn in found if turn.id}
    lines = []
    for turn in last.values():
        if "waits" in turn.ends:
            place = turn.step.places[-1] if turn.step.places else None
            colon = ":" if turn.ends.startswith("its") else ""
            lines.append(f"{turn.name}{colon} {turn.ends}" + (f" at {place}  {place.text()}" if place else ""))
    return lines


def tell(found: list[Turn]) -> list[str]:
    told = []
    width = max(len(turn.name) for turn in found)
    for turn in found:
        if turn.taken:
            told.append(" " * (width + 1) + f"-- {turn.among} are ready: not the first of them comes --"
                        if turn.among > 2 else " " * (width + 1) + "-- 2 are ready: the second comes --")
        row = f"{turn.name:<{width}} {turn.step.own_lines()}"
        ends = "".join(f", {case}" for case in turn.cases)
        if turn.id:
            ends += ", to its end" if turn.ends == "ends" else f", {turn.ends}"
        single = len({str(p) for p in turn.step.places}) == 1
        row = with_text(row, turn.step.places[0], ends, width + 22) if single else row + ends
        if turn.id or turn.step.places:
            told.append(row)
    return cut(told)


class Told:
    """What was found among the orders of coroutines, as story.Told says it of tasks."""
    unit = "order"

    def __init__(self, result: Result, program: Program, reasons: list[str], _: dict[int, Watch]) -> None:
        self.run = result.run
        self.has_lines = bool(program.ranges)
        self.found = turns(result, program, reasons) if self.run else []

    def count(self) -> int:
        return 0 if self.run["schedule"] == "-" else self.run["schedule"].count("@")

    def deviations(self) -> str:
        return f"{many(self.count(), 'choice')} other than the first" if self.count() else "the queue's own"

    def lines(self) -> list[str]:
        return tell(self.found)

    def waiting(self) -> list[str]:
        return waiting(self.found)

    def gdb(self, command: str, added: list[str]) -> str:
        return "" if added else f"make gdb CMD={shlex.quote('env CO_ORDER=' + self.run['schedule'] + ' ' + command)}"

    def steps(self) -> list[dict]:
        return [{"coroutine": t.id, "name": t.name, "among": t.among, "taken": t.taken, "ends": t.ends,
                 "lines": [str(p) for p in t.step.places]} for t in self.found]

    def coverage(self, coverage: dict) -> list[str]:
        covered = coverage["covered"]
        if all(level["all"] for level in covered) and coverage["rest"] == 0:
            return [f"every order: {coverage['schedules']:,}"]
        lines = []
        for level in covered:
            n, number = level["preemptions"], level["schedules"]
            what = f"with {many(n, 'choice')} other than the first" if n else "of the queue"
            if level["all"]:
                lines.append(f"every order {what}: {number:,}")
            elif number:
                lines.append(f"orders {what}: {number:,}, by chance")
        return lines
