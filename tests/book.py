"""The book: both languages say the same, and its links lead somewhere."""
import re
import tempfile
from pathlib import Path

from driver import ROOT, Skipped, call, check, test

TRANSLATED = str(ROOT / "tools/translated")


def need_translations() -> None:
    if not Path(TRANSLATED).exists():
        raise Skipped("a starter has a README of its own")


@test
def chinese_texts_say_what_the_english_ones_say() -> None:
    need_translations()
    result = call([TRANSLATED])
    check(result.returncode == 0, result.stdout + result.stderr)


ENGLISH = """# Title

One sentence.

## Part

<!-- output of tools/run -- true -->
```
1 ms
```

Say `make run`, see [stall](stall.md#part).

| a | b |
|---|---|
| `one` | 2 |

1. A question?
"""
CHINESE = ENGLISH.replace("# Title", "# 标题").replace("One sentence.", "一句话。").replace("#part", "#部分")
# What goes wrong in a translation, and a word of what is said of it.
MISTAKES = {
    "## Part": ("", "-##"), "make run": ("make test", "make test"), "1. A": ("A", "-1."), "`one`": ("one", "row"),
    "stall.md": ("trace.md", "link to"), "tools/run -- true": ("tools/run -- false", "output of"),
}


@test
def a_translation_that_lags_behind_is_seen() -> None:
    need_translations()
    with tempfile.TemporaryDirectory() as directory:
        tool, one, other = (Path(directory) / name for name in ("tools/translated", "docs/x.md", "docs/zh/x.md"))
        for path in (tool, other):
            path.parent.mkdir(parents=True)
        tool.write_text(Path(TRANSLATED).read_text())
        (Path(directory) / "README.md").write_text("# Title\n\nWords.\n")
        (Path(directory) / "README.zh-CN.md").write_text("# 标题\n\n话。\n")

        def said(*arguments: str) -> str:
            result = call(["/usr/bin/python3", str(tool), *arguments])
            check((result.returncode == 0) == (result.stdout == ""), result.stdout + result.stderr)
            return result.stdout

        one.write_text(ENGLISH)
        check("there is no docs/zh/x.md" in said(), said())
        other.write_text(CHINESE)
        check("does not name the revision" in said(), said())
        check(said("--follow", "docs/x.md", "README.md") == "" and said() == "", said())
        one.write_text(ENGLISH.replace("1 ms", "2 ms").replace("One sentence", "One\nsentence"))
        check(said() == "", "figures of an output, and where lines break, are no change of what is said")
        one.write_text(ENGLISH.replace("One sentence", "One more sentence"))
        check("follows an older docs/x.md" in said(), said())
        marked = other.read_text()
        one.write_text(ENGLISH)
        for words, (instead, told) in MISTAKES.items():
            other.write_text(marked.replace(words, instead, 1))
            check(told in said(), f"{words!r} is {instead!r}: {said()}")


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$|^    .*?$|`[^`]*`", "", text, flags=re.M | re.S)


def anchors(path: Path) -> set[str]:
    """Of its headings, as code hosts and the site make them."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@test
def links_and_anchors_lead_somewhere() -> None:
    dead, seen = [], 0
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "labs").glob("*/*.md")]
    for page in pages:
        for link, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)", without_code(page.read_text())):
            seen += 1
            target = page.parent / link if link else page
            if re.match(r"\w+:", link):
                continue
            if not target.exists() or anchor and anchor not in anchors(target):
                dead.append(f"{page.relative_to(ROOT)}: {link}{'#' * bool(anchor)}{anchor}")
    check(seen > 10 and not dead, "no such page or heading:\n" + "\n".join(dead))


# Of Linux and Windows, which the book compares with.
OTHERS = {"task_struct", "pt_regs", "start_kernel", "rest_init"}


@test
def chapters_name_what_there_is() -> None:
    """Each name_with_underscore that a chapter has between backquotes is in the code."""
    files = [path for top in ("boot", "kernel", "user", "tools", "labs") for path in (ROOT / top).rglob("*")
             if path.is_file() and path.suffix in (".c", ".h", ".asm", ".inc", ".py", "")]
    words = set(re.findall(r"\w+", "\n".join(path.read_text(errors="replace") for path in files))) | OTHERS
    missing = [f"{path.relative_to(ROOT)}: {name}" for path in sorted((ROOT / "docs").rglob("*.md"))
               for name in re.findall(r"`(?:struct )?([a-z]+(?:_[a-z0-9]+)+)(?:\(\))?`", path.read_text())
               if name not in words]
    check(not missing, f"no such name: {', '.join(missing)}")
