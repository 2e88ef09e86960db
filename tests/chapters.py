"""The chapters of the book: what they name is there, and they have the form that readers know.

What they quote is compared by book_quotes_code_and_output_as_they_are; links are followed in book.py."""
import functools
import re
import subprocess
from pathlib import Path

from driver import ROOT, Skipped, call, check, test

DOCS = ROOT / "docs"
FULL = "## What you will be able to explain"  # the first heading of a chapter that is in the whole form
ELSEWHERE = "## (?:What Linux and others do|Linux 和别的系统怎么做)"  # names of other systems
# And those that stand elsewhere; co_out is an event, as tools/ktrace names it.
OTHERS = {"task_struct", "co_out", "PTHREAD_PRIO_INHERIT"}


@functools.cache
def words_of_the_code() -> set[str]:
    found: set[str] = set()
    for folder in ("kernel", "user", "boot", "tools", "iso", "labs", "tests"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".c", ".h", ".asm", ".inc", ".py", ".ld", ".sh", ".cfg", ""):
                if path.is_file() and path.name != Path(__file__).name:
                    found |= {path.stem} | set(re.findall(r"\w+", path.read_text(errors="replace")))
    return found


def prose(path: Path) -> str:
    """Without listings, which are compared as a whole, and without what is said of other systems."""
    text = re.sub(r"(?ms)^```.*?^```$", "", path.read_text())
    return re.sub(rf"(?ms)^{ELSEWHERE}$.*?(?=^## )", "", text)


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


@test
def book_names_what_exists() -> None:
    """Files, functions, variables, constants."""
    if not (ROOT / "tools/lab").exists():
        raise Skipped("a starter lacks what its student writes, and the other labs")
    for path in sorted(DOCS.rglob("*.md")):
        for name in re.findall(r"`(?:struct )?([^`\n]+)`", prose(path)):
            if re.fullmatch(r"(kernel|user|boot|tools|tests|iso|docs)/[\w./-]+", name):
                check((ROOT / name).exists(), f"{path.name}: there is no {name}")
            elif re.fullmatch(r"[a-z]\w*_\w+(\(\))?|[a-z]\w*\(\)|[A-Z]\w*_\w+", name):
                check(name.removesuffix("()") in words_of_the_code() | OTHERS, f"{path.name}: the code has no {name}")


@test
def book_tells_commands_that_work() -> None:
    """Those of tools/run are asked for, not run; of the others the program is looked for."""
    targets = call(["make", "help"]).stdout
    programs = {path.stem for path in (ROOT / "user").glob("*/*.c")} | {"sh", "python3"}
    for path in sorted(DOCS.glob("*.md")):
        text = prose(path)
        commands = re.findall(r"`((?:tools/|make )[^`]+)`", text) + re.findall(r"(?m)^    (?:\$ )?((?:tools/|make ).*?)(?:  +#.*)?$", text)
        for command in (" ".join(command.split()) for command in commands):
            tool, _, rest = command.partition(" ")
            if tool == "make":
                target = re.sub(r"^(\w+=('[^']*'|\S+) )*", "", rest).split()[0]
                check(f"make {target}" in targets or "=" in target, f"{path.name}: `{command}`: no such target")
                continue
            check((ROOT / tool).exists(), f"{path.name}: `{command}`: there is no {tool}")
            program = re.search(r" -- (\w+)", command)
            check(tool != "tools/run" or not program or program[1] in programs,
                  f"{path.name}: `{command}`: no such program")


@test
def chapters_have_their_form() -> None:
    """Each part in its place, five exercises, and as many answers; 2,500 to 5,000 words."""
    answers = dict(re.findall(r"(?ms)^## (.*?)\n(.*?)(?=^## |\Z)", (DOCS / "answers.md").read_text()))
    chapters = [path for path in sorted(DOCS.glob("*.md")) if FULL in path.read_text()]
    check(chapters, "no chapter is in the whole form")
    for path in chapters:
        text = path.read_text()
        title = re.match(r"# (.*)\n", text)[1]
        headings = re.findall(r"(?m)^## (.*)$", text)
        for part, place in (("What you will be able to explain", 0), ("The idea on one page", 1),
                            ("What Linux and others do", -2), ("Exercises", -1)):
            check(headings[place] == part, f"{path.name}: {headings[place]!r} where {part!r} belongs")
        exercises = text.partition("## Exercises")[2]
        check(re.findall(r"(?m)^(\d)\. ", exercises) == list("12345"), f"{path.name}: not five exercises")
        check(f"(answers.md#{anchor(title)})" in exercises, f"{path.name}: no link to its answers")
        check(re.findall(r"(?m)^(\d)\. ", answers.get(title, "")) == list("12345"), f"{title}: not five answers")
        check(".svg)" in text, f"{path.name}: no picture")
        count = len(text.split())  # with its listings, which are read, too
        check(2500 <= count <= 5000, f"{path.name}: {count} words")


@test
def table_of_contents_has_every_chapter() -> None:
    contents = (DOCS / "contents.md").read_text()
    for path in sorted(DOCS.glob("*.md")):
        check(path.name == "contents.md" or f"({path.name})" in contents, f"docs/contents.md does not list {path.name}")


@test
def kernel_options_are_all_in_the_book() -> None:
    """Each that is read, no other; and what `crash` and `sched` can be."""
    text = (DOCS / "options.md").read_text()
    sources = {path: path.read_text() for path in [*(ROOT / "kernel").rglob("*.[ch]"), ROOT / "user/bin/init.c"]}
    code = "".join(sources.values())
    read = set(re.findall(r'boot_(?:option|number)\("(\w+)"|(?:strstr\(command_line|set_variable\("\w+"), "([\w.]+)=', code))
    told = set(re.findall(r"(?m)^\| `([\w.]+)", text))
    check({first or second for first, second in read} == told, f"{read} and {told}")
    mistakes = set(re.findall(r'\{"([\w-]+)", crash_', code))
    listed = set(re.findall(r"`([\w-]+)`", text.rpartition("\n- Refused")[2]))
    check(listed == mistakes and mistakes, f"{listed ^ mistakes}")
    policies = re.findall(r" policy\((\w+)\)", code)
    check(policies and all(f"`{policy}`" in text for policy in policies), f"{policies}")


@test
def every_session_of_the_book_is_shown() -> None:
    shown = "".join(path.read_text() for path in DOCS.rglob("*.md"))
    for path in sorted(DOCS.glob("gdb/*.gdb")):
        check(f"listing docs/gdb/{path.name} -->" in shown, f"{path} is in no chapter")


@test
def drawings_that_do_not_hold_are_refused() -> None:
    """In one line, status 2; and what is right becomes a picture with its words, and no wider than it is."""
    tmp = "build/drawing.txt"
    for drawing, told in (("t\n┌─┐\n└─", "┐ ends in"), ("t\n╔═╗\n║ ║\n╚══", "║ ends in"), ("t\n ▶\n", "▶ ends in"),
                          ("t\n┏━┓\n┃ ┃\n┗━╝", "ends in")):
        (ROOT / tmp).write_text(drawing)
        result = subprocess.run([ROOT / "tools/picture", ROOT / tmp], text=True, capture_output=True)
        check(result.returncode == 2 and told in result.stderr and result.stderr.count("\n") == 1,
              f"{drawing}\n{result.stdout}{result.stderr}")
    (ROOT / tmp).write_text("a title\n ┏━━━━┓\n ┃ <x>┃──▶ 进程\n ┗━━━━┛\n")
    picture = call(["tools/picture", tmp]).stdout
    check("&lt;x&gt;" in picture and 'textLength="32">进程' in picture and 'width="144"' in picture, picture)
