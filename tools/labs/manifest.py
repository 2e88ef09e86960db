"""What labs/N/lab.py declares, and how it is found.

lab.py is Python that sets LAB to a Lab. Points of tests and questions add up to 100.
"""
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from own import OwnTrace


# By name: a number, or for what is measured the lowest and the highest that are right.
Values = dict[str, int | tuple[int, int]]


@dataclass
class Explored:
    """The test is run by every schedule with at most one preemption (docs/explore.md), and by some with more."""
    preemptions: int = 2
    samples: int = 100       # with each number of preemptions above one
    # Of a run, at most: less than a turn (50,000), so who waits in a loop instead of sleeping never ends.
    instructions: int = 30000
    shows: str = ""          # files of the library whose lines the story tells, too: a pattern
    deadlock: str = ""       # what to do next then; "": the test's own hint
    livelock: str = ""


@dataclass
class Test:
    """One graded behaviour: one boot of the guest, in which labs/N/tests.c runs test `name`."""
    name: str
    points: int
    hint: str  # what to do next when it fails
    # The values that the guest must report for a seed and a number of CPUs, recomputed here.
    expected: Callable[[int, int], Values] = lambda seed, cpus: {}
    checks: list[str] = field(default_factory=list)  # of the trace: `tools/ktrace check`
    append: str = ""  # kernel options; {seed} is replaced
    limit: int = 4    # seconds of guest time
    memory: int = 256  # MiB
    cpus: int = 1     # at least so many, whatever --smp says
    hints: dict[str, str] = field(default_factory=dict)  # what to do next if this value or check is wrong
    crash: str = ""   # what to do next if the program dies or the kernel panics
    hang: str = ""    # what to do next if it takes too long
    explored: Explored | None = None  # on one CPU, whatever --smp says


@dataclass
class OwnQuestion:
    """One of the numbered questions, with numbers that are drawn from the learner's name."""
    asked: Callable[[str], str]
    right: Callable[[str], int | str]


@dataclass
class Lab:
    number: int
    title: str
    goal: str         # one line
    files: list[str]  # what a learner changes and hands in: patterns below the tree
    tests: list[Test]
    questions: int    # points for answers.txt, shared equally among its numbered questions
    own: OwnTrace | None = None  # questions about the learner's own trace
    personal: dict[str, OwnQuestion] = field(default_factory=dict)  # by number; the others have one answer
    places: dict[str, str] = field(default_factory=dict)  # the step, by the function that it asks for
    # What to look at if it died in none of these, or takes too long; by the test that is about it: of
    # what has passed no hint speaks.
    crash: dict[str, str] = field(default_factory=dict)
    hang: dict[str, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)  # for the addresses of futexes, as an explorer's story has them

    def points(self) -> dict[str, int]:
        """Of all that is graded, by name."""
        return {test.name: test.points for test in self.tests} | (self.own.each() if self.own else {}) | \
            ({"questions": self.questions} if self.questions else {})


class ManifestError(Exception):
    """There is no such lab."""


class ManifestBroken(Exception):
    """Somebody has changed lab.py."""


def numbers(root: Path) -> list[int]:
    return sorted(int(path.parent.name) for path in root.glob("labs/[0-9]/lab.py"))


def load(root: Path, number: int) -> Lab:
    path = root / f"labs/{number}/lab.py"
    if not path.exists():
        known = ", ".join(map(str, numbers(root))) or "none"
        raise ManifestError(f"there is no lab {number} here (there are: {known})")
    names: dict = {"__name__": f"lab{number}"}
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), names)
        lab: Lab = names["LAB"]
        total = sum(lab.points().values())
    except (Exception, SystemExit) as error:
        raise ManifestBroken(f"{path}: {type(error).__name__}: {error}") from None
    if lab.number != number or total != 100:
        raise ManifestBroken(f"{path}: lab {lab.number}, whose points add up to {total}, not to 100")
    return lab
