"""The language in which a grading talks to people. What it finds is in English, as programs read it (--json),
and is put into Chinese when it is shown.

The code, the guest and the tests in it write whole English sentences, with their values in place. A catalogue
(zh.po) has each with {0}, {1}, ... for the values; here a sentence is found by its words, so `errno 2 at child 7`
by `errno {0} at child {1}`, and its values, which may be sentences, too, are put into Chinese in the same way.
"""
import argparse
import functools
import re
from collections.abc import Mapping
from pathlib import Path

import catalogue

LANGUAGES = ("en", "zh")
COMMON = Path(__file__).with_name("zh.po")
FIELD = re.compile(r"\{(\d+)\}")
# What {0} stands for where hardly a word is around it: one word, or a place in the code.
WORD = r"(\S*(?: \(\S+\))?(?:, by way of .*)?)"
FEW_LETTERS = 3
GAP = re.compile("(?<=[\u4e00-\u9fff]) (?=[\u4e00-\u9fff])")  # where a value has become Chinese
# A line of a schedule's story: who, a gap, from where to where, how that ended; and variables in a column.
STEP = re.compile(r"(main|thread \d+)( +)(.*?)(, (?:to its end|yields|sleeps|waits .*?))?( +\((?:reads|writes) .*\))?")
WAITING = re.compile(r"(main|thread \d+) (sleeps|waits .*?)(?: at (.*))?")  # when nobody can go on


class Chinese:
    """The sentences that are known, by their English."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.patterns: dict[bool, list[tuple[re.Pattern, str]]] = {}

    def learn(self, path: Path) -> None:
        self.texts |= catalogue.read(path)
        found = [english for english in self.texts if FIELD.search(english) or "(s)" in english]
        found.sort(key=lambda english: -len(FIELD.sub("", english)))  # those that say most come first
        self.patterns = {loose: [(pattern_of(english, loose), self.texts[english]) for english in found]
                         for loose in (False, True)}

    def known(self, text: str, loose: bool = False) -> str | None:
        """`loose`: a value may have a semicolon in it."""
        if text in self.texts:
            return self.texts[text]
        for pattern, chinese in self.patterns[loose]:
            match = pattern.fullmatch(text)
            if match:
                told = FIELD.sub(lambda field: self.sentence(match[int(field[1]) + 1]), chinese)
                return GAP.sub("", told)
        return None

    def sentence(self, text: str) -> str:
        """Or several, behind semicolons; or one behind a name and a colon."""
        whole = self.known(text)
        if whole is not None:
            return whole
        if text.startswith(", "):
            return f"，{self.sentence(text[2:])}"
        parts = text.split("; ")
        for count in range(len(parts) - 1, 0, -1):
            first, rest = self.known("; ".join(parts[:count])), "; ".join(parts[count:])
            if first is not None:
                told = self.sentence(rest)
                return f"{first}{'; ' if told == rest else '；'}{told}"
        whole = self.known(text, loose=True)
        if whole is not None:
            return whole
        if len(parts) > 1:
            rest = "; ".join(parts[1:])
            told = self.sentence(rest)
            return text if told == rest else f"{self.sentence(parts[0])}；{told}"
        name, _, rest = text.partition(": ")
        told, who = self.sentence(rest) if rest else "", self.known(name)
        if told == rest:
            return text
        return f"{who}：{told}" if who else f"{name}: {told}"

    def line(self, text: str) -> str:
        words, waiting = text.strip(), WAITING.fullmatch(text)
        if waiting and self.known(text) is None:
            where = f"，在 {waiting[3]}" if waiting[3] else ""
            return GAP.sub("", f"{self.sentence(waiting[1])} {self.sentence(waiting[2])}{where}")
        return text.replace(words, self.sentence(words), 1) if words else text

    def values(self, text: str) -> str:
        return re.sub(r"\b(reads|writes) (?=\S+: )", lambda does: self.sentence(does[1]) + " ", text)

    def step(self, text: str) -> str:
        """A line of a story: its columns stay."""
        step = STEP.fullmatch(text)
        if not step or WAITING.fullmatch(text):
            return self.values(self.line(text))
        who = catalogue.padded(self.sentence(step[1]), len(step[1] + step[2]))
        told = who + self.line(step[3])
        if step[4]:
            told += self.known(step[4]) or f"，{self.sentence(step[4][2:])}"
        values = self.values(step[5] or "")
        column = step.start(5) + len(values) - len(values.lstrip()) if values else 0
        return catalogue.padded(told, max(column, catalogue.columns(told) + 2)) + values.lstrip() if values else told


def pattern_of(english: str, loose: bool) -> re.Pattern:
    around = FIELD.sub("", english)
    few = len(re.findall("[A-Za-z]", around)) <= FEW_LETTERS or re.fullmatch(r"\w+ ", around)  # as in `thread {0}`
    parts = FIELD.split(english)[::2]
    value = "(.*?)" if loose else "((?:(?!; ).)*?)"
    value = WORD if few else value
    return re.compile(value.join(re.escape(part).replace(r"\(s\)", "s?") for part in parts))


@functools.cache
def _chinese() -> Chinese:
    chinese = Chinese()
    chinese.learn(COMMON)
    return chinese


chosen = "en"


def choose(name: str) -> None:
    global chosen
    chosen = name


def choose_as(environ: Mapping[str, str]) -> None:
    choose("zh" if catalogue.wanted(environ) else "en")


class Chosen(argparse.Action):
    """The option --lang: what is wrong with a later one is told in this language."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, value: object,
                 option: str | None = None) -> None:
        choose(str(value))


def add_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lang", choices=LANGUAGES, action=Chosen, help="of the texts: zh is Chinese (as LANG says)")


def learn_lab(root: Path, number: int) -> None:
    """What lab.py and the tests of a lab say."""
    path = root / f"labs/{number}/zh.po"
    if chosen == "zh" and path.exists():
        _chinese().learn(path)


def say(text: str) -> str:
    """As the reader has chosen."""
    return "\n".join(map(_chinese().line, text.split("\n"))) if chosen == "zh" else text


def say_story(text: str) -> str:
    return "\n".join(map(_chinese().step, text.split("\n"))) if chosen == "zh" else text
