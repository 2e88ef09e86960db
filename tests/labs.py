"""The labs: their files in order, the generator's refusals, the grader's verdicts and formats, each
lab's solution, and one lab's proof in short. All labs' whole proof is `make test-labs`."""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from xml.etree import ElementTree

from driver import ROOT, TESTS, Skipped, call, check, guest, test
from ktracelib import format as fmt
from ktracelib.states import Model

sys.path[:0] = [str(ROOT / "tools/labs"), str(ROOT / "tools")]
import manifest  # noqa: E402
import overlay  # noqa: E402

LAB = str(ROOT / "tools/lab")


def need_solutions() -> None:
    if not Path(LAB).exists():
        raise Skipped("a starter has no solutions to check")


@test
def labs_are_in_order() -> None:
    need_solutions()
    result = call([LAB, "check"])
    check(result.returncode == 0, result.stdout + result.stderr)


@test
def lab_handouts_name_what_there_is() -> None:
    """Each name_with_underscore that a handout has between backquotes is in the code or a lab."""
    files = [path for top in ("kernel", "user", "tools", "tests", "labs")
             for path in (ROOT / top).rglob("*") if path.is_file() and path.suffix != ".md"]
    words = set(re.findall(r"\w+", "\n".join(path.read_text(errors="replace") for path in files)))
    handouts = sorted((ROOT / "labs").glob("*/README*.md"))
    missing = [f"{path.relative_to(ROOT)}: {name}" for path in handouts
               for name in re.findall(r"`([a-z]+(?:_[a-z0-9]+)+)(?:\(\))?`", path.read_text())
               if name not in words]
    check(handouts and not missing, f"no such name: {', '.join(missing)}")


def refusal(text: str) -> str:
    import markers
    try:
        markers.parse("x.c", text)
    except markers.MarkerError as error:
        return str(error)
    return ""


@test
def lab_markers_must_be_well_formed() -> None:
    begin, stub, end = (f"//@lab 2 name {word}\n" for word in ("begin", "stub", "end"))
    for text, wanted in ((begin, "no end"), (end, "without its begin"), (begin + begin, "nested"),
                         (begin + stub + stub, "second stub"), ("//@lab 2 name middle\n", "unknown"),
                         ("//@lap 2 name begin\n//@lab", "unknown"), (begin + stub + "x\n", "begins with"),
                         (begin + "//@lab 3 name end\n", "without its begin")):
        check(wanted in refusal(text), f"{text!r}: {refusal(text)!r}, not {wanted!r}")
    check(not refusal("a\n" + begin + "b\n" + stub + "//| c\n" + end), "a good block is refused")


@test
def lab_markers_give_stub_or_solution() -> None:
    import markers
    parts = markers.parse("x.asm", "a\n;@lab 2 n begin\nb\n;@lab 2 n stub\n  ;|   c\n;@lab 2 n end\n")
    check(markers.resolve(parts, 2) == "a\n    c\n", markers.resolve(parts, 2))
    check(markers.resolve(parts, 3) == "a\nb\n", markers.resolve(parts, 3))


@test
def lab_starter_does_not_show_the_solution() -> None:
    """A handout that quotes a solution line is refused."""
    need_solutions()
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns("build", ".git"))
        call(["git", "init", "-q"], cwd=tree)
        call(["git", "add", "-A"], cwd=tree)
        (tree / "handed in/1/core").mkdir(parents=True)  # what a teacher keeps there is no part of a starter
        shutil.copy(tree / "kernel/sched/switch.asm", tree / "handed in/1/core")
        made = call([str(tree / "tools/lab"), "make", "2", "-o", directory + "/first"])
        check(made.returncode == 0 and not Path(directory, "first/handed in").exists(), made.stderr)
        with open(tree / "labs/2/README.md", "a") as handout:
            handout.write("    mov [rdi + TASK_RSP], rsp\n")
        result = call([str(tree / "tools/lab"), "make", "2", "-o", directory + "/out"])
        check(result.returncode == 1 and "shows a line" in result.stderr, result.stdout + result.stderr)


@test
def lab_starters_are_whole_or_not_there() -> None:
    """Where the disk is full in between, half a starter would be in the way of the next one."""
    need_solutions()
    with tempfile.TemporaryDirectory() as directory:
        for command in ("make", "pack"):
            result = call(["prlimit", "--fsize=20000", "tools/lab", command, "2", "-o", f"{directory}/out/new"])
            check(result.returncode == 2 and result.stderr.count("\n") == 1 and "File too large" in result.stderr, f"{result}")
            check(not any(path.is_file() for path in Path(directory).rglob("*")), f"{command} left a part of it")


@test
def lab_results_in_all_formats() -> None:
    import report
    from result import Result
    lab = manifest.load(ROOT, manifest.numbers(ROOT)[0])
    results = [Result("good", 60, 60, "ok"), Result("bad", 40, 0, "PANIC", "a < b", "<ouch> & \"more\"")]
    told = report.Report(lab.number, lab.title, 7, 1, results)
    data = json.loads(report.as_json(told))
    check((data["score"], data["points"], data["tests"][1]["verdict"]) == (60, 100, "PANIC"), str(data))
    data = json.loads(report.gradescope(told))
    check([t["score"] for t in data["tests"]] == [60, 0] and data["score"] == 60, str(data))
    suite = ElementTree.fromstring(report.junit(told))
    check(suite.get("failures") == "1" and suite[1][0].get("type") == "PANIC", "JUnit")
    ktap = report.ktap(told).splitlines()
    check("1..2" in ktap and any(line.startswith("not ok 2 - bad") for line in ktap), str(ktap))
    check("score 60/100" in report.text(told), "text")


@test
def lab_results_say_once_why_a_tree_does_not_build() -> None:
    """It fails each test: a screen has 24 lines, and no test is to be mended before the others."""
    import report
    from result import Result
    alike = [Result(name, 5, 0, "FAIL", "a tree that builds", "x.c:1: error: y", "mend it") for name in "abc"]
    text = report.text(report.Report(8, "t", 7, 1, [*alike, Result("d", 5, 0, "FAIL", "e", "s")], tests=frozenset("abc")))
    check(text.count("x.c:1: error: y") == 1 and [text.count(f" 0/5   {name}\n") for name in "abcd"] == [1] * 4, text)
    check("mend first" not in text, text)


@test
def lab_is_graded_rightly() -> None:
    """Lab 2: the starter earns nothing, the solution all, a mutant and a cheater are caught."""
    need_solutions()
    result = call([LAB, "prove", "--quick", "2"])
    check(result.returncode == 0, result.stdout + result.stderr)


@test
def lab_targets_of_make_work() -> None:
    """As the README has them; and in the starter `make grade` needs no number."""
    need_solutions()
    points = manifest.load(ROOT, 2).questions
    with tempfile.TemporaryDirectory(prefix="make-lab-") as directory:
        out = f"{directory}/Ann's \"lab\" 2"
        made = call(["make", "lab", "N=2", f"OUT={out}"])
        check(made.returncode == 0 and "labs/2/README.md" in made.stdout, made.stdout + made.stderr)
        for where, wrong, said in ((out, "N=2", "a starter already"), (ROOT, "N=", "which lab?"),
                                   (ROOT, f"N=2 OUT={directory}", "is not empty: name a new")):
            refused = call(["make", "lab", *wrong.split(" ")], cwd=where)
            check(refused.returncode == 2 and said in refused.stderr, f"{wrong}: {refused.stdout}{refused.stderr}")
        graded = call(["make", "grade", "K=questions"], cwd=out)
        check(graded.returncode == 2 and f"score 0/{points}\n" in graded.stdout, graded.stdout + graded.stderr)
        readme = Path(f"{out}/README.md").read_text()
        check("This is the starter of lab 2" in readme and "teaching.md" not in readme, readme[:500])
        readme = Path(f"{out}/README.zh-CN.md").read_text()
        begin = "labs/2/README.zh-CN.md"
        check("“实验 2：切换”" in readme and f"({begin})" in readme and "teaching.md" not in readme, readme[:500])
        check(Path(f"{out}/{begin}").read_text() == (ROOT / begin).read_text(), f"{begin} is another one there")
    graded = call(["make", "grade", "N=2", "K=questions"])
    check(graded.returncode == 0 and f"score {points}/{points}\n" in graded.stdout, graded.stdout + graded.stderr)


def solution_is_worth_full_marks(number: int) -> str:
    seed = random.randrange(1 << 31)
    result = call([str(ROOT / "tools/grade"), "--lab", str(number), "--seed", str(seed)])
    check(result.returncode == 0 and "score 100/100" in result.stdout, result.stdout + result.stderr)
    return f"seed {seed}"


for lab_number in manifest.numbers(ROOT) if Path(LAB).exists() else []:
    TESTS.append((f"lab_{lab_number}_solution_is_worth_full_marks",
                  lambda number=lab_number: solution_is_worth_full_marks(number)))

# For ever. QEMU looks up after each jump, so with a longer body the guest's time is over eight times as fast.
ENDLESS = 'for (;;) {\n        __asm__ volatile(".fill 256, 1, 0x90");\n    }'

# What is made of schedule(), the seen verdict of lab 2's test `ring`, and what it says.
MISTAKES = (
    ("", "ok", ""),
    ('printk("lab: seen: a wrong ring\\n");', "FAIL", "a wrong ring"),
    ('panic("a mistake");', "PANIC", "PANIC: a mistake"),
    ('static const char none[10]; __asm__ volatile("lidt %0; int3" : : "m"(none));', "TRIPLE-FAULT",
     "in schedule (kernel/sched/core.c:"),
    ("preempt_disable();\n    irq_restore(flags);\n    " + ENDLESS, "TIMEOUT", "time was over"),
)


@test
def lab_verdicts_are_told_apart_and_leave_evidence() -> None:
    need_solutions()
    with tempfile.TemporaryDirectory(prefix="verdicts-") as directory:
        tree = Path(directory) / "tree"
        call([LAB, "make", "2", "--solved", "-o", str(tree)])
        overlay.take_objects(ROOT, tree)
        source = tree / "kernel/sched/core.c"
        whole = source.read_text()
        place = re.search(r"^void schedule\(void\)\n{\n(?:    [^\n]*;\n)+", whole, re.M)
        for mistake, verdict, seen in MISTAKES:
            when = f"    if (current->tid > 2) {{\n    {mistake}\n    }}\n" if mistake else ""
            source.write_text(whole[:place.end()] + when + whole[place.end():])
            graded = call(["tools/grade", "--lab", "2", "-k", "ring", "--json"], cwd=tree)
            test_result = json.loads(graded.stdout)["tests"][0]
            check(test_result["verdict"] == verdict and seen in test_result["seen"],
                  f"{mistake}: {test_result}")
            check(graded.returncode == (verdict != "ok"), f"status {graded.returncode}")
            kept = {path.name for path in (tree / "build/grade/2/ring").iterdir()}
            wanted = {"command.txt", "log", "output.txt", "errors.txt", "trace.ktr"} | \
                ({"core", "baton.elf"} if mistake else set())
            check(kept == wanted, f"{verdict}: kept {kept}")
        source.write_text(whole)
        broken = Path(directory) / "qemu-system-x86_64"  # no fault of the learner's
        broken.write_text("#!/bin/sh\necho 'qemu-system-x86_64: cannot allocate memory' >&2\nexit 1\n")
        broken.chmod(0o755)
        graded = subprocess.run(["tools/grade", "--lab", "2", "-k", "ring", "--json"], cwd=tree, text=True,
                                capture_output=True, env=os.environ | {
                                    "PATH": f"{directory}:{os.environ['PATH']}"})
        check(graded.returncode == 3 and json.loads(graded.stdout)["tests"][0]["verdict"] == "HARNESS",
              graded.stdout + graded.stderr)


CO_ENTER = "int co_enter(struct co *co, void *in, void **out)\n{\n"
# A mistake in lab 5: file, what is replaced and by what; the test graded; what it must and must not say.
CRASHES = (
    ("co.c", "(uint64_t *)co - 2;", "(uint64_t *)co - 1;", "first_frame",
     ("not aligned to 16 bytes", "co_entry (user/ulib/co/switch.asm:", "labs/5/tests.c:"), "step 3", "push and pop"),
    ("co.c", CO_ENTER, CO_ENTER +
     "    *(volatile int *)0x123 = 0;", "resume_and_yield",
     ("SIGSEGV", "in co_enter (user/ulib/co/co.c:", "address 0x123"), "co_enter is where it ended: step 4", "step 3"),
    ("loop.c", "int co_run(void)\n{", "int co_run(void)\n{\n    " + ENDLESS, "run_order",
     ("time was over", "runs in co_run (user/ulib/co/loop.c:"), "step 5: the queue", "step 2"),
    ("loop.c", "int co_run(void)\n{", "int co_run(void)\n{\n"
     "    __asm__ volatile(\"syscall\" : : \"a\"(231l), \"D\"(-1l));", "run_order", ("status 255",), "step 5", "step 2"),
)


@test
def lab_crashes_say_where_and_which_step() -> None:
    """And speak of no step whose test has passed."""
    need_solutions()
    with tempfile.TemporaryDirectory(prefix="crashes-") as directory:
        tree = Path(directory) / "tree"
        call([LAB, "make", "5", "--solved", "-o", str(tree)])
        overlay.take_objects(ROOT, tree)
        for name, right, wrong, graded, seen, hint, silent in CRASHES:
            source = tree / "user/ulib/co" / name
            whole = source.read_text()
            check(right in whole, f"{name} has no {right!r}")
            source.write_text(whole.replace(right, wrong))
            alone = [] if graded == "first_frame" else ["-k", graded]
            result = call(["tools/grade", "--lab", "5", "--json", "--seed", "1", *alone], cwd=tree)
            source.write_text(whole)
            results = json.loads(result.stdout)
            found = {t["name"]: t for t in results["tests"]}
            said = found[graded]
            itself = graded == "first_frame" and "its frame is at" in said["seen"]  # no SSE there: gcc 16
            check(itself or all(text in said["seen"] for text in seen), f"{graded}: seen {said['seen']}")
            check(said["verdict"] != "HARNESS" and ("steps 3 and 4" if itself else hint) in said["hint"]
                  and silent not in said["hint"], f"{graded}: next {said['hint']}")
            check(not results["first"] or found[results["first"].split()[2]]["verdict"] != "ok", results["first"])


# A mistake in lab 8: the mutant, or what is put into a function; the test, and what it says.
STORIES = (
    ("sleeps-on-what-is-now", "ticket_excludes", "deadlock: nobody can go on\n",
     "waits for ticket.serving at ticket.c:", "step 2: who waits sleeps"),
    ("spins-unless-next", "ticket_in_order", "livelock: it is not at its end after 30,0", " is at ticket.c:",
     "step 2: who waits sleeps in word_wait"),
    ("void semaphore_up(struct semaphore *semaphore)\n{", "semaphore_wakes", "signal 11 (SIGSEGV); in semaphore_up "
     "(user/locks/semaphore.c:", "address 0x123", "semaphore_up is where it ended: step 3"),
)


@test
def lab_locks_that_break_are_told_as_a_story() -> None:
    """A deadlock, a livelock and a crash: who waits for what, which schedule, which step; and again by hand."""
    need_solutions()
    with tempfile.TemporaryDirectory(prefix="stories-") as directory:
        tree = Path(directory) / "tree"
        call([LAB, "make", "8", "--solved", "-o", str(tree)])
        overlay.take_objects(ROOT, tree)
        for mistake, name, seen, where, hint in STORIES:
            patch, source = ROOT / f"labs/8/mutants/{mistake}.patch", tree / "user/locks/semaphore.c"
            if "\n" not in mistake:
                call(["patch", "-p1", "-s", "-i", str(patch)], cwd=tree)
            else:
                source.write_text(source.read_text().replace(mistake, mistake + "\n    *(volatile int *)0x123 = 0;"))
            graded = call(["tools/grade", "--lab", "8", "-k", name, "--seed", "1", "--json"], cwd=tree)
            said = json.loads(graded.stdout)["tests"][0]
            check(said["verdict"] == "FAIL" and seen in said["seen"] and where in said["seen"] and hint in said["hint"],
                  f"{mistake}: {said}")
            check("found after " in said["story"] and "\nmain " in said["story"] and "thread 2" in said["story"]
                  and "\nmake gdb ADD=" in "\n" + said["look"], f"{mistake}: {said}")
            if "livelock" not in seen:
                by_hand = call(["sh", "-c", said["look"].split("\n")[0]], cwd=tree)
                check(by_hand.returncode == 1 and "it fails" in by_hand.stdout, by_hand.stdout + by_hand.stderr)
            call(["git", "checkout", "-q", "."], cwd=tree)


@test
def lab_packs_are_what_course_systems_take() -> None:
    """The autograder of Gradescope grades a submission; the workflow of Classroom has all points."""
    need_solutions()
    with tempfile.TemporaryDirectory(prefix="pack-") as name:
        directory = Path(name)
        packed = call([LAB, "pack", "0", "-o", name]).stdout.split()
        check([Path(path).name for path in packed] == [f"baton-lab0{ending}" for ending in (
            ".tar.gz", "-gradescope.zip", "-classroom.tar.gz")], str(packed))
        with zipfile.ZipFile(packed[1]) as archive:
            archive.extractall(directory / "source")
        for path in (directory / "source").rglob("*"):  # zipfile drops the modes that Gradescope keeps
            path.chmod(0o755)
        call([LAB, "make", "0", "--solved", "-o", str(directory / "submission")])
        result = subprocess.run(["sh", str(directory / "source/run_autograder")], text=True,
                                capture_output=True, env=os.environ | {"AUTOGRADER": name})
        results = json.loads((directory / "results/results.json").read_text())
        check(result.returncode == 0 and results["score"] == 100
              and all(t["score"] == t["max_score"] for t in results["tests"]), str(results) + result.stderr)
        graded = call([str(ROOT / "tools/grade"), "--lab", "0", "--tree", str(directory / "submission"),
                       "--work", str(directory / "work"), "--seed", "20261", "--json"])
        check(json.loads(graded.stdout)["score"] == 100, graded.stdout + graded.stderr)
        with tarfile.open(packed[2]) as tar:
            flow = tar.extractfile("baton-lab0/.github/workflows/classroom.yml").read().decode()
        check(sum(map(int, re.findall(r"max-score: (\d+)", flow))) == 100, flow)
        names = re.findall(r"command: tools/grade --lab 0 -k (\w+)", flow)
        check(names == list(manifest.load(ROOT, 0).points())
              and f"runners: {','.join(names)}\n" in flow, flow)


@test
def lab_traces_of_others_are_worth_nothing() -> None:
    """Lab 0: no trace, a damaged one, one of another name, one of another command."""
    need_solutions()
    with tempfile.TemporaryDirectory(prefix="own-") as directory:
        tree = Path(directory) / "tree"
        call([LAB, "make", "0", "--solved", "-o", str(tree)])
        path, answers = tree / "labs/0/tour.ktr", tree / "labs/0/answers.txt"
        good, right = path.read_bytes(), answers.read_text()
        other = Path(directory) / "other.ktr"
        call([str(ROOT / "tools/run"), "--icount", "--log", f"{directory}/log", "--trace", str(other), "--",
              "stall", "--mode=blocking", "--wait=200"])
        for data, said, seen in ((b"", right, "neither a .ktr"), (good[:-40], right, "cut short"),
                                 (good, right.replace("name: solution", "name: eve"), "trace of solution"),
                                 (good, right.replace("name: solution", "name:"), "no `name:`"),
                                 (other.read_bytes(), right, "no trace of tour")):
            path.write_bytes(data)
            answers.write_text(said)
            graded = json.loads(call(["tools/grade", "--lab", "0", "--json"], cwd=tree).stdout)
            own = [t for t in graded["tests"] if t["name"] != "questions"]
            check(not sum(t["score"] for t in own) and seen in own[0]["seen"], f"{seen}: {own[0]}")


@test
def lab_traces_bear_names_in_any_writing() -> None:
    """Lab 0: the mark has the name in pieces of eight bytes, and a letter may be cut in two."""
    own = manifest.load(ROOT, 0).own
    with tempfile.TemporaryDirectory(prefix="own-") as directory:
        path = f"{directory}/tour.ktr"
        for name in ("王小明", "欧阳诸葛司马上官"):
            guest("tour", name, options=["--icount", "--trace", path])
            whose = own.whose(Model(fmt.load(path)), name)
            check(not whose, f"{name}: {whose}")
