"""The English sentences that the grading of labs has for people, as the code writes them: what zh.po must have.

A value in a sentence is {0}, {1}, ...: so is `%ld` of a test program, and `{limit >> 10}` of a grader's f-string.
Not part of a starter.
"""
import argparse
import ast
import errno
import os
import re
from pathlib import Path

# Of a test program: what these are told is shown, but for a condition.
CALLS = ("EXPECT", "LAB_EXPECT", "grade_fail", "grade_hint")
# What these are told is no sentence, or nobody reads it there.
QUIET_C = {"co_go", "co_park", "grade_tell", "printk", "printf", "fprintf", "snprintf", "asm", "volatile", "__asm__"}
# The same for Python; argparse's help stays English.
QUIET = {"compile", "search", "match", "fullmatch", "findall", "sub", "finditer", "run", "Popen", "add_argument",
         "add_parser", "ArgumentParser", "Parser", "startswith", "git_commit", "quoteattr"}
TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|\'(?:\\.|[^\\\'])+\'|"((?:\\.|[^"\\])*)"|(\w+)|(\S)', re.S)
STUB = re.compile(r'^(?://|;)\|.*"(?:# seen: )?(lab (\d+): [^"]*)"', re.M)  # what it says instead of working
DIRECTIVE = re.compile(r"%(%|\(\w+\)[rs]|[-#0]*\d*[hlz]*[dioxupscr])")
LEFT_ALONE = {"errno", "ns", "ms", "us"}  # the same in all languages
# Whose texts a grading shows. pack.py writes scripts.
TOOLS = ("tools/lab", "tools/grade", "tools/labs/*.py", "tools/explorelib/story.py", "tools/ktracelib/untrusted.py",
         "tools/ktracelib/format.py", "labs/*.h")
NO_TEXTS = ("tools/labs/pack.py", "tools/labs/sentences.py", "tools/labs/language.py")
# What looks like one, and is none: of formats that programs read, names of sections, texts of a starter's files,
# what tools/ktrace says, commands.
NO_SENTENCES = {
    "KTAP version 1", '<?xml version="1.0" encoding="UTF-8"?>', '<testcase classname="lab{0}" name={1}>', "# nonce {0}",
    "# lab {0} seed {1} cpus {2}", "lab {0}, seed {1}, {2} CPU", "What you will understand", "How it is graded",
    "(yours to write)", "**This is the starter of lab {0}: {1}.** {2}",
    "Begin with {0}; `make grade` tells your score.", "later ones had no room", "older ones were overwritten",
    "more threads had coroutines than there are rings: those of some are missing", "tools/ktrace html {0}/trace.ktr",
    "make gdb CORE={0}/core", "make gdb {0}EXPLORE={1} CMD={2}",
    "make gdb ADD=build/labs/{0}/tests EXPLORE={1} CMD='tests {2} {3}'", "{0}/{1} full", "not ok", "ok 1 - {0}",
    "tools/run --icount --trace labs/0/tour.ktr -- tour NAME",
}


def is_sentence(text: str) -> bool:
    """Has it an English word?"""
    return bool(set(re.findall(r"(?<![\w/.'`<>-])[a-z]{2,}(?![\w/.(`=])", text)) - LEFT_ALONE)


def numbered(text: str) -> str:
    """The values {0}, {1}, ..., one line."""
    values = iter(range(text.count("{}")))
    return re.sub(r"\{\}", lambda _: f"{{{next(values)}}}", text)


def of_format(text: str) -> str:
    """For printf, or Python's %."""
    return DIRECTIVE.sub(lambda match: "%" if match[1] == "%" else "{}", text.replace('\\"', '"').replace("\\n", "\n"))


def lines_of(text: str) -> list[str]:
    """As language.say() looks at them."""
    return [numbered(line.strip().removeprefix("; ")) for line in text.split("\n")]


class Texts:
    def __init__(self) -> None:
        self.all: set[str] = set()
        self.needed: dict[str, None] = {}  # in their order

    def take(self, text: str, shown: bool) -> None:
        for line in lines_of(text):
            self.all.add(line)
            if shown and is_sentence(line) and line not in NO_SENTENCES:
                self.needed[line] = None


def read_c(source: str, texts: Texts) -> None:
    """What CALLS are told, and all else of several words."""
    calls: list[list] = []  # open parentheses: of which call, and which of its arguments this is
    before, text = "", ""
    for match in TOKEN.finditer(re.sub(r"^#\s*include.*$", "", source, flags=re.M)):
        if match[1] is not None:
            text += match[1]
            continue
        if text:
            name, argument = next((call for call in reversed(calls) if call[0]), ("", 0))
            told = name in CALLS and (argument > 0 or not name.endswith("EXPECT"))
            texts.take(of_format(text), name not in QUIET_C and (told or " " in text.strip()))
            text = ""
        if match[3] == "(":
            calls.append([before, 0])
        elif match[3] == ")" and calls:
            calls.pop()
        elif match[3] == "," and calls:
            calls[-1][1] += 1
        elif match[3] in ("{", ";"):
            calls.clear()
        before = match[2] or ""


class PythonReader(ast.NodeVisitor):
    """The texts of several words in a Python file."""

    def __init__(self, texts: Texts) -> None:
        self.texts, self.shown = texts, True

    def visit_Call(self, node: ast.Call) -> None:
        name, before = getattr(node.func, "attr", getattr(node.func, "id", "")), self.shown
        self.visit(node.func)
        self.shown = before and name not in QUIET
        for part in [*node.args, *node.keywords]:
            self.visit(part)
        self.shown = before

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.take(re.sub(r"\{[\w:#]*\}", "{}", of_format(node.value)))

    def visit_keyword(self, node: ast.keyword) -> None:
        self.visit(node.value)
        if node.arg == "title" and isinstance(node.value, ast.Constant):  # of one word, it may be
            self.texts.needed[node.value.value] = None

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self.take("".join(map(self.part, node.values)))
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def part(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant):
            return str(node.value)
        value = node.value if isinstance(node, ast.FormattedValue) else node
        return "(s)" if isinstance(value, ast.BinOp) and ast.unparse(value).startswith("'s' * ") else "{}"

    def take(self, text: str) -> None:
        self.texts.take(text, self.shown and " " in text.strip())


def read(path: Path, texts: Texts) -> None:
    if path.suffix in (".c", ".h"):
        read_c(path.read_text(), texts)
    else:
        PythonReader(texts).visit(ast.parse(path.read_text()))


def of_lab(root: Path, number: int) -> Texts:
    texts, folder = Texts(), root / f"labs/{number}"
    for path in [folder / "lab.py", *sorted(folder.rglob("*.[ch]"))]:
        read(path, texts)
    for path in [path for top in ("kernel", "user") for path in sorted((root / top).rglob("*.*"))]:
        if path.suffix in (".c", ".h", ".asm"):
            for text, lab in STUB.findall(path.read_text()):
                texts.take(of_format(text).strip(), int(lab) == number)
    return texts


def of_tools(root: Path) -> Texts:
    texts = Texts()
    for pattern in TOOLS:
        for path in sorted(root.glob(pattern)):
            if str(path.relative_to(root)) not in NO_TEXTS:
                read(path, texts)
    return texts


def of_python() -> set[str]:
    """What argparse says of wrong use, and the system of errors."""
    texts = Texts()
    read(Path(argparse.__file__), texts)
    return texts.all | {os.strerror(number) for number in errno.errorcode}
