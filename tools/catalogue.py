#!/usr/bin/python3
"""Texts in Chinese beside the English ones of the sources: a catalogue in gettext's PO format.

Each entry has an English text (msgid) and the Chinese one (msgstr), with the same printf directives in the
same order and the same {fields}. An entry without a Chinese text is left out, and English is shown.

examples:
  tools/catalogue.py user/demo/zh.po              check it; status 2 and one line if something is wrong
  tools/catalogue.py user/demo/zh.po -o zh.inc    the same as lines of a table for C, sorted by the English
"""
import os
import re
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))  # with PYTHONSAFEPATH, too
from launch import first  # noqa: E402,F401
from launch import host  # noqa: E402
from launch.usage import Help, Parser  # noqa: E402

LINE = re.compile(r'(msgid\s+|msgstr\s+|)"((?:[^"\\]|\\.)*)"')
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}
# No blank among the flags, as C allows: "50 % of" is none.
DIRECTIVE = re.compile(r"%[-+#0]*(\*|\d*)(?:\.(\*|\d*))?((?:hh|h|ll|l|z|j|t)?[diouxXeEfFgGcsp%])")
FIELD = re.compile(r"\{\w*\}")
TRADITIONAL = re.compile(r"TW|HK|MO|Hant")
CLOSING = "，。、；：？！）》」』”’％,.;:?!)]}"  # no line begins with one of these
OPENING = "（《「『“‘([{"  # or ends with one of these


class CatalogueError(Exception):
    """What is wrong with a catalogue, and where, in one line."""


def wanted(environ: Mapping[str, str]) -> bool:
    """Do these variables ask for Chinese? The first that is set decides, as POSIX says. What has a
    character set must have UTF-8; Traditional Chinese we do not have."""
    locale = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "")
    language, _, charset = locale.partition("@")[0].partition(".")
    return bool(re.match(r"zh(?![A-Za-z0-9])", language)) and not TRADITIONAL.search(language) \
        and charset.lower() in ("", "utf-8", "utf8")


def unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match[1], match[0]), text)


def directives(text: str) -> tuple[list[str], list[str]]:
    """Of printf in their order, each with the widths that it takes; and fields of str.format in any."""
    printf = [(m[1] == "*") * "*" + (m[2] == "*") * "*" + m[3] for m in DIRECTIVE.finditer(text)]
    return [one for one in printf if one != "%"], sorted(FIELD.findall(text))


class Reader:
    """Entries as they come, line by line."""

    def __init__(self, path: Path) -> None:
        self.path, self.number = path, 0
        self.parts: dict[str, str] = {}  # of the entry that is being read
        self.now = ""  # msgid or msgstr: what a line of text belongs to
        self.found: dict[str, str] = {}

    def fail(self, why: str) -> CatalogueError:
        return CatalogueError(f"{self.path}:{self.number}: {why}")

    def end_entry(self) -> None:
        if not self.parts:
            return
        if "msgstr" not in self.parts:
            raise self.fail("a msgid without its msgstr")
        english, chinese = self.parts["msgid"], self.parts["msgstr"]
        if english in self.found:
            raise self.fail(f"a second time: {english!r}")
        if chinese and english and directives(english) != directives(chinese):
            raise self.fail(f"directives differ, or their order: {english!r}")
        self.found[english] = chinese
        self.parts = {}

    def take(self, line: str) -> None:
        match = LINE.fullmatch(line)
        if not match:
            raise self.fail('neither msgid "...", msgstr "..." nor a comment')
        keyword = match[1].strip()
        if keyword == "msgid":
            self.end_entry()
        elif keyword and "msgid" not in self.parts or not keyword and not self.parts:
            raise self.fail("a text without its msgid")
        if keyword in self.parts:
            raise self.fail(f"a second {keyword}")
        self.now = keyword or self.now
        self.parts[self.now] = self.parts.get(self.now, "") + unescaped(match[2])


def read(path: Path) -> dict[str, str]:
    """English texts and the Chinese ones; those that have none are not in it."""
    reader = Reader(path)
    try:
        lines = host.text_of(path).split("\n")
    except host.WrongUse as error:
        raise CatalogueError(str(error)) from None
    except OSError as error:
        raise CatalogueError(f"{path}: {error.strerror}") from None
    for reader.number, line in enumerate((line.strip() for line in lines), 1):
        if line.startswith("#,") and "fuzzy" in line:
            raise reader.fail("an entry marked as fuzzy: look at it, and take the mark away")
        if line and not line.startswith("#"):
            reader.take(line)
    reader.end_entry()
    return {english: chinese for english, chinese in reader.found.items() if english and chinese}


def columns(text: str) -> int:
    """How many a terminal needs for it: two for a Chinese character."""
    return sum(0 if unicodedata.combining(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def padded(text: str, width: int) -> str:
    """As f"{text:{width}}", by columns; a negative width puts the blanks first."""
    blanks = " " * (abs(width) - columns(text))
    return text + blanks if width > 0 else blanks + text


def pieces(text: str) -> list[str]:
    """What a line can be broken between: words with the blanks behind them, and Chinese characters."""
    found: list[str] = []
    for c in text:
        word = found and columns(found[-1][-1]) == 1 and columns(c) == 1 and not (found[-1][-1] == " " != c)
        if word or found and (c in CLOSING + " " or found[-1][-1] in OPENING):
            found[-1] += c
        else:
            found.append(c)
    return found


def wrapped(text: str, width: int) -> list[str]:
    """As textwrap.wrap, by columns, for Chinese, English and both."""
    lines = [""]
    for piece in pieces(text):
        if lines[-1] and columns(lines[-1] + piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def in_c(text: str) -> str:
    back = {value: "\\" + key for key, value in ESCAPES.items()}
    return '"' + "".join(back.get(c, c) for c in text) + '"'


def main() -> int:
    p = Parser(prog="tools/catalogue.py", description=__doc__, formatter_class=Help)
    p.add_argument("catalogue", type=Path)
    p.add_argument("-o", dest="output", type=Path, metavar="FILE", help="write the table for C here")
    args = p.parse_args()
    try:
        texts = read(args.catalogue)
    except CatalogueError as error:
        raise host.WrongUse(str(error)) from None
    if args.output:
        rows = sorted((english.encode(), chinese) for english, chinese in texts.items())  # as strcmp sorts
        args.output.write_text("".join(f"    {{{in_c(english.decode())}, {in_c(chinese)}}},\n"
                                       for english, chinese in rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(host.run(main, "tools/catalogue.py", 2))
