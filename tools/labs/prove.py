"""The proof that a lab grades rightly: its starter earns nothing and says why, its solution all,
each mutant (a patch of a real mistake) is caught by the test it names, and cheaters earn nothing.

A mutant or cheater is a patch for the solved tree or the starter; its head says

    caught-by: NAME          (mutants) the test that must fail
    what the mistake is, in a line or two
"""
import fnmatch
import json
import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import answers
import catalogue
import manifest
import overlay
import starter
from language import say
from launch.pool import Pool
from result import OK

SEEDS = (1, 20, 300)
CPUS = (1, 2, 4)
SECTIONS = ("What you will understand", "Background", "Steps", "How it is graded", "Questions",
            "Harder")


def mutants(root: Path, number: int) -> list[Path]:
    return sorted((root / f"labs/{number}/mutants").glob("*.patch"))


def cheaters(root: Path, number: int) -> list[Path]:
    """Patches of the starter that try for points without the work: all labs' and its own."""
    return sorted(root.glob("labs/cheaters/*.patch")) + \
        sorted(root.glob(f"labs/{number}/cheaters/*.patch"))


def caught_by(patch: Path) -> str:
    match = re.match(r"caught-by: (\w+)\n", patch.read_text())
    return match[1] if match else ""


def check_files(root: Path, number: int) -> list[str]:
    """What is missing of a lab: sections of the handout, mutants, a mutant for each test."""
    lab, wrong = manifest.load(root, number), []
    handout = (root / f"labs/{number}/README.md").read_text()
    wrong += [f"the handout has no section {section}" for section in SECTIONS
              if not re.search(rf"^## {section}", handout, re.M)]
    found = mutants(root, number)
    names = lab.points()
    caught = [caught_by(patch) for patch in found]
    wrong += [f"{patch.name} names no test" for patch in found if caught_by(patch) not in names]
    wrong += [f"no mutant for {name}" for name in names if name not in caught]
    wrong += [f"no test is called {name}" for name in [*lab.crash, *lab.hang] if name not in names]
    sources = "\n".join((root / path).read_text(errors="replace") for path in starter.source_files(root)
                        if any(fnmatch.fnmatch(path, files) for files in lab.files))
    wrong += [f"no function of the lab is called {name}" for name in lab.places
              if not re.search(rf"^(\w[^\n;=]*\b)?{name}[(:]", sources, re.M)]
    if len(found) < 5:
        wrong.append(f"{len(found)} mutants: at least 5 are wanted")
    if lab.questions and not answers.checks(root, number):
        wrong.append("there are points for questions, but no answers.txt")
    return wrong


def apply(patch: Path, tree: Path, dry: bool = False) -> bool:
    command = ["patch", "-p1", "-s", "-f", "--no-backup-if-mismatch", "-r", "-", "-i", str(patch)]
    return subprocess.run(command + ["--dry-run"] * dry, cwd=tree, capture_output=True).returncode == 0


def undo(tree: Path) -> None:
    """As it was made. A patch taken back may land in another place, where a line stands twice."""
    starter.git(tree, "checkout", "-q", ".")


def check_patches(root: Path, number: int, trees: Path) -> list[str]:
    return [f"{patch.name} does not apply" for where, patches in
            (("solved", mutants(root, number)), ("starter", cheaters(root, number)))
            for patch in patches if not apply(patch, trees / where, dry=True)]


@dataclass
class Proof:
    """What was found of one lab; `wrong` explains each failure."""
    number: int
    starter: str = ""
    solution: str = ""
    mutants: str = ""
    cheaters: str = ""
    wrong: list[str] = field(default_factory=list)


def grade(tree: Path, number: int, *options: str) -> dict:
    command = [str(tree / "tools/grade"), "--lab", str(number), "--json", *options]
    result = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    try:
        return json.loads(result.stdout)
    except json.JSONDecodeError:
        raise starter.StarterError(f"{' '.join(command)}: {result.stderr.strip()[-500:]}") from None


def make_tree(root: Path, out: Path, number: int, solved: bool) -> None:
    shutil.rmtree(out, ignore_errors=True)
    starter.write(root, out, number, solved)
    overlay.take_objects(root, out)


def prove_starter(proof: Proof, lab: manifest.Lab, tree: Path) -> None:
    """No points, each test for a reason that it states, and none of them the harness's."""
    result = grade(tree, proof.number, "--seed", "1")
    proof.starter = f"{result['score']}/{result['points']}"
    for test in result["tests"]:
        reason = test["verdict"] not in (OK, "HARNESS") and test["seen"] and test["hint"]
        if not reason:
            proof.wrong.append(f"starter: {test['name']} is {test['verdict']}: {test['seen']}")
    if result["score"]:
        proof.wrong.append(f"the starter scores {result['score']}")


def prove_solution(proof: Proof, tree: Path, quick: bool) -> None:
    runs = [(seed, cpus) for seed in SEEDS for cpus in CPUS][:1 if quick else None]
    full = 0
    for seed, cpus in runs:
        result = grade(tree, proof.number, "--seed", str(seed), "--smp", str(cpus))
        full += result["score"] == result["points"]
        proof.wrong += [f"solution, seed {seed}, {cpus} CPUs: {test['name']} {test['verdict']}: "
                        f"expected {test['expected']}, seen {test['seen']}"
                        for test in result["tests"] if test["verdict"] != OK]
    proof.solution = f"{full}/{len(runs)} full"


def prove_mutants(proof: Proof, patches: list[Path], tree: Path) -> None:
    caught = 0
    for patch in patches:
        if not apply(patch, tree):
            proof.wrong.append(f"{patch.name} does not apply to the solution")
            continue
        name = caught_by(patch)
        test = grade(tree, proof.number, "-k", name, "--seed", "1")["tests"][0]
        if test["verdict"] in (OK, "HARNESS"):
            proof.wrong.append(f"mutant {patch.stem}: {name} says {test['verdict']}")
        else:
            caught += 1
        undo(tree)
    proof.mutants = f"{caught}/{len(patches)}"


def prove_cheaters(proof: Proof, root: Path, patches: list[Path], tree: Path) -> None:
    """Each is graded as a teacher does: its files over the trusted tree."""
    stopped = 0
    for patch in patches:
        if not apply(patch, tree):
            proof.wrong.append(f"cheater {patch.name} does not apply to the starter")
            continue
        work = tree.parent / f"{proof.number}-graded"
        result = grade(root, proof.number, "--tree", str(tree), "--work", str(work), "--seed", "1")
        verdicts = {test["verdict"] for test in result["tests"]}
        if result["score"] or "HARNESS" in verdicts:
            proof.wrong.append(f"cheater {patch.stem}: score {result['score']}, {sorted(verdicts)}")
        else:
            stopped += 1
        undo(tree)
    proof.cheaters = f"{stopped}/{len(patches)}"


def prove_lab(root: Path, number: int, quick: bool) -> Proof:
    proof, lab = Proof(number), manifest.load(root, number)
    trees = root / "build/proof"
    first = 1 if quick else None
    try:
        proof.wrong += check_files(root, number)
        make_tree(root, trees / f"{number}-starter", number, solved=False)
        prove_starter(proof, lab, trees / f"{number}-starter")
        prove_cheaters(proof, root, cheaters(root, number)[:first], trees / f"{number}-starter")
        make_tree(root, trees / f"{number}-solved", number, solved=True)
        prove_solution(proof, trees / f"{number}-solved", quick)
        prove_mutants(proof, mutants(root, number)[:first], trees / f"{number}-solved")
    except starter.StarterError as error:
        proof.wrong.append(str(error))
    return proof


def prove(root: Path, numbers: list[int], jobs: int, quick: bool = False) -> int:
    print("".join(catalogue.padded(say(word), width) for word, width in
                  (("lab", 4), ("starter", -10), ("solution", -12), ("mutants caught", -18), ("cheaters at 0", -17))))
    failed, start = 0, time.monotonic()
    with Pool(jobs) as pool:
        for proof in pool.map(lambda number: prove_lab(root, number, quick), numbers):
            print(f"{proof.number:<4}{proof.starter:>10}{proof.solution:>12}{proof.mutants:>18}"
                  f"{proof.cheaters:>17}", flush=True)
            for line in proof.wrong:
                print(f"    {say(line)}", flush=True)
            failed += bool(proof.wrong)
    minutes, seconds = divmod(round(time.monotonic() - start), 60)
    print(say(f"{len(numbers) - failed} labs proved, {failed} failed, in {minutes} min {seconds} s"))
    return failed != 0
