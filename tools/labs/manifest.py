"""What labs/N/lab.py declares, and how it is found.

lab.py is Python that sets LAB to a Lab. Points of tests and questions add up to 100.
"""
import hashlib
import re
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Callable

import markers
from own import OwnTrace


# By name: a number, or for what is measured the lowest and the highest that are right.
Values = dict[str, int | tuple[int, int]]


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


@dataclass
class Lab:
    number: int
    title: str
    goal: str         # one line
    files: list[str]  # what a learner changes and hands in: patterns below the tree
    tests: list[Test]
    questions: int    # points for answers.txt, shared equally among its numbered questions
    own: OwnTrace | None = None  # questions about the learner's own trace
    places: dict[str, str] = field(default_factory=dict)  # the step, by the function that it asks for
    # What to look at if it died in none of these, or takes too long; by the test that is about it: of
    # what has passed no hint speaks.
    crash: dict[str, str] = field(default_factory=dict)
    hang: dict[str, str] = field(default_factory=dict)

    def points(self) -> dict[str, int]:
        """Of all that is graded, by name."""
        return {test.name: test.points for test in self.tests} | (self.own.each() if self.own else {}) | \
            ({"questions": self.questions} if self.questions else {})


class ManifestError(Exception):
    pass


def numbers(root: Path) -> list[int]:
    return sorted(int(path.parent.name) for path in root.glob("labs/[0-9]/lab.py"))


def load(root: Path, number: int) -> Lab:
    path = root / f"labs/{number}/lab.py"
    if not path.exists():
        known = ", ".join(map(str, numbers(root))) or "none"
        raise ManifestError(f"there is no lab {number} here (there are: {known})")
    lab: Lab = SourceFileLoader(f"lab{number}", str(path)).load_module().LAB
    total = sum(lab.points().values())
    if total != 100:
        raise ManifestError(f"{path}: the points add up to {total}, not to 100")
    return lab


def digest(lab: int, question: str, answer: str) -> str:
    """What a starter knows of an answer. Spaces and case do not count, nor 0x16 or 22."""
    text = re.sub(r"\s+", "", answer.lower())
    if re.fullmatch(r"0x[0-9a-f]+|\d+", text):
        text = str(int(text, 16 if text.startswith("0x") else 10))
    return hashlib.sha256(f"baton {lab} {question} {text}".encode()).hexdigest()[:24]


def read_answers(path: Path) -> dict[str, str]:
    """`number: answer` and `word: answer` lines; all others are comments. The solution's part where
    it is marked."""
    text = path.read_text(errors="replace") if path.exists() else ""
    try:
        text = markers.resolve(markers.parse("answers.txt", text), None)
    except markers.MarkerError:
        pass  # a learner's, who has written something like a marker
    return {match[1]: match[2].strip() for match in re.finditer(r"^(\w+):(.*)$", text, re.M)}


def answer_digests(root: Path, number: int) -> dict[str, str]:
    """By number: from the starter's answers.sums, or from the solution's own answers."""
    sums = root / f"labs/{number}/answers.sums"
    if sums.exists():
        return dict(line.split() for line in sums.read_text().splitlines())
    answers = read_answers(root / f"labs/{number}/answers.txt")
    return {question: digest(number, question, answer) for question, answer in answers.items()
            if question.isdigit()}
