"""What a grading says of one test or question."""
from dataclasses import dataclass

from ktracelib.untrusted import printable

OK, FAIL, PANIC, TRIPLE, TIMEOUT, HARNESS = "ok", "FAIL", "PANIC", "TRIPLE-FAULT", "TIMEOUT", "HARNESS"
NOT_YOURS = "this is not your fault: grade again; if it stays, show this to your teacher"
LINE_MAX, LINES_MAX = 400, 30  # a story has up to 28


class WrongUse(Exception):
    """Whoever grades has named something that is not there, or must not be touched."""


@dataclass
class Result:
    name: str
    points: int          # possible
    score: int = 0
    verdict: str = FAIL
    expected: str = ""
    seen: str = ""
    hint: str = ""
    again: str = ""
    evidence: str = ""  # where it is kept
    look: str = ""       # commands that show it
    story: str = ""      # of the schedule that breaks it
    where: str = ""      # it died: function and line, as far as they are known
    early: str = ""      # "crash" or "hang", if the test did not come to its end


def short(text: str) -> str:
    """Lines that a terminal, a page or a parser can be given, and no more than somebody reads."""
    lines = [line if len(line) <= LINE_MAX else line[:LINE_MAX] + " ..."
             for line in (printable(line) for line in text[:LINE_MAX * LINES_MAX].split("\n"))]
    return "\n".join(lines[:LINES_MAX])


def cleaned(result: Result) -> Result:
    """As it may be written: what it says comes from a guest, a compiler or a learner's file."""
    fields = vars(result)
    return Result(**{key: short(value) if isinstance(value, str) else value for key, value in fields.items()})
