"""Starters from the solution tree: written, and checked for leaks.

Not part of a starter itself, as are all files of NOT_HANDED_OUT.
"""
import fnmatch
import os
import re
import shutil
import subprocess
from pathlib import Path

import answers
import manifest
import markers
from result import WrongUse

NOT_HANDED_OUT = ["tools/lab", "tools/labs/sentences.py", "tools/labs/starter.py", "tools/labs/pack.py", "tools/labs/prove.py",
                  "docs/teaching.md", "docs/zh/teaching.md", "tools/translated", ".github/*",
                  "labs/*/mutants/*", "labs/*/cheaters/*", "labs/cheaters/*"]
OWN_TRACES = "labs/*/*.ktr"  # of who wrote the solution
IDENTITY = {"GIT_AUTHOR_NAME": "Baton", "GIT_AUTHOR_EMAIL": "baton@example.invalid",
            "GIT_COMMITTER_NAME": "Baton", "GIT_COMMITTER_EMAIL": "baton@example.invalid",
            "GIT_AUTHOR_DATE": "2020-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z",
            "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


QUOTATION = re.compile(r"(<!-- from ([\w/.]+): [^\n]* -->\n```\w*\n)(.*?)(```\n)", re.S)  # tools/docs


class StarterError(Exception):
    pass


def source_files(root: Path) -> list[str]:
    """By path below the root: all files that git knows, and the new ones in folders that it knows some of.
    What a teacher keeps beside these, as what was handed in, is none of ours."""
    def listed(*which: str) -> list[str]:
        out = subprocess.run(["git", "-C", str(root), "ls-files", "-z", *which], capture_output=True, text=True,
                             errors="surrogateescape", check=True).stdout
        return [path for path in out.split("\0") if (root / path).is_file()]

    known = listed("-c")
    folders = {path.split("/")[0] for path in known if "/" in path}
    return sorted(known + [path for path in listed("-o", "--exclude-standard") if path.split("/")[0] in folders])


def parse_file(root: Path, path: str) -> list[str | markers.Block]:
    if markers.leader_of(path) is None:
        return []
    try:
        return markers.parse(path, (root / path).read_text())
    except UnicodeDecodeError:
        return []


def all_blocks(root: Path) -> dict[str, list[markers.Block]]:
    """By file, for those that have any. The parser's own examples are not among them."""
    found = {}
    for path in source_files(root):
        if not path.startswith("tools/labs/"):
            blocks = markers.blocks(parse_file(root, path))
            if blocks:
                found[path] = blocks
    return found


def handed_out(path: str, lab: int, solved: bool) -> bool:
    if path.startswith("labs/") and path[5].isdigit() and not path.startswith(f"labs/{lab}/"):
        return False
    return (solved or not fnmatch.fnmatch(path, OWN_TRACES)) and \
        not any(fnmatch.fnmatch(path, pattern) for pattern in NOT_HANDED_OUT)


def without_solution(chapter: str, stubbed: dict[str, list[markers.Block]], instead: str) -> str:
    """A chapter of the book without what it shows of the code that the student has to write."""
    chapter = QUOTATION.sub(lambda m: f"{m[1]}{instead}\n{m[4]}" if m[2] in stubbed else m[0], chapter)
    for line in significant([line for blocks in stubbed.values() for b in blocks for line in b.solution]):
        if len(line) >= 20:
            chapter = chapter.replace(line, instead)
    return chapter


def starter_readme(root: Path, path: str, lab: manifest.Lab) -> str:
    """The project's, without its section on the labs, and with a word on where to begin: at the handout in the
    same language, if there is one."""
    handout = f"labs/{lab.number}/{path}"
    if not (root / handout).exists():
        handout = f"labs/{lab.number}/README.md"
    begin = f"[{handout}]({handout})"
    note = (f"**This is the starter of lab {lab.number}: {lab.title}.** {lab.goal}\n"
            f"Begin with {begin}; `make grade` tells your score.\n\n")
    if path != "README.md":
        title = (root / handout).read_text().partition("\n")[0].removeprefix("# ")
        note = f"**这是“{title}”的起始代码。** 从 {begin} 开始；`make grade` 会告诉你得分。\n\n"
    return note + re.sub(r"^## (Labs|实验)\n.*?(?=^## )", "", (root / path).read_text(), flags=re.M | re.S)


def write(root: Path, out: Path, number: int, solved: bool = False) -> None:
    """A starter (or the same tree solved) in `out`, which must be empty or new: a repository."""
    refuse_filled(out, number)
    try:
        write_repository(root, out, number, solved)
    except BaseException:  # the disk is full, or ^C: half a starter would be in the way of the next one
        shutil.rmtree(out, ignore_errors=True)
        raise


def write_repository(root: Path, out: Path, number: int, solved: bool) -> None:
    lab = manifest.load(root, number)
    write_files(root, out, number, solved)
    (out / f"labs/{number}/answers.sums").write_text(
        "".join(f"{question} {answers.sealed(answer)}\n"
                for question, answer in answers.solution(root, number).items()
                if question not in lab.personal))
    git(out, "init", "-q", "-b", "main")
    git_commit(out, f"Lab {number}: {lab.title}" + (" (solved)" if solved else ""))


def refuse_filled(out: Path, number: int) -> None:
    if out.exists() and any(out.iterdir()):
        raise WrongUse(f"{out} is not empty: name a new directory (-o DIR; make lab N={number} OUT=DIR)")


def write_files(root: Path, out: Path, number: int, solved: bool = False) -> None:
    """Those that ours make. What answers are compared with is not among them: to seal one takes a moment."""
    lab = manifest.load(root, number)
    refuse_filled(out, number)
    marked = all_blocks(root)
    if not any(block.lab == number for blocks in marked.values() for block in blocks):
        raise StarterError(f"no file has a marker of lab {number}")
    for path in source_files(root):
        if not handed_out(path, number, solved):
            continue
        target = out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, target, follow_symlinks=False)
        if path in marked:
            target.unlink()
            target.write_text(markers.resolve(parse_file(root, path), None if solved else number))
            shutil.copymode(root / path, target)
    if not solved:
        stubbed = {path: [block for block in blocks if block.lab == number]
                   for path, blocks in marked.items() if any(b.lab == number for b in blocks)}
        for chapter in (out / "docs").rglob("*.md"):
            instead = "（由你来写）" if chapter.parent.name == "zh" else "(yours to write)"
            chapter.write_text(without_solution(chapter.read_text(), stubbed, instead))
    for readme in ("README.md", "README.zh-CN.md"):
        (out / readme).write_text(starter_readme(out, readme, lab))
    if not solved:
        refuse_leaks(root, out, number, marked)


def significant(lines: list[str]) -> list[str]:
    """Without empty lines and lines of braces, which are everywhere."""
    return [line.strip() for line in lines if len(line.strip()) > 2]


def refuse_leaks(root: Path, out: Path, number: int, marked: dict[str, list[markers.Block]]) -> None:
    """Half a solution in a row anywhere, or a telling line of it in handouts and docs."""
    texts = {}
    for path in source_files(root):
        copy = out / path
        if copy.is_file():
            texts[path] = "\n".join(significant(copy.read_text(errors="replace").splitlines()))
    prose = {path: text for path, text in texts.items() if path.startswith(("labs/", "docs/"))}
    code = set("\n".join(text for path, text in texts.items() if path not in prose).splitlines())
    for source, blocks in marked.items():
        for block in (block for block in blocks if block.lab == number):
            solution = significant(block.solution)
            row = max(5, len(solution) // 2)
            for i in range(len(solution) - row + 1):
                window = "\n".join(solution[i:i + row])
                found = [path for path, text in texts.items() if window in text]
                if found and len(window) >= 60:
                    raise StarterError(f"{found[0]} shows lines of {source}, {block.name}:\n{window}")
            for line in solution:
                found = [path for path, text in prose.items() if line in text]
                if found and len(line) >= 20 and line not in code:
                    raise StarterError(f"{found[0]} shows a line of {source}, {block.name}: {line}")


def git(out: Path, *command: str) -> None:
    """In a tree that we have made: nobody's templates, hooks and line ends."""
    # What git tidies up in the background would still write when the folder is packed or removed.
    subprocess.run(["git", "-c", "maintenance.auto=false", "-c", "gc.auto=0", "-C", str(out), *command],
                   env=os.environ | IDENTITY, check=True)


def git_commit(out: Path, message: str) -> None:
    git(out, "add", "-A")
    git(out, "commit", "-q", "-m", message)


