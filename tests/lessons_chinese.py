"""The lessons in Chinese: nothing is left in English, all is aligned, and the figures are the same."""
import os
import re
import sys
import tempfile
import unicodedata
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import catalogue  # noqa: E402
from driver import ROOT, call, check, deterministic, guest, test  # noqa: E402
from lessons import DEMO, SHORT  # noqa: E402
from terminal import at_terminal  # noqa: E402

ZH = "LC_ALL=zh_CN.UTF-8"
SOURCES = [*(ROOT / "user/demo").glob("**/*.c"), ROOT / "user/bin/tour.c", ROOT / "user/ulib/string.c"]
LITERAL = r'"(?:[^"\\\n]|\\.)*"'
# Literals of several words that no reader sees as sentences: names of tasks, instructions.
NO_TEXTS = {"stall %s", "ticker %d", "fork %ld", "eater %ld", "tour: write", "tour: read", "tour: pipe", "tour: no thread\\n",
            "1: dec %0; jnz 1b", "1: .fill 8, 1, 0x90; dec %0; jnz 1b", "%.*f GB/s"}
# What is called so in Chinese, too: functions, options, names that gdb shows, units.
NAMES = set("""ok ns us ms GB MiB CPU CPUs TLB CR QEMU EDEADLK ticker reader read co_read co_run blocking aware threads errno tid
    getpid gettid malloc fork _Thread_local tools explore run deadlock way left icount smp k""".split())


def literals(source: Path) -> list[str]:
    """Of a C file, as they stand there; neighbours are one."""
    text = re.sub(r"'(?:[^'\\\n]|\\.)+'", "0", re.sub(r"/\*.*?\*/", "", source.read_text(), flags=re.S))
    text = re.sub(r"^#include.*$", "", text, flags=re.M)
    return ["".join(part[1:-1] for part in re.findall(LITERAL, match[0]))
            for match in re.finditer(rf"{LITERAL}(?:\s*{LITERAL})*", text)]


def in_chinese(name: str, *options: str) -> list[str]:
    result = call(["env", ZH, str(DEMO / name), *options])
    check(result.returncode in (0, 1) and not result.stderr, f"{name}: {result}")  # 1: as a busy host measured it
    return result.stdout.splitlines()


@test
def lessons_have_all_their_texts_in_chinese() -> None:
    texts = catalogue.read(ROOT / "user/demo/zh.po")
    there = {catalogue.unescaped(text) for source in SOURCES for text in literals(source)}
    check(not set(texts) - there, f"nobody says these any more: {sorted(set(texts) - there)}")
    lessons = [source for source in SOURCES if source.name != "string.c"]
    missing = [text for source in lessons for text in literals(source)
               if re.search(r"[a-z]{2,}[,:;.?]? .*[a-z]{2}", text) and catalogue.unescaped(text) not in texts
               and text not in NO_TEXTS]
    check(not missing, f"in English only: {missing}")
    for character in set("".join(texts.values())):
        width = unicodedata.east_asian_width(character)
        check((width in "WF") == (ord(character) >= 0x2e80), f"user/demo/common/language.c takes {character!r} for another width")
        check(width != "A", f"{character!r} is as wide as the terminal likes")


@test
def lessons_in_chinese_have_no_english_and_fit_in_a_line() -> None:
    for name, options in SHORT.items():
        lines = in_chinese(name, *options)
        for line in lines:
            check(catalogue.columns(line) <= 78 and line.strip()[:1] not in tuple(catalogue.CLOSING[:10]), f"{name}: {line!r}")
            left = [] if line.startswith("    | ") else set(re.findall(r"[A-Za-z_]{2,}", line)) - NAMES
            check(not left, f"{name}: {left} in {line!r}")
        bars = [catalogue.columns(line[:line.index("|")]) for line in lines if re.search(r"\|[# ]+\|", line)]
        check(len(set(bars)) <= 1, f"{name}: {lines}")
        helped = in_chinese(name, "--help")
        check(max(map(catalogue.columns, helped)) <= 85 and helped[0].startswith(f"{name}：") and "  --json          只" in "\n".join(helped),
              f"{name}: {helped}")
    table = [line for line in in_chinese("share") if re.match(r"  \S", line)]
    check(len(table) == 9 and len({catalogue.columns(line) for line in table}) == 1, f"{table}")
    refused = call(["env", ZH, str(DEMO / "stall"), "--wait=x"])
    check(refused.returncode == 2 and refused.stderr == "stall: --wait=x：这里要一个 20 到 600000 的数（试试 stall --help）\n", refused.stderr)


@test
def lessons_in_chinese_keep_to_the_width_of_a_terminal() -> None:
    for columns, name in ((80, "stall"), (80, "fair"), (41, "share")):
        status, text = at_terminal(f"{ZH} TERM=xterm {DEMO / name} {' '.join(SHORT[name])}", columns)
        said = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text[text.index("[") if columns == 80 else text.index("[ok]"):])
        lines = re.split(r"\r\n|\r", said)
        check(status == 0 and max(map(catalogue.columns, lines)) < columns, f"{name}: {lines}")
        check(any("：" in line for line in lines), f"{name}: {lines}")


@test
@deterministic
def lessons_measure_the_same_in_both_languages() -> None:
    for name, options in {"stall": ["--wait=100", "--tick=20"], "switchcost": ["--loops=200"]}.items():
        english, chinese = (guest(name, *options, options=["--icount", "--lang", lang]).stdout for lang in ("en", "zh"))
        check(re.findall(r"[\d.]+\d", chinese) == re.findall(r"[\d.]+\d", english) and "切换" in chinese, english + chinese)


@test
def lessons_speak_the_language_of_the_environment() -> None:
    """The lesson, tools/run and tools/catalogue.py agree on whose it is."""
    for words, chinese in {
            "LANG=zh_CN.UTF-8": True, "LANG=zh_CN.utf8": True, "LANG=zh_CN": True, "LANG=zh": True, "LANG=zh_SG.UTF-8@pinyin": True,
            "LC_MESSAGES=zh_CN.UTF-8 LANG=de_DE.UTF-8": True, "LC_ALL= LANG=zh-Hans_US.UTF-8": True, "LANG=zh_CN.GBK": False,
            "LANG=zh_CN.GB18030": False, "LANG=zh_CN.": True, "LANG=zh_TW.UTF-8": False, "LANG=zh_Hant_CN.UTF-8": False, "LANG=zha": False,
            "LC_ALL=C LANG=zh_CN.UTF-8": False, "LC_MESSAGES=C LANG=zh_CN.UTF-8": False, "LANG=": False, "LANG=z": False, "": False,
    }.items():
        bare = ["env", "-u", "LANG", "-u", "LC_ALL", "-u", "LC_MESSAGES", *words.split()]
        check(call([*bare, str(DEMO / "share")]).stdout.startswith("一个") == chinese, words)
        check(catalogue.wanted(dict(word.split("=") for word in words.split())) == chinese, words)
    check(call(["env", ZH, str(DEMO / "share"), "--json"]).stdout == call([str(DEMO / "share"), "--json"]).stdout, "JSON")
    for words, options, chinese in ((ZH, "", True), (ZH, "--lang en", False), ("LANG=C", "--lang zh", True), ("LANG=C", "", False),
                                    (ZH, "--add /bin/true", False), (f"{ZH} GUI=1", "", False), (f"{ZH} GUI=1", "--lang zh", True)):
        dry = call(["env", *words.split(), "tools/run", "--dry-run", *options.split(), "--", "stall"])
        if "GUI" not in words or dry.returncode == 0:  # this QEMU has a window
            check(dry.returncode == 0 and ("baton.lang=zh_CN.UTF-8" in dry.stdout) == chinese, f"{words} {options}: {dry}")


@test
def shell_in_chinese_has_lessons_in_chinese() -> None:
    """What is typed in the shell of a machine, too; and the programs of lab 0."""
    said = guest("sh", "-c", "share | head -1; tour anna | tail -1; export LANG=C; share | head -1", options=["--icount", "--lang", "zh"]).stdout
    check(re.fullmatch("一个进程.*\n剧终。.*\nA process.*\n", said), said)


@test
def catalogues_that_are_wrong_are_refused_in_one_line() -> None:
    with tempfile.TemporaryDirectory() as directory:
        po, inc = os.path.join(directory, "t.po"), os.path.join(directory, "t.inc")
        for text, said in (('msgid "a %d"\nmsgstr "b %s"\n', "directives differ"), ('msgid "%s %d"\nmsgstr "%d %s"\n', "directives differ"),
                           ('msgid "{a}"\nmsgstr "{b}"\n', "directives differ"), ('msgid "a"\n\nmsgid "b"\nmsgstr "c"\n', "without its msgstr"),
                           ('msgstr "a"\n', "without its msgid"), ('"a"\n', "without its msgid"), ("a\n", "neither msgid"),
                           ('msgid "a"\nmsgstr "b"\n' * 2, "a second time"), ('#, fuzzy\nmsgid "a"\nmsgstr "b"\n', "fuzzy"), (None, "No such file")):
            if text is not None:
                Path(po).write_text(text)
            result = call(["tools/catalogue.py", po if text is not None else f"{po}x", "-o", inc])
            check(result.returncode == 2 and result.stderr.count("\n") == 1 and said in result.stderr and not os.path.exists(inc),
                  f"{text!r}: {result}")
        Path(po).write_text('# x\nmsgid ""\nmsgstr "Language: zh"\n\nmsgid "b\\n"\n"%s"\nmsgstr "乙\\n%s"\n\nmsgid "a 50 % of"\nmsgstr "甲"\n\nmsgid "c"\nmsgstr ""\n')
        check(call(["tools/catalogue.py", po, "-o", inc]).returncode == 0, "a good one")
        check(Path(inc).read_text() == '    {"a 50 % of", "甲"},\n    {"b\\n%s", "乙\\n%s"},\n', Path(inc).read_text())
