"""A learner's answers.txt, and what a starter knows of the right ones.

A starter has no answer but a digest of each: salted, so that a table for all starters helps nobody, and
stretched, so that trying is slow. An answer is a short word or number all the same, and who tries every
number up to 100 finds it in seconds; where it can be, a question is about the learner's own numbers
(manifest.OwnQuestion).
"""
import hashlib
import re
import secrets
import unicodedata
from pathlib import Path

import markers
from files import Unreadable, read_regular, text_of
from manifest import Lab
from result import FAIL, OK, Result

FILE_MAX = 64 << 10
ANSWER_MAX = 80  # characters
ANSWER = re.compile(r"^[^\S\n]*(\w+(?=[^\S\n]*[:：﹕∶])|\d+(?=[^\S\n]*[.)、．）=]))[^\S\n]*.(.*)$", re.M)
COST = {"n": 1 << 14, "r": 8, "p": 2}  # some 80 ms
SALT_BYTES = 16


def normal(answer: str) -> str:
    """Spaces and case do not count, nor 0x16 or 22, nor the () of a function, nor whether
    letters are as wide as Chinese ones, nor a Chinese full stop behind them."""
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", answer).lower()).rstrip("。")
    text = text.removesuffix("()")[:ANSWER_MAX]
    if re.fullmatch(r"0x[0-9a-f]+", text):
        return str(int(text, 16))
    return text.lstrip("0") or "0" if re.fullmatch(r"[0-9]+", text) else text


def digest(answer: str, salt: str) -> str:
    return hashlib.scrypt(normal(answer).encode(), salt=bytes.fromhex(salt), **COST, dklen=16).hex()


def sealed(answer: str) -> str:
    """For a starter's answers.sums: the salt and the digest."""
    salt = secrets.token_hex(SALT_BYTES)
    return f"{salt} {digest(answer, salt)}"


def parse(text: str) -> dict[str, str]:
    """`number: answer` and `word: answer` lines, in letters of any width; all others are comments. Behind
    a number may be what people write there: `1. answer`, `1) answer`, `1 = answer`. The solution's part where
    it is marked."""
    try:
        text = markers.resolve(markers.parse("answers.txt", text), None)
    except markers.MarkerError:
        pass  # a learner's, who has written something like a marker
    return {unicodedata.normalize("NFKC", match[1]): match[2].strip() for match in ANSWER.finditer(text)}


def read(path: Path) -> tuple[dict[str, str], str]:
    """The answers, and what is wrong with the file."""
    try:
        return parse(text_of(read_regular(path, FILE_MAX)[0])), ""
    except Unreadable as reason:
        return {}, f"{path.name}: {reason}"


def solution(root: Path, number: int) -> dict[str, str]:
    """The right answers to the numbered questions, where the solution is."""
    given, _ = read(root / f"labs/{number}/answers.txt")
    return {question: answer for question, answer in given.items() if question.isdigit()}


def checks(root: Path, number: int) -> dict[str, object]:
    """By question: a function that tells whether an answer is right."""
    sums = root / f"labs/{number}/answers.sums"
    if not sums.exists():
        return {question: lambda given, right=right: normal(given) == normal(right)
                for question, right in solution(root, number).items()}
    return {question: lambda given, salt=salt, right=right: digest(given, salt) == right
            for question, salt, right in (line.split() for line in sums.read_text().splitlines())}


def grade(root: Path, lab: Lab) -> Result:
    path = f"labs/{lab.number}/answers.txt"
    right = checks(root, lab.number)
    given, unreadable = read(root / path)
    name = given.get("name", "")
    for question, mine in lab.personal.items():
        right[question] = lambda answer, mine=mine: \
            bool(name) and normal(answer) == normal(str(mine.right(name)))
    missing = [question for question in sorted(right) if not given.get(question)]
    wrong = [question for question in sorted(right) if question not in missing and not right[question](given[question])]
    good = len(right) - len(missing) - len(wrong)
    result = Result("questions", lab.questions, lab.questions * good // len(right) if right else 0,
                    FAIL if missing or wrong else OK)
    if missing or wrong:
        result.expected = f"{len(right)} right answers in {path}"
        result.seen = unreadable or f"{good}"
        if missing and not unreadable:
            result.seen += f"; missing: {', '.join(missing)}"
        if wrong:
            result.seen += f"; wrong: {', '.join(wrong)}"
        if lab.personal and not name and not unreadable:
            result.seen += "; no `name:`"
        result.hint = f"the questions are at the end of labs/{lab.number}/README.md"
    return result
