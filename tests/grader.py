"""The grader gives a verdict on whatever it is given, and writes it down, whatever happens."""
import contextlib
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from xml.etree import ElementTree

from driver import HANG, ROOT, Skipped, call, check, hear_signals, test

sys.path[:0] = [str(ROOT / "tools/labs"), str(ROOT / "tools")]
import answers  # noqa: E402
import build  # noqa: E402
import grading  # noqa: E402
import guest  # noqa: E402
import manifest  # noqa: E402
import overlay  # noqa: E402
import own  # noqa: E402
import report  # noqa: E402
from result import FAIL, HARNESS, NOT_YOURS, OK, TIMEOUT, Result  # noqa: E402

LAB = ROOT / "tools/lab"


def need_solutions() -> None:
    if not LAB.exists():
        raise Skipped("a starter has no solutions")


def await_end(pid: str, what: str) -> None:
    """Of a process that was killed a moment ago: the kernel takes its time. A zombie has ended."""
    until = time.monotonic() + HANG
    with contextlib.suppress(OSError):  # it is gone
        while ") Z " not in Path(f"/proc/{pid}/stat").read_text():
            check(time.monotonic() < until, f"{what} goes on")
            time.sleep(0.05)


def strange(path: Path) -> list[tuple[str, object]]:
    """What may lie where a file belongs: a name, and how it comes there."""
    def bound() -> None:
        with socket.socket(socket.AF_UNIX) as there:
            os.chdir(path.parent)  # its name may be too long
            there.bind(path.name)
            os.chdir(ROOT)

    return [("nothing", lambda: None), ("folder", path.mkdir), ("fifo", lambda: os.mkfifo(path)),
            ("dangling link", lambda: path.symlink_to("nowhere")), ("loop", lambda: path.symlink_to(path.name)),
            ("device", lambda: path.symlink_to("/dev/zero")), ("socket", bound),
            ("huge", lambda: (path.touch(), os.truncate(path, 1 << 30))),
            ("empty", path.touch), ("bytes", lambda: path.write_bytes(bytes(range(256)) * 9)),
            ("controls", lambda: path.write_text("name: a\x1b[2J\x00\u202e<&\n1: \x1b\npartner: \x07")),
            ("digits", lambda: path.write_text("name: solution\n1: " + "9" * 5000 + "\nballs: " + "9" * 5000)),
            ("hex", lambda: path.write_text("name: solution\n1: 0x" + "f" * 60000))]


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def parsed(text: str, form: str) -> int:
    """How many tests the results have; they must be well formed."""
    if form == "junit":
        return len(list(ElementTree.fromstring(text).iter("testcase")))
    return len(json.loads(text)["tests"])


@test
def grader_judges_whatever_lies_where_a_file_belongs() -> None:
    """Never HARNESS: it is the learner's file."""
    need_solutions()
    with tempfile.TemporaryDirectory(prefix="strange-") as directory:
        tree = Path(directory) / "tree"
        call([str(LAB), "make", "0", "--solved", "-o", str(tree)])
        forms = itertools.cycle(("json", "junit"))  # an odd number of kinds: each is told in both
        for name in ("answers.txt", "tour.ktr"):
            path = tree / "labs/0" / name
            whole = path.read_bytes()
            check(len(strange(path)) % 2 == 1, "each kind would be told in one form alone")
            for what, put in strange(path):
                form = next(forms)
                remove(path)
                put()
                result = call(["tools/grade", "--lab", "0", "--" + form], cwd=tree)
                told = f"{name}, {what}: status {result.returncode} {result.stdout[-500:]} {result.stderr}"
                check(result.returncode == 1 and "HARNESS" not in result.stdout and not result.stderr, told)
                check(parsed(result.stdout, form) == 10, told)
            remove(path)
            path.write_bytes(whole)
        whole = (tree / "labs/0/answers.txt").read_text()  # as some editors save it
        (tree / "labs/0/answers.txt").write_bytes(whole.replace("\n", "\r\n").encode("utf-16"))
        result = call(["tools/grade", "--lab", "0"], cwd=tree)
        check("score 100/100" in result.stdout, result.stdout)


@test
def grader_takes_of_a_tree_only_what_can_be_a_source() -> None:
    lab = manifest.Lab(9, "none", "none", ["kernel/*.[ch]"], [], 0)
    with tempfile.TemporaryDirectory(prefix="overlay-") as name:
        learner, out = Path(name) / "learner", Path(name) / "out"
        for top in (learner, out):
            (top / "kernel/sub").mkdir(parents=True)
        (out / "kernel/core.c").write_text("ours")
        (learner / "kernel/good.c").write_text("good")
        (learner / "kernel/core.c").mkdir()
        (learner / "kernel/core.c/deep.c").write_text("below a file of ours")
        for bad in ("a\nb.c", "a;reboot.c", "$(shell reboot).c", "a b.c"):
            (learner / "kernel" / bad).write_text("x")
        for what, put in strange(learner / "kernel/odd.c")[1:7]:
            put()
            taken = overlay.lay_over(learner, out, lab)
            check(taken.paths == ["kernel/good.c"], f"{what}: {taken.paths}")
            check({"kernel/odd.c", "kernel/core.c", "kernel/core.c/deep.c"} <= set(taken.refused)
                  and len(taken.refused) == 7, f"{what}: {taken.refused}")
            remove(learner / "kernel/odd.c")
        check((out / "kernel/core.c").read_text() == "ours", "a file of ours was replaced")
        huge = learner / "kernel/huge.c"
        huge.touch()
        os.truncate(huge, overlay.SIZE_MAX + 1)
        check("larger" in overlay.lay_over(learner, out, lab).refused["kernel/huge.c"], "a huge file is taken")
        for depth in range(60):  # what a recursive walk dies of, and no path can name
            os.mkdir("d" * 200) if depth else os.chdir(learner / "kernel")
            os.chdir("d" * 200) if depth else None
        os.chdir(ROOT)
        check(overlay.lay_over(learner, out, lab).paths == ["kernel/good.c"], "deep folders")


@test
def grader_tells_statuses_apart() -> None:
    """A program may end with any; a signal's number is only one that there is."""
    lab_test = manifest.Test("t", 1, "")
    for status, errors, verdict, seen in (
            (255, "", FAIL, "status 255"), (128 + 65, "", FAIL, "status 193"), (128 + 33, "", FAIL, "signal 33"),
            (139, "", FAIL, "SIGSEGV"), (125, "", FAIL, "status 125"), (124, "", FAIL, "status 124"),
            (125, "PANIC: x\ntools/run: the kernel panicked", "PANIC", "PANIC: x"),
            (124, "tools/run: timeout: 4 s", "TIMEOUT", "time was over"), (126, "no QEMU", HARNESS, "no QEMU")):
        run = guest.Ended(status, "KTAP version 1\n", errors, "")
        found = guest.died(ROOT, manifest.Lab(9, "", "", [], [], 0), lab_test, run, Path("/none"), run.output) or \
            guest.judge(run, lab_test, 1, {})
        check(found.verdict == verdict and seen in found.seen, f"{status} {errors!r}: {found}")
    flood = "# value a 0x" + "f" * 500000 + "\n# seen: " + "\x1b" * 500000
    guest.judge(guest.Ended(1, flood, "", ""), lab_test, 1, {"a": 1})
    check(not guest.reported(flood), "a number of 500,000 digits")


@test
def grader_makes_harness_of_whatever_is_thrown() -> None:
    """With results in every format, all points in them, and the rest graded."""
    lab = manifest.Lab(9, "none", "none", [], [manifest.Test(name, 50, "hint") for name in ("one", "two")], 0)
    real, built = guest.run_test, build.build
    build.build = lambda root, lab: None
    try:
        for thrown in (ValueError("a\nb\x1b"), MemoryError(), RecursionError(), SystemExit(0), OSError(28, "full"),
                       UnicodeDecodeError("utf-8", b"\xff", 0, 1, "x"), subprocess.CalledProcessError(1, "x")):
            def run_test(root: Path, lab: manifest.Lab, one: manifest.Test, *_: object) -> Result:
                if one.name == "one":
                    raise thrown
                return Result("two", 50, 50, OK)
            guest.run_test = run_test
            with tempfile.TemporaryDirectory(prefix="thrown-") as directory:
                found = grading.Grading(Path(directory), lab, None, 1, 1)
                found.run(lambda: None)
            verdicts = [(result.name, result.verdict) for result in found.results]
            check(verdicts == [("one", HARNESS), ("two", OK)], f"{thrown!r}: {verdicts}")
            told = report.Report(9, "none", 1, 1, found.results)
            check(told.status == 3 and type(thrown).__name__ in told.results[0].seen, told.results[0].seen)
            for form in ("json", "gradescope", "junit"):
                check(parsed(report.FORMATS[form](told), form) == 2, form)
        found = grading.Grading(Path("/proc"), lab, None, 1, 1)
        found.run(lambda: 1 // 0)  # before any test
        check([result.verdict for result in found.results] == [HARNESS] * 2, str(found.results))
    finally:
        guest.run_test, build.build = real, built


@test
def grader_gives_no_hints_on_what_is_not_the_learner_s() -> None:
    lab_test = manifest.Test("one", 50, "hint", crash="step 1")
    full = guest.Ended(126, "", "tools/run: /tmp/x: No space left on device (TMPDIR says where)", "")
    found = guest.died(ROOT, None, lab_test, full, Path("trace"), "# next: step 2\n")
    check(found.verdict == HARNESS and found.hint == NOT_YOURS and not found.early, f"{found}")


@test
def grader_names_what_is_not_installed() -> None:
    """A tree that does not build for that is nobody's mistake."""
    with tempfile.TemporaryDirectory(prefix="bare-") as directory:
        setup = Path(directory, "tools/setup")
        setup.parent.mkdir()
        for status, verdict, said in ((1, HARNESS, "not installed: gcc nasm (tools/setup run)"), (0, FAIL, "No rule")):
            setup.write_text(f"#!/bin/sh\necho tools/setup: missing for run: gcc nasm\nexit {status}\n")
            setup.chmod(0o755)
            found = build.build(Path(directory), manifest.Lab(9, "", "", [], [], 0))
            check(found and found[0] == verdict and said in found[1], f"{found}")


@test
def grader_tells_the_same_in_whatever_order_guests_end() -> None:
    """The third test hangs at once, the first later: what counts is which stands before which."""
    names = ["late_hang", "good", "hang", "not_run", "nor_this"]
    lab = manifest.Lab(9, "none", "none", [], [manifest.Test(name, 20, "hint") for name in names], 0)
    gone_on = []

    class Told(grading.Grading):
        def run_test(self, one: manifest.Test, stop: threading.Event) -> Result:
            if "hang" in one.name:
                time.sleep(0.5 if one.name == "late_hang" else 0)
                return Result(one.name, 20, 0, TIMEOUT, "", "the guest hangs")
            if one.name != "good" and not stop.wait(HANG):  # a guest ends when nobody wants to know
                gone_on.append(one.name)
            return Result(one.name, 20, 20, OK)

    found = Told(ROOT, lab, None, 1, 1)
    found.guests(lab.tests)
    check([result.name for result in found.results] == names and not gone_on, f"{found.results} {gone_on}")
    check([result.verdict for result in found.results] == [TIMEOUT, OK, TIMEOUT, TIMEOUT, TIMEOUT]
          and all("not run" in result.seen for result in found.results[3:]), str(found.results))


@test
def grader_that_is_ended_ends_its_guests() -> None:
    seed = str(random.randrange(1 << 31))
    number = next(n for n in manifest.numbers(ROOT) if manifest.load(ROOT, n).tests)

    def guests() -> list[list[bytes]]:
        lines = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                words = path.read_bytes().split(b"\0")
                lines += [words] if b"--evidence" in words and seed.encode() in words else []
        return lines

    process = subprocess.Popen([str(ROOT / "tools/grade"), "--lab", str(number), "--seed", seed],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=hear_signals)
    while not guests():
        check(process.poll() is None, "it ended by itself")
        time.sleep(0.05)
    process.terminate()
    errors = process.communicate(timeout=HANG)[1]
    check(process.returncode == -signal.SIGTERM and not guests(), f"{errors} {guests()}")


@test
def grader_ends_what_a_build_leaves_and_shows_its_first_errors() -> None:
    """20 MB of them, an object that would fill the disk, and a process that goes on."""
    with tempfile.TemporaryDirectory(prefix="build-") as directory:
        makefile, pid = Path(directory) / "Makefile", Path(directory) / "pid"
        makefile.write_text("all:\n\t@sleep 1000 & echo $$! >pid; yes 'x.c:1: error: wrong' | head -c 20000000; exit 1\n"
                            "big:\n\t@dd if=/dev/zero of=big bs=1M count=300 2>&1\n")
        said = build.make(Path(directory), "all")
        check(said == "\n".join(["x.c:1: error: wrong"] * 3), said[:500])
        await_end(pid.read_text().strip(), "a process of the build")
        check(build.make(Path(directory), "big"), "a file of 300 MB is built")
        check((Path(directory) / "big").stat().st_size <= build.FILE_MAX, "a file of more than 256 MB is there")


@test
def grader_lets_no_text_of_others_act() -> None:
    """Escapes, bytes that are no text, what XML must not have, lines that look like a verdict."""
    wild = "\x1b[2J\x00\u202e\ufffe\udc80<b>&\"]]>\nok 9 - all\n" + "x" * 100000
    told = report.Report(1, "t", 1, 1, [Result("bad", 100, 0, FAIL, wild, wild, wild)], [wild])
    for name, form in report.FORMATS.items():
        text = form(told)
        check(text.encode() and not set("\x1b\x00\u202e\ufffe") & set(text) and len(text) < 20000, name)
    check(not [line for line in report.ktap(told).splitlines() if line.startswith("ok")], report.ktap(told))
    check(ElementTree.fromstring(report.junit(told)).get("failures") == "1", "JUnit")
    check("\x1b" not in report.text(told), "text")


@test
def grader_says_in_one_line_that_it_was_called_wrongly() -> None:
    with tempfile.TemporaryDirectory(prefix="wrong-") as directory:
        keep = Path(directory) / "precious"
        keep.write_text("x")
        number = str(manifest.numbers(ROOT)[0])
        for wrong in (["--seed", "-1"], ["--seed", "9" * 6000], ["--smp", "0"], ["-k", "a\nb\x1b"], ["--lab", "77"],
                      ["-o", "/nowhere/x"], ["-o", directory], ["--ktap", directory + "/no/x"], ["--tree", "/no"],
                      ["--tree", str(ROOT), "--work", directory], ["--nonsense"], ["-o", "/dev/full", "-k", "questions"]):
            result = call([str(ROOT / "tools/grade"), "--lab", number, *wrong])
            check(result.returncode == 2 and len(result.stderr.splitlines()) == 1
                  and "\x1b" not in result.stderr, f"{wrong}: {result.returncode} {result.stderr}")
        packed = call([str(ROOT / "tools/grade"), "--lab", number, "--tree", str(keep)])
        check(packed.returncode == 2 and "unpack it" in packed.stderr, packed.stderr)
        check(keep.exists() and os.listdir(directory) == ["precious"], str(os.listdir(directory)))


@test
def grader_that_is_ended_leaves_whole_results() -> None:
    """Told to end while it builds, by a make that never ends: which ends as well."""
    number = manifest.numbers(ROOT)[-1]
    if not manifest.load(ROOT, number).tests:
        raise Skipped("a lab without tests in the guest")
    with tempfile.TemporaryDirectory(prefix="ended-") as name:
        fake, begun, out = Path(name) / "make", Path(name) / "begun", Path(name) / "results.json"
        fake.write_text(f"#!/bin/sh\necho $$ >{begun}\nexec sleep 1000\n")
        fake.chmod(0o755)
        out.write_text("the old ones")
        for number_of, word in ((signal.SIGTERM, "SIGTERM"), (signal.SIGINT, "SIGINT")):
            begun.unlink(missing_ok=True)
            process = subprocess.Popen([str(ROOT / "tools/grade"), "--lab", str(number), "--json", "-o", str(out)],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                       preexec_fn=hear_signals, env=os.environ | {"PATH": f"{name}:{os.environ['PATH']}"})
            while not begun.exists() or not begun.read_text().endswith("\n"):
                check(process.poll() is None, "it ended by itself")
                time.sleep(0.05)
            process.send_signal(number_of)
            text, errors = process.communicate(timeout=HANG)
            check(process.returncode == -number_of and word in errors and len(errors.splitlines()) == 1, errors)
            tests = json.loads(out.read_text())["tests"]
            check({t["verdict"] for t in tests} == {HARNESS} and sum(t["points"] for t in tests) == 100, str(tests))
            check("score 0/100" in text, text)
            await_end(begun.read_text().strip(), "its make")
        check(sorted(os.listdir(name)) == ["begun", "make", "results.json"], str(os.listdir(name)))


# What runners, makes and users have in their environments.
SURROUNDINGS = {"CI": "true", "WERROR": "1", "SANITIZE": "1", "DEBUG": "1", "V": "1", "GUI": "1", "CFLAGS": "-O0",
                "CC": "false", "LD": "false", "MAKEFLAGS": "kn -- SANITIZE=1 WERROR=1 USER_CFLAGS=-Wrong CC=gcc",
                "GNUMAKEFLAGS": "-n", "MAKELEVEL": "3", "LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}


@test
def grader_is_the_same_whoever_starts_it() -> None:
    """With a warning in the learner's file, and a header that makes errors wherever it is found first."""
    need_solutions()
    with tempfile.TemporaryDirectory(prefix="whoever-") as directory:
        tree, folder, git = (Path(directory) / name for name in ("tree", "folder", "git"))
        folder.mkdir()
        for name in ("stdint.h", "stddef.h"):
            (folder / name).write_text("#error this is not ours\n")
        (folder / "extra.mk").write_text("$(error this is not ours)\n")
        call(["git", "init", "-q", str(git)])
        environment = os.environ | SURROUNDINGS | {
            "CPATH": str(folder), "MAKEFILES": str(folder / "extra.mk"), "GIT_DIR": str(git / ".git"),
            "GIT_WORK_TREE": str(folder)}

        def run(*command: str) -> subprocess.CompletedProcess:
            return subprocess.run(command, cwd=tree if tree.exists() else ROOT, env=environment, text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=HANG,
                                  preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))

        made = run(str(LAB), "make", "5", "--solved", "-o", str(tree))
        check(made.returncode == 0 and call(["git", "log", "--oneline"], cwd=tree).stdout.count("\n") == 1,
              made.stdout + made.stderr)
        check(call(["git", "log", "--all"], cwd=git).stdout == "", "a commit in another repository")
        overlay.take_objects(ROOT, tree)
        source = tree / "user/ulib/co/co.c"
        whole = source.read_text()
        source.write_text(whole + "static int nobody_needs_this(void)\n{\n    return 0;\n}\n")
        graded = run("tools/grade", "--lab", "5", "-k", "run_order", "--json")
        check(json.loads(graded.stdout)["score"] > 0, graded.stdout + graded.stderr)
        built = (tree / "build/flags").read_text()
        check(built.startswith("gcc -") and not any(word in built for word in ("DEBUG", "SANITIZE", "-O0", "-Wrong")),
              f"built with {built}")
        source.write_text(whole + "int twice;\nchar twice;\n")
        seen = json.loads(run("tools/grade", "--lab", "5", "-k", "run_order", "--json").stdout)["tests"][0]["seen"]
        check("error: conflicting types for 'twice'" in seen, seen)


@test
def grader_lowers_limits_only() -> None:
    """Where its own are lower already, which nobody but root may raise."""
    program = ("import os, resource, environment\n"
               "resource.setrlimit(resource.RLIMIT_CPU, (100, 200))\n"
               "if os.getuid() == 0: os.setuid(65534)\n"
               "environment.limit(resource.RLIMIT_CPU, 150, 600)\n"
               "print(resource.getrlimit(resource.RLIMIT_CPU))\n")
    result = call([sys.executable, "-B", "-c", program], cwd=ROOT / "tools/labs")
    check(result.stdout == "(150, 200)\n", result.stdout + result.stderr)


@test
def grader_with_a_broken_lab_py_still_writes_results() -> None:
    need_solutions()
    with tempfile.TemporaryDirectory(prefix="broken-") as directory:
        tree = Path(directory) / "tree"
        call([str(LAB), "make", "0", "--solved", "-o", str(tree)])
        lab = tree / "labs/0/lab.py"
        whole = lab.read_text()
        for broken in ("LAB = None", "raise SystemExit(0)", "(", "\x00", whole.replace("questions=15", "questions=14")):
            lab.write_text(broken)
            for form in ("json", "gradescope", "junit"):
                result = call(["tools/grade", "--" + form, "--lab", "0"], cwd=tree)
                check(result.returncode == 3 and parsed(result.stdout, form) == 1, f"{broken[-20:]}: {result}")


@test
def lab_answers_are_salted_and_slow_to_try() -> None:
    one, two = answers.sealed("22"), answers.sealed("22")
    check(one != two, "the same digest twice: a table of them would do")
    salt, digest = one.split()
    check(all(answers.digest(same, salt) == digest for same in ("22", " 0x16 ", "022", "２２")), "22 is wrong")
    check(answers.digest("23", salt) != digest, "23 is right")
    begin = time.process_time()
    answers.digest("9" * 5000, salt)
    check(time.process_time() - begin > 0.01, "tried in less than 10 ms of CPU time")


@test
def lab_answers_may_be_typed_and_saved_as_in_china() -> None:
    """Wide letters, digits, colons, blanks and full stops, and what an editor there makes of Chinese ones."""
    given = answers.parse("name：王小明\n　１ ： ４８。\nｎｏｔｅ﹕ｒａｘ\n2∶0x1６\n")
    check(given == {"name": "王小明", "1": "４８。", "note": "ｒａｘ", "2": "0x1６"}, f"{given}")
    check([answers.normal(given[key]) for key in ("1", "note", "2")] == ["48", "rax", "22"], f"{given}")
    check(own.is_right("２００ 毫秒。", (190, 210)) and own.is_right("Ｃｌａｒａ。", "clara"), "200 ms are not right")
    given = answers.parse("1. 48\n2) 0x10\n 3 = a.b\n４、 5\n5 6\n# 6. no\nsee. 7\n")
    check(given == {"1": "48", "2": "0x10", "3": "a.b", "4": "5"}, f"{given}")
    text = "name：王小明\n1：48\n"
    with tempfile.TemporaryDirectory(prefix="saved-") as directory:
        path = Path(directory) / "answers.txt"
        for encoding in ("utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"):
            path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
            check(answers.read(path) == ({"name": "王小明", "1": "48"}, ""), f"{encoding}: {answers.read(path)}")
        path.write_bytes(b"1: 48\n2: \xff\xff\n")
        check(answers.read(path)[0]["1"] == "48", "what is no text takes the rest with it")


@test
def lab_questions_with_own_numbers_differ_by_name() -> None:
    """And the solution's own answers are right, a starter has no digest of them."""
    need_solutions()
    for number in manifest.numbers(ROOT):
        lab = manifest.load(ROOT, number)
        given, _ = answers.read(ROOT / f"labs/{number}/answers.txt")
        for question, mine in lab.personal.items():
            right = {str(mine.right(name)) for name in ("ann", "bob", "carl", "dora", "eve", "fay", "gus", "hal")}
            asked = {mine.asked(name) for name in ("ann", "bob", "carl", "dora", "eve", "fay", "gus", "hal")}
            check(len(right) > 2 and len(asked) > 2, f"lab {number}, question {question}: {right}")
            check(given[question] == str(mine.right(given["name"])), f"lab {number}: the solution's {question}")
        if lab.personal:
            with tempfile.TemporaryDirectory(prefix="sums-") as directory:
                call([str(LAB), "make", str(number), "-o", directory + "/starter"])
                sums = Path(f"{directory}/starter/labs/{number}/answers.sums").read_text().splitlines()
            check(len(sums) == 5 - len(lab.personal)
                  and not {line.split()[0] for line in sums} & set(lab.personal), str(sums))


@test
def grading_one_tree_spoils_no_other() -> None:
    """The first hands in a header and an object that break everybody's build; the next gets what is ours,
    as far as it is built."""
    need_solutions()
    lab = manifest.load(ROOT, 5)
    with tempfile.TemporaryDirectory(prefix="poison-", dir=ROOT / "build") as name:
        evil, good, work = (Path(name) / part for part in ("evil", "good", "work"))
        call([str(LAB), "make", "5", "--solved", "-o", str(good)])
        (evil / "user/ulib/co").mkdir(parents=True)
        (evil / "user/ulib/co/internal.h").write_text("#error poison\n")
        (evil / "build/user/ulib/co").mkdir(parents=True)
        (evil / "build/user/ulib/co/co.o").write_text("poison")
        built = {}
        for who, tree in (("evil", evil), ("good", good)):
            overlay.trusted_tree(ROOT, work, 5)
            overlay.lay_over(tree, work, lab)
            built[who] = build.make(work, "build/user/libu.a")
        check("poison" in built["evil"] and not built["good"], str(built))
        ours, theirs = (top / "build/user/ulib/printf.o" for top in (ROOT / "build/grade/base/5", work))
        check(ours.stat().st_mtime_ns == theirs.stat().st_mtime_ns, "what nobody has changed is built again")
