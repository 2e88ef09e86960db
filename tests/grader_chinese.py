"""Gradings in Chinese: all that is said has a Chinese text, and it is found, fits a terminal, and changes nothing."""
import fcntl
import json
import os
import pty
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from driver import ROOT, Skipped, call, check, test

sys.path[:0] = [str(ROOT / "tools/labs"), str(ROOT / "tools")]
import catalogue  # noqa: E402
import language  # noqa: E402
import manifest  # noqa: E402
import report  # noqa: E402
from result import OK, PANIC, Result  # noqa: E402

COLUMNS = 80
HAN = re.compile("[\u4e00-\u9fff]")
ENGLISH = re.compile(r"(?<![\w/.`<-])[a-z]{2,} [a-z]{2,}(?![\w/.`])")  # two words; commands and names of files are none
COMMAND = re.compile(r"(make|tools/[\w ]+) .*|`[^`]*`")


def need_sentences() -> None:
    if not (ROOT / "tools/labs/sentences.py").exists():
        raise Skipped("a starter has no list of the graders' sentences")


def in_chinese(command: list[str], cwd: Path, environment: dict[str, str]) -> tuple[str, int]:
    """What a terminal of 80 columns gets."""
    here, there = pty.openpty()
    fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    process = subprocess.Popen(command, cwd=cwd, stdin=there, stdout=there, stderr=there,
                               env=os.environ | environment)
    os.close(there)
    found = b""
    try:
        while piece := os.read(here, 1 << 16):
            found += piece
    except OSError:  # nobody has the other end any more
        pass
    os.close(here)
    return found.decode().replace("\r\n", "\n"), process.wait()


def check_screen(text: str) -> None:
    for line in text.splitlines():
        check(catalogue.columns(line) <= COLUMNS, f"{catalogue.columns(line)} columns: {line}")
        check(not ENGLISH.search(COMMAND.sub("", line)), f"in English: {line}")


@test
def graders_sentences_have_a_chinese_text_each() -> None:
    """And none is left of a sentence that nobody says any more; each is found by its words."""
    need_sentences()
    import sentences
    tools, common = sentences.of_tools(ROOT), catalogue.read(language.COMMON)
    labs = {number: sentences.of_lab(ROOT, number) for number in manifest.numbers(ROOT)}
    said = tools.all | sentences.of_python() | set().union(*(lab.all for lab in labs.values()))
    wrong = [f"tools/labs/zh.po lacks {text!r}" for text in tools.needed if text not in common]
    wrong += [f"tools/labs/zh.po: nobody says {text!r}" for text in common if text not in said]
    for number, lab in labs.items():
        own = catalogue.read(ROOT / f"labs/{number}/zh.po")
        wrong += [f"labs/{number}/zh.po lacks {text!r}" for text in lab.needed if text not in common | own]
        wrong += [f"labs/{number}/zh.po: nobody says {text!r}" for text in own if text not in lab.all]
        wrong += [f"labs/{number}/zh.po: {text!r} is in tools/labs/zh.po" for text in own if common.get(text) == own[text]]
    check(not wrong, "\n".join(wrong))
    for number, lab in labs.items():
        chinese = language.Chinese()
        chinese.learn(language.COMMON)
        chinese.learn(ROOT / f"labs/{number}/zh.po")
        for text in [*lab.needed, *tools.needed]:
            shown = language.FIELD.sub("7", text).replace("(s)", "s")
            wanted = language.FIELD.sub("7", chinese.texts[text])
            check(chinese.line(shown) == wanted, f"lab {number}: {shown!r} becomes {chinese.line(shown)!r}, not {wanted!r}")


@test
def grading_in_chinese_gives_the_same_points() -> None:
    need_sentences()
    with tempfile.TemporaryDirectory(prefix="chinese-") as directory:
        tree = Path(directory) / "tree"
        call([str(ROOT / "tools/lab"), "make", "0", "--solved", "-o", str(tree)])
        answers = tree / "labs/0/answers.txt"
        answers.write_text(answers.read_text().replace("balls: 10", "balls：９").replace("culprit: elena", "culprit:"))
        english, read = (call(["env", f"LC_ALL={lang}", "tools/grade", "--lab", "0", "--json", "--seed", "1"], cwd=tree)
                         for lang in ("C", "zh_CN.UTF-8"))
        check(read.stdout == english.stdout, f"what programs read is another text: {read.stdout}")
        for options, variables in (([], {"LC_ALL": "zh_CN.UTF-8"}), (["--lang", "zh"], {"LC_ALL": "C"})):
            shown, status = in_chinese(["tools/grade", "--lab", "0", *options], tree, variables)
            score = json.loads(english.stdout)["score"]
            check(shown.endswith(f"得分 {score}/100\n") and 0 < score < 100 and status == english.returncode, shown)
            check("CPU 直接从 tour 到它的子进程" in shown and "没有回答" in shown and "９，与你的追踪不符" in shown, shown)
            check_screen(shown)
        (tree / "labs/0/tour.ktr").write_text("none")
        answers.write_text("name：王小明\n")
        check_screen(in_chinese(["tools/grade", "--lab", "0"], tree, {"LC_ALL": "zh_CN.UTF-8"})[0])


@test
def wrong_use_of_graders_is_told_in_chinese() -> None:
    need_sentences()
    for command, words in (("grade", []), ("grade", ["--lab", "77"]), ("grade", ["--lab", "x"]), ("grade", ["--lab"]),
                           ("grade", ["--foo"]), ("grade", ["--json", "--junit"]), ("grade", ["--lab", "0", "-k", "x"]),
                           ("grade", ["--lab", "0", "--smp", "0"]),
                           ("grade", ["--lab", "0", "--tree", "/nowhere"]), ("grade", ["--lab", "0", "-o", "/proc/x"]),
                           ("lab", []), ("lab", ["frob"]), ("lab", ["make", "2", "-o", "/proc"])):
        result = call([f"tools/{command}", "--lang", "zh", *words])
        told = result.stderr.strip()
        check(result.returncode == 2 and told.count("\n") == 0 and HAN.search(told), f"{words}: {result.returncode} {told}")
        check(not ENGLISH.search(COMMAND.sub("", told.removeprefix(f"tools/{command}: "))), f"{words}: {told}")
    listed = call(["env", "LC_ALL=zh_CN.UTF-8", "tools/lab", "list"]).stdout
    check_screen(listed)
    columns = {catalogue.columns(line.split(" 个测试")[0].rstrip("0123456789")) for line in listed.splitlines()[::2]}
    check(len(columns) == 1, f"not in columns: {columns}\n{listed}")


@test
def graders_need_no_locale_and_refuse_a_bad_catalogue() -> None:
    need_sentences()
    listed = call(["env", "PYTHONIOENCODING=ascii", "tools/lab", "--lang", "zh", "list"])
    check(listed.returncode == 0 and "证明你的锁" in listed.stdout, f"{listed.stdout} {listed.stderr}")
    with tempfile.TemporaryDirectory(prefix="catalogue-") as directory:
        tree = Path(directory)
        shutil.copytree(ROOT / "tools", tree / "tools", ignore=shutil.ignore_patterns("__pycache__"))
        for folder in ("labs/0", "kernel/trace"):
            shutil.copytree(ROOT / folder, tree / folder)
        for path in ("tools/labs/zh.po", "labs/0/zh.po"):
            with open(tree / path, "a") as file:
                file.write("msgid none\n")
            for words in (["grade", "--lang", "zh", "--lab", "0"], ["lab", "--lang", "zh", "list"]):
                told = call([str(tree / "tools" / words[0]), *words[1:]], cwd=tree)
                check(told.returncode == 2 and told.stderr.count("\n") == 1 and "zh.po:" in told.stderr, told.stderr)
                told = call([str(tree / "tools" / words[0]), *words[1:], "--lang", "en", "--foo"], cwd=tree)
                check(told.returncode == 2 and "--foo" in told.stderr, told.stderr)
            shutil.copy(ROOT / path, tree / path)


@test
def packs_of_a_chinese_teacher_talk_chinese() -> None:
    need_sentences()
    import pack
    lab = manifest.load(ROOT, 2)
    for chosen, option in (("en", ""), ("zh", " --lang zh")):
        language.choose(chosen)
        try:
            flow, script = pack.workflow(lab), pack.RUN_AUTOGRADER.format(number=2, lang=pack.lang())
        finally:
            language.choose("en")
        check(flow.count(f"tools/grade --lab 2 -k ring{option}\n") == 1, flow)
        check(f"tools/grade --lab 2{option} --tree" in script, script)


@test
def results_in_chinese_fit_a_terminal() -> None:
    """Sentences, a schedule's story and its columns, and what stays as it is."""
    story = ["found after 1 schedule, with 2 preemptions",
             "main       ways.h:53       sum += grade_number(1);     (reads sum: 0xf9bf111e3b410c7a, writes sum: 9)",
             "thread 2   ways.h:53 to crew.h:52, yields               (reads sum: 7, writes inside: 2)",
             "           -- CPU taken here, before ways.h:12  while (sum > 3) { a = b } --",
             "             (reads sum: 7, writes sum: 9)",
             "           -- CPU taken here, in the kernel: f kernel/x.h:1 --", "thread 2   ways.h:60, waits for the door", "thread 3   (in a library), to its end"]
    seen = "deadlock: nobody can go on\nthread 2 waits for the door at ways.h:60  word_wait(door);\nmain sleeps\n" \
        "the test program died by signal 11 (SIGSEGV); in ticket_take (user/locks/ticket.c:12), by way of first " \
        "(labs/8/ways.h:3); address 0x8"
    gdb = "make gdb ADD=build/labs/8/tests EXPLORE=1046@3,1203@2 CMD='tests semaphore_counts 1815438932'"
    hint = "step 5: all come in by the door, one behind the other; a writer keeps it until it is out again"
    told = report.Report(8, "Prove your lock", 7, 2, [
        Result("good", 60, 60, OK), Result("bad", 40, 0, PANIC, "that the test runs to its end", seen, hint, "again",
                                           "build/grade/8/bad/ (log, core)", f"{gdb}; b", "\n".join(story))],
        ["a.c was not taken: it is a link"])
    data, texts = report.as_json(told), {}
    for chosen in language.LANGUAGES:
        language.choose(chosen)
        try:
            language.learn_lab(ROOT, 8)
            texts[chosen] = report.text(told, COLUMNS)
            check(report.as_json(told) == data and report.ktap(told).isascii(), "what programs read has changed")
            output = "".join(one["output"] for one in json.loads(report.gradescope(told))["tests"])
            check(bool(HAN.search(output)) == (chosen == "zh"), f"--gradescope: {output}")
        finally:
            language.choose("en")
    check_screen(texts["zh"].replace(" sum += grade_number(1);", ""))
    for line in ("    预期      测试运行到结尾", "              线程 2 等待门，在 ways.h:60  word_wait(door);", "              主线程睡眠",
                 "              线程 2     ways.h:53 到 crew.h:52，让出", "                (读 sum: 7, 写 inside: 2)",
                 "              线程 3     （在库里），直到结束", "              线程 2     ways.h:60，等待门", " " * 27 + "(读 sum: 7, 写 sum: 9)",
                 " " * 25 + "-- CPU 在这里被拿走，在内核里：f kernel/x.h:1 --",
                 "注意: 没有采用 a.c：它是一个链接", "得分 60/100"):
        check(line in texts["zh"].splitlines(), f"{line!r} is not in\n{texts['zh']}")
    command = texts["en"].split("    look      ")[1].partition("\n              b\n")[0]
    words = call(["sh", "-c", f"printf '%s\\n' {command}"]).stdout.splitlines()
    check("\\\n" in command and words == shlex.split(gdb), f"a shell does not take it as one command: {command}")
    check(all(catalogue.columns(line) <= COLUMNS for line in texts["en"].splitlines()), texts["en"])
