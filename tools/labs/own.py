"""Questions about the learner's own trace: a file that the learner hands in with the answers.

Nothing of it is trusted further than it is consistent: it must load, be of the run that the lab
asks for, and carry the learner's name. That somebody forged one is not ruled out; it is more work
than the lab.
"""
import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from ktracelib import format as fmt
from ktracelib.states import Model
from result import FAIL, OK, Result

TRACE_MAX = 8 << 20
Right = str | int | tuple[int, int]  # a word, a number, or the lowest and the highest


@dataclass
class Question:
    name: str    # of the line in answers.txt
    points: int
    asked: str   # in a few words
    hint: str
    right: Callable[[Model], Right]


@dataclass
class OwnTrace:
    path: str     # below the tree
    command: str  # which makes it
    points: int   # for having made it
    whose: Callable[[Model, str], str]  # "", or why this is not the trace of one who has this name
    questions: list[Question]

    def each(self) -> dict[str, int]:
        """The points of everything, by name."""
        return {"own_trace": self.points} | {question.name: question.points for question in self.questions}


def is_right(given: str, right: Right) -> bool:
    given = unicodedata.normalize("NFKC", given).rstrip("。 ")  # letters may be as wide as Chinese ones
    if isinstance(right, str):
        return given.strip().lower().removesuffix("()") == right.lower()
    low, high = right if isinstance(right, tuple) else (right, right)
    number = re.fullmatch(r"\s*([0-9]{1,18})(?:\.[0-9]*)?\s*(?:ms|毫秒)?\s*", given)
    return bool(number) and low <= int(number[1]) <= high


def _load(path: Path, own: OwnTrace, name: str) -> tuple[Model | None, str]:
    """The trace of one who has this name, or what is wrong with it."""
    if not os.path.lexists(path):
        return None, "there is no such file"
    try:
        if path.stat().st_size > TRACE_MAX:
            return None, f"it is larger than {TRACE_MAX >> 20} MiB"
        model = Model(fmt.load(str(path)))
        return model, own.whose(model, name)
    except fmt.TraceError as error:
        return None, str(error)
    except OSError as error:
        return None, error.strerror or str(error)
    except Exception as error:  # whatever was put into it
        return None, f"it makes no sense ({type(error).__name__}: {error})"


def _answer(model: Model, question: Question, given: str) -> tuple[bool, str]:
    """Whether it is right, and what was seen."""
    if not given:
        return False, "no answer"
    try:
        right = question.right(model)
    except Exception as error:
        return False, f"a trace in which that cannot be found ({type(error).__name__}: {error})"
    return is_right(given, right), f"{given}, which is not what your trace shows"


def grade(root: Path, own: OwnTrace, answers: dict[str, str], answers_path: str,
          only: str | None) -> list[Result]:
    name = answers.get("name", "")
    model, wrong = _load(root / own.path, own, name) if name else (None, f"no `name:` in {answers_path}")
    results = [Result("own_trace", own.points, 0 if wrong else own.points, FAIL if wrong else OK,
                      f"your trace in {own.path}", wrong, f"step 2: {own.command}")]
    for question in own.questions:
        right, seen = (False, f"no trace of yours: {wrong}") if wrong else \
            _answer(model, question, answers.get(question.name, ""))
        results.append(Result(question.name, question.points, question.points if right else 0,
                              OK if right else FAIL, question.asked, "" if right else seen,
                              question.hint))
    return [result for result in results if only in (None, result.name)]
