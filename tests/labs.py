"""The labs: their files in order, the generator's refusals, the grader's formats, and one lab's
proof in short. All labs' whole proof is `make test-labs`."""
import json
import shutil
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from driver import ROOT, Skipped, call, check, test

sys.path.insert(0, str(ROOT / "tools/labs"))
LAB = str(ROOT / "tools/lab")


def need_solutions() -> None:
    if not Path(LAB).exists():
        raise Skipped("a starter has no solutions to check")


@test
def labs_are_in_order() -> None:
    need_solutions()
    result = call([LAB, "check"])
    check(result.returncode == 0, result.stdout + result.stderr)


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
        with open(tree / "labs/2/README.md", "a") as handout:
            handout.write("    mov [rdi + TASK_RSP], rsp\n")
        result = call([str(tree / "tools/lab"), "make", "2", "-o", directory + "/out"])
        check(result.returncode == 1 and "shows a line" in result.stderr, result.stdout + result.stderr)


@test
def lab_results_in_all_formats() -> None:
    import manifest
    import report
    from result import Result
    lab = manifest.load(ROOT, manifest.numbers(ROOT)[0])
    results = [Result("good", 60, 60, "ok"), Result("bad", 40, 0, "PANIC", "a < b", "<ouch> & \"more\"")]
    data = json.loads(report.as_json(lab, results, 7, 1))
    check((data["score"], data["points"], data["tests"][1]["verdict"]) == (60, 100, "PANIC"), str(data))
    data = json.loads(report.gradescope(lab, results, 7, 1))
    check([t["score"] for t in data["tests"]] == [60, 0] and data["score"] == 60, str(data))
    suite = ElementTree.fromstring(report.junit(lab, results, 7, 1))
    check(suite.get("failures") == "1" and suite[1][0].get("type") == "PANIC", "JUnit")
    ktap = report.ktap(lab, results, 7, 1).splitlines()
    check("1..2" in ktap and any(line.startswith("not ok 2 - bad") for line in ktap), str(ktap))
    check("score 60/100" in report.text(lab, results, 7, 1), "text")


@test
def lab_is_graded_rightly() -> None:
    """Lab 2: the starter earns nothing, the solution all, a mutant and a cheater are caught."""
    need_solutions()
    result = call([LAB, "prove", "--quick", "2"])
    check(result.returncode == 0, result.stdout + result.stderr)
