"""The results of a grading in the formats that people and course systems read: in Chinese what people read.

What the texts say comes from guests, compilers and learners' files: it is cleaned (result.py) before.
"""
import json
import re
from dataclasses import dataclass, field
from typing import Callable
from xml.sax.saxutils import escape, quoteattr

import catalogue
from language import say, say_story
from result import HARNESS, OK, Result, cleaned, short


INDENT = 14  # of what stands behind "expected", "seen", ...


@dataclass
class Report:
    number: int
    title: str
    seed: int
    cpus: int
    results: list[Result]
    notes: list[str] = field(default_factory=list)  # what a learner must know besides
    tests: frozenset[str] = frozenset()  # those of the results that boot a guest

    def __post_init__(self) -> None:
        self.results = [cleaned(result) for result in self.results]
        self.notes = [short(note.replace("\n", "\\n")) for note in self.notes]

    @property
    def score(self) -> int:
        return sum(result.score for result in self.results)

    @property
    def points(self) -> int:
        return sum(result.points for result in self.results)

    @property
    def status(self) -> int:
        """Of the command."""
        verdicts = {result.verdict for result in self.results}
        return 3 if HARNESS in verdicts else int(verdicts != {OK})

    def first(self) -> str:
        """Which of several failures to mend before the others: tests stand in the order of the steps. One
        that died says where, and where others have died in the same place, it is the one cause of them."""
        failed = [r for r in self.results if r.verdict not in (OK, HARNESS) and r.name in self.tests]
        if len({tuple(explanation(r)) for r in failed}) < 2:
            return ""
        same = [r.name for r in failed[1:] if r.where and r.where == failed[0].where]
        if same:
            return f"mend first: {failed[0].name} ({', '.join(same)} ended in the same place)"
        return f"mend first: {failed[0].name}"

    def remarks(self, say: Callable[[str], str] = str) -> list[str]:
        return [f"{say('note')}: {say(note)}" for note in self.notes] + [say(line) for line in [self.first()] if line]


def explanation(result: Result) -> list[tuple[str, str]]:
    rows = [("expected", result.expected), ("seen", result.seen), ("next", result.hint),
            ("story", result.story), ("evidence", result.evidence), ("look", result.look), ("again", result.again)]
    return [(word, text) for word, text in rows if text and result.verdict != OK]


def shown(word: str, value: str) -> str:
    """Commands and names of files are what they are."""
    if word == "story":
        return say_story(value)
    return say(value) if word in ("expected", "seen", "next") else value


def apart(line: str, room: int) -> list[str]:
    """A line of a story that is too long: the variables on one of their own."""
    match = re.fullmatch(r"(.*\S) {2,}(\(.*\))", line)
    return [match[1], "  " + match[2]] if match and catalogue.columns(line) > room else [line]


def continued(command: str, room: int) -> list[str]:
    """A command that is too long, over several lines as a shell takes it: broken outside of quotes."""
    lines: list[str] = []
    for word in re.findall(r"(?:'[^']*'|[^' ])+", command):
        if lines and catalogue.columns(f"{lines[-1]} {word} \\") <= room:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return [line + " \\" for line in lines[:-1]] + lines[-1:]


def folded(word: str, value: str, width: int) -> str:
    """For a terminal: at its width; each command begins a line."""
    lines = shown(word, value.replace("; ", "\n") if width and word == "look" else value).split("\n")
    room = max(20, width - INDENT - 1)
    if width and word == "story":
        lines = [part for line in lines for part in apart(line, room)]
    if width:
        fold = continued if word in ("look", "again") else catalogue.wrapped
        lines = [part for line in lines for part in fold(line, room)]
    return ("\n" + " " * INDENT).join(lines)


def text(report: Report, width: int = 0) -> str:
    lines = [say(f"lab {report.number}: {report.title}    seed {report.seed}, {report.cpus} CPU"
                 f"{'s' * (report.cpus > 1)}")]
    for result, following in zip(report.results, [*report.results[1:], None]):
        lines.append(f"{result.verdict:12} {result.score:3}/{result.points:<3} {result.name}")
        if following and explanation(following) == explanation(result):
            continue  # said once for all: a tree that does not build fails each test
        lines += [f"    {catalogue.padded(say(word), 9)} " + folded(word, value, width)
                  for word, value in explanation(result)]
    for line in report.remarks(say):
        lines += catalogue.wrapped(line, max(20, width - 1)) if width else [line]
    return "\n".join(lines + [say(f"score {report.score}/{report.points}")]) + "\n"


def as_json(report: Report) -> str:
    return json.dumps({"lab": report.number, "title": report.title, "seed": report.seed,
                       "cpus": report.cpus, "score": report.score, "points": report.points,
                       "first": report.first(), "notes": report.notes,
                       "tests": [vars(result) for result in report.results]}, indent=1) + "\n"


def gradescope(report: Report) -> str:
    tests = [{"name": r.name, "score": r.score, "max_score": r.points,
              "status": "passed" if r.verdict == OK else "failed",
              "output": "\n".join([r.verdict] + [f"{say(word)}: {shown(word, value)}"
                                                 for word, value in explanation(r)])}
             for r in report.results]
    about = f"lab {report.number}: {report.title} (seed {report.seed}, {report.cpus} CPU)"
    return json.dumps({"output": "\n".join([say(about)] + report.remarks(say)), "score": report.score,
                       "tests": tests}, indent=1) + "\n"


def junit(report: Report) -> str:
    """HARNESS is an error and no failure, as JUnit tells the two apart."""
    failed = [r for r in report.results if r.verdict not in (OK, HARNESS)]
    errors = sum(r.verdict == HARNESS for r in report.results)
    suite = f"lab {report.number}, seed {report.seed}, {report.cpus} CPU"
    lines = ['<?xml version="1.0" encoding="UTF-8"?>',
             f'<testsuite name={quoteattr(suite)} tests="{len(report.results)}" failures="{len(failed)}" '
             f'errors="{errors}">']
    for r in report.results:
        lines.append(f'<testcase classname="lab{report.number}" name={quoteattr(r.name)}>')
        if r.verdict != OK:
            body = "\n".join(f"{word}: {value}" for word, value in explanation(r))
            tag = "error" if r.verdict == HARNESS else "failure"
            lines.append(f'<{tag} type={quoteattr(r.verdict)} message={quoteattr(r.seen)}>'
                         f'{escape(body)}</{tag}>')
        lines.append("</testcase>")
    if report.remarks():
        lines.append(f"<system-out>{escape(chr(10).join(report.remarks()))}</system-out>")
    return "\n".join(lines + ["</testsuite>"]) + "\n"


def ktap(report: Report) -> str:
    lines = ["KTAP version 1", f"# lab {report.number} seed {report.seed} cpus {report.cpus}",
             f"1..{len(report.results)}"]
    for number, r in enumerate(report.results, 1):
        lines.append(f"{'ok' if r.verdict == OK else 'not ok'} {number} - {r.name} "
                     f"# {r.verdict} {r.score}/{r.points}")
        lines += [f"# {word}: " + value.replace("\n", "\n# ") for word, value in explanation(r)]
    return "\n".join(lines + [f"# {remark}" for remark in report.remarks()]) + "\n"


FORMATS = {"json": as_json, "gradescope": gradescope, "junit": junit, "ktap": ktap}
