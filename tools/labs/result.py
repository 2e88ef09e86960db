"""What a grading says of one test or question."""
from dataclasses import dataclass

OK, FAIL, PANIC, TRIPLE, TIMEOUT, HARNESS = "ok", "FAIL", "PANIC", "TRIPLE-FAULT", "TIMEOUT", "HARNESS"


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
