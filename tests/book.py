"""The book: both languages say the same, and its links lead somewhere."""
import re
import tempfile
from pathlib import Path

from browser import Browser
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

<!-- session
tools/run -- true
-->
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
    "| 2 |": ("| 3 |", "row of 2"), "stall.md": ("trace.md", "link to"),
    "tools/run -- true": ("tools/run -- false", "output of"),
}


@test
def a_translation_that_lags_behind_is_seen() -> None:
    need_translations()
    with tempfile.TemporaryDirectory() as directory:
        tool, one, other = (Path(directory) / name for name in ("tools/translated", "docs/x.md", "docs/zh/x.md"))
        for path in (tool, other):
            path.parent.mkdir(parents=True)
        tool.write_text(Path(TRANSLATED).read_text())
        (tool.parent / "launch").symlink_to(ROOT / "tools/launch")
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
        marked = other.read_text()
        one.write_text(ENGLISH.replace("| 2 |", "| 2,000 |"))
        other.write_text(marked.replace("| 2 |", "| 2,000 |"))
        check(said() == "", "a figure that is another one in both is none either")
        other.write_text(marked)
        one.write_text(ENGLISH.replace("One sentence", "One more sentence"))
        check("follows an older docs/x.md" in said(), said())
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
    need_translations()  # and lacks what is for teachers
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


LOOKS = [("zh/questions.html", 1280, False), ("en/trace.html", 390, True), ("zh/glossary.html", 390, False)]
# In a browser: is anything wider than the page, and was anything fetched from elsewhere?
MEASURE = """[document.documentElement.scrollWidth,
    performance.getEntriesByType("resource").filter((found) => !found.name.startsWith("file:")).length]"""


def site_is_whole(site: Path) -> None:
    """Each address in it is in it, with its anchor; nothing is loaded from elsewhere."""
    texts = {path: path.read_text() for path in site.rglob("*.html")}
    named = {path: set(re.findall(r'\bid="([^"]+)"', text)) for path, text in texts.items()}
    for path, text in texts.items():
        if path.parent.name == "timelines":  # tests of their own
            continue
        check(not re.search(r'\bsrc="(\w+:)?//', text), f"{path}: something is loaded from elsewhere")
        for address in re.findall(r'\b(?:src|href)="([^"]*)"', text):
            where, _, anchor = address.partition("#")
            target = (path.parent / where).resolve() if where else path
            if not re.match(r"\w+:", address):
                check(target.exists(), f"{path.relative_to(site)}: {address}: no such file")
                moment = target.parent.name == "timelines" and re.fullmatch(r"show=-?\d+,\d+", anchor)
                check(not anchor or target.suffix != ".html" or moment or anchor in named[target],
                      f"{path.relative_to(site)}: {address}: no such place")
    for path in site.rglob("*.css"):
        check(not re.search(r"url\(\W*(\w+:)?//", path.read_text()), f"{path}: something is loaded from elsewhere")


# What a search has found; it shows one page after the other. The limit ends a search that never finds ours.
FOUND = """(async () => {
    let pages = "";
    for (let tries = 0; tries < 1000 && !pages.includes("%s"); tries++) {
        await new Promise((done) => setTimeout(done, 20));
        pages = [...document.querySelectorAll("#search-results li a")].map((a) => a.href).join();
    }
    return pages;
})()"""


@test
def the_book_becomes_a_site_that_finds_words() -> None:
    site = ROOT / "build/book"
    result = call([str(ROOT / "tools/book")])
    if result.returncode == 3:
        raise Skipped("no Sphinx here: tools/setup book")
    check(result.returncode == 0, result.stdout + result.stderr)
    site_is_whole(site)
    for language, word, page in (("en", "coroutine", "stall"), ("zh", "协程", "switches"), ("zh", "协程和停摆", "stall")):
        with Browser(site / language / "search.html", f"?q={word}") as browser:
            found = browser.evaluate(FOUND % f"/{language}/{page}.html")
            check(f"/{language}/{page}.html" in found, f"a search for {word} finds {found}")
            check(not browser.complaints, f"{browser.complaints}")
    moments = re.findall(r'<iframe[^>]* src="\.\./timelines/lost\.html#show=(\d+),(\d+)"', (site / "en/locks.html").read_text())
    check(len(moments) == 1, f"the lost wake-up has no timeline beside it: {moments}")
    with Browser(site / "timelines/lost.html", f"#show={','.join(moments[0])}") as browser:
        shown = browser.evaluate("[view.from, view.to]")
        check(shown == [int(time) for time in moments[0]], f"{shown} is shown and not {moments[0]}")
    for page, width, dark in LOOKS:
        with Browser(site / page, size=(width, 900), dark=dark) as browser:
            check(browser.evaluate(MEASURE) == [width, 0], f"{page} at {width}: {browser.evaluate(MEASURE)}")
            check(not browser.complaints, f"{page}: {browser.complaints}")


@test
def without_sphinx_the_book_says_what_is_missing() -> None:
    result = call(["/usr/bin/python3", "-S", str(ROOT / "tools/book")])  # without packages
    check(result.returncode == 3 and "has no sphinx, myst_parser, jieba" in result.stderr
          and result.stderr.count("\n") == 1, result.stderr)


@test
def handouts_fit_a_terminal() -> None:
    """Of 80 columns: they are read beside the code. Tables are as wide as they are."""
    for path in sorted((ROOT / "labs").glob("*/README.md")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            check(len(line) <= 80 or line.startswith("|"), f"{path.relative_to(ROOT)}:{number}: {line}")
