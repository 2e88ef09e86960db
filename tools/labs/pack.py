"""A lab for handing out: the starter as a tar file, and the same for two course systems.

docs/teaching.md says how they are used. Not part of a starter.
"""
import shutil
import tarfile
import zipfile
from pathlib import Path

import language
import manifest
import starter

RUN_AUTOGRADER = """#!/bin/sh
# Gradescope calls this; the submission is in submission/, the results go into results/. A copy is
# graded, by its own tests: of the submission only the lab's files are taken.
at=${{AUTOGRADER:-/autograder}}
mkdir -p "$at/results"
cd "$at/source/tree" &&
    tools/grade --lab {number}{lang} --tree "$at/submission" --gradescope -o "$at/results/results.json"
test -s "$at/results/results.json"
"""
SETUP = """#!/bin/sh
# Gradescope runs this once, when it builds the image.
cd "${{AUTOGRADER:-/autograder}}/source/tree" && tools/setup run && make all
"""
WORKFLOW = """# GitHub Classroom: each test of the lab is a step with its points. Students can change this file, as
# they can change all else here; grades that count come from `tools/grade --tree` (docs/teaching.md).
name: Autograding Tests
on: [push, workflow_dispatch]
permissions:
  checks: write
  actions: read
  contents: read
jobs:
  grade:
    runs-on: ubuntu-latest
    if: github.actor != 'github-classroom[bot]'
    steps:
      - uses: actions/checkout@v4
      - name: What is needed
        run: tools/setup run && make all
"""
STEP = """      - name: {name}
        id: {name}
        uses: education/autograding-command-grader@v1
        with:
          test-name: {name}
          command: tools/grade --lab {number} -k {name}{lang}
          timeout: 10
          max-score: {points}
"""
REPORTER = """      - name: Autograding Reporter
        uses: education/autograding-grading-reporter@v1
        env:
{results}
        with:
          runners: {names}
"""


def lang() -> str:
    """They are to talk as whoever packs them."""
    return "" if language.chosen == "en" else f" --lang {language.chosen}"


def workflow(lab: manifest.Lab) -> str:
    names = lab.points()
    results = "\n".join(f'          {name.upper()}_RESULTS: "${{{{steps.{name}.outputs.result}}}}"'
                        for name in names)
    steps = "".join(STEP.format(name=name, number=lab.number, points=points, lang=lang())
                    for name, points in names.items())
    return WORKFLOW + steps + REPORTER.format(results=results, names=",".join(names))


def write_tar(path: Path, tree: Path, name: str) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        tar.add(tree, name)
    return path


def write_gradescope(path: Path, tree: Path, number: int) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (("run_autograder", RUN_AUTOGRADER), ("setup.sh", SETUP)):
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o755 << 16
            archive.writestr(info, text.format(number=number, lang=lang()))
        for name in starter.source_files(tree):
            archive.write(tree / name, f"tree/{name}")
    return path


def pack(root: Path, out: Path, number: int) -> list[Path]:
    """The files, written into `out`."""
    lab, name = manifest.load(root, number), f"baton-lab{number}"
    out.mkdir(parents=True, exist_ok=True)
    tree = out / name
    starter.write(root, tree, number)
    try:
        packed = [write_tar(out / f"{name}.tar.gz", tree, name),
                  write_gradescope(out / f"{name}-gradescope.zip", tree, number)]
        flow = tree / ".github/workflows/classroom.yml"
        flow.parent.mkdir(parents=True)
        flow.write_text(workflow(lab))
        starter.git_commit(tree, "Grade each push")
        packed.append(write_tar(out / f"{name}-classroom.tar.gz", tree, name))
    finally:
        shutil.rmtree(tree)
    return packed
