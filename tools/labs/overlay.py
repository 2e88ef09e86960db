"""A learner's work over a trusted tree: only the lab's own files come from the learner.

So tests, grader, launcher, makefiles and the rest of the system are the teacher's, whatever the
learner changed there.

A tree to grade in is a copy of one that was built from our files alone, which no learner's file ever
comes near: make then compiles what the learner has changed. A copy is used once.
"""
import fcntl
import fnmatch
import hashlib
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterator

import build
import environment
import manifest
from files import Unreadable, read_regular
from result import WrongUse

SIZE_MAX, TOTAL_MAX = 1 << 20, 32 << 20  # bytes of a file, and of all
ENTRIES_MAX, DEPTH_MAX = 50000, 16  # of a learner's tree
NAME = re.compile(r"[\w.+-]+", re.A)  # make and the shell take all else for something of theirs
MARK = ".graded-here"


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Two gradings at once wait for each other here."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def check_work(root: Path, work: Path) -> None:
    """It is emptied: so it is ours, or it is empty."""
    if work.is_relative_to(root / "build") or not os.path.lexists(work):
        return
    if not work.is_dir() or any(work.iterdir()) and not (work / MARK).exists():
        raise WrongUse(f"{work} has something in it that is not a grading's: name a new directory")


def key_of(root: Path, paths: list[str]) -> str:
    found = hashlib.sha256(repr([environment.compilers(), os.environ.get("CROSS_COMPILE")]).encode())
    for path in paths:
        data = (root / path).read_bytes()
        found.update(f"{path} {len(data)} {os.access(root / path, os.X_OK)}\n".encode() + data)
    return found.hexdigest()


def kept_tree(root: Path, base: Path, write: Callable[[Path], None], built_from: Path, targets: list[str]) -> Path:
    """What `write` writes, in `base`, built: made once, from what is built in another tree, and brought up to
    date when something of ours has changed."""
    import starter
    stamp, fresh = base.with_suffix(".key"), base.with_suffix(".new")
    key = key_of(root, starter.source_files(root))
    if stamp.exists() and stamp.read_text() == key:
        return base
    stamp.unlink(missing_ok=True)
    shutil.rmtree(fresh, ignore_errors=True)
    write(fresh)
    if (base / "build/baton.elf").exists():
        keep_times(base, fresh)
        os.rename(base / "build", fresh / "build")
    else:
        copy_objects(built_from, fresh)
    shutil.rmtree(base, ignore_errors=True)
    os.rename(fresh, base)
    if not any(build.make(base, target) for target in targets):  # where it cannot be built, each grading says why
        stamp.write_text(key)
    return base


@contextmanager
def plain_tree(root: Path) -> Iterator[Path]:
    """All solutions, without the markers, which nearly all files of starters have in common; nobody changes it
    meanwhile."""
    import starter
    base, number = root / "build/grade/base/plain", manifest.numbers(root)[0]
    with locked(base.with_suffix(".lock")):
        yield kept_tree(root, base, lambda fresh: starter.write_files(root, fresh, number, solved=True), root, ["all"])


def base_tree(root: Path, number: int) -> Path:
    """The starter, built."""
    import starter
    with plain_tree(root) as plain:
        def write(fresh: Path) -> None:
            starter.write(root, fresh, number)
            keep_times(plain, fresh)

        return kept_tree(root, root / f"build/grade/base/{number}", write, plain, ["all", f"build/labs/{number}/tests"])


def keep_times(old: Path, new: Path) -> None:
    """Of files that are the same, so that make leaves alone what was made of them. The others are newer than that:
    they may have been written before."""
    for folder, below, names in os.walk(new):
        below[:] = [name for name in below if name != ".git"]
        for name in names:
            path = Path(folder) / name
            before = old / path.relative_to(new)
            if before.is_file() and before.read_bytes() == path.read_bytes():
                os.utime(path, ns=(before.stat().st_atime_ns, before.stat().st_mtime_ns))
            else:
                os.utime(path)


def trusted_tree(root: Path, out: Path, number: int) -> None:
    """Ours, in `out`: the starter where `root` is the solution tree, or a copy of the one `root` is."""
    shutil.rmtree(out, ignore_errors=True)
    if (root / "tools/lab").exists():
        with locked(root / f"build/grade/base/{number}.lock"):
            base = base_tree(root, number)
            shutil.copytree(base, out, ignore=shutil.ignore_patterns(".git"), symlinks=True)
    else:
        shutil.copytree(root, out, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"),
                        symlinks=True)
        copy_objects(root, out)
    (out / MARK).touch()


def copy_objects(root: Path, out: Path) -> None:
    """What make has built in `root`, and nothing that others put there meanwhile: times are kept,
    so make compiles only what differs."""
    objects = root / "build"
    (out / "build").mkdir(parents=True, exist_ok=True)
    for folder in ("boot", "kernel", "user", "stripped", "labs"):
        if (objects / folder).is_dir():
            shutil.copytree(objects / folder, out / "build" / folder, dirs_exist_ok=True)
    for pattern in ("flags", "ksyms*", "*.elf", "*.cpio"):
        for path in objects.glob(pattern):
            shutil.copy2(path, out / "build" / path.name)


def take_objects(root: Path, out: Path) -> None:
    """Into a starter, or the same solved, that `root` has written: make compiles only what is its own."""
    import starter
    with plain_tree(root) as plain:
        keep_times(plain, out)
        copy_objects(plain, out)
    starter.git(out, "update-index", "-q", "--refresh")  # or a checkout takes all files for changed, by their times


@dataclass
class Taken:
    paths: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # why, by path
    total: int = 0


def walk(top: Path) -> Iterator[tuple[str, os.stat_result]]:
    """All that is below, but for what builds make: path and kind. No link is followed."""
    folders, count = [("", 0)], 0
    while folders:
        below, depth = folders.pop()
        try:
            entries = sorted(os.scandir(top / below), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            count += 1
            path = below + entry.name
            if count > ENTRIES_MAX:
                return
            try:
                found = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            yield path, found
            if entry.is_dir(follow_symlinks=False) and depth < DEPTH_MAX and \
                    (below or entry.name not in ("build", ".git")):
                folders.append((path + "/", depth + 1))


def top_of(submission: Path, lab: manifest.Lab) -> Path:
    """Where the lab's files are: often a folder too low, as an archive has it."""
    top = submission
    for _ in range(3):
        if any((top / pattern.split("/")[0]).is_dir() for pattern in lab.files):
            return top
        below = [path for path in top.iterdir() if path.is_dir() and not path.is_symlink()
                 and not path.name.startswith((".", "__"))]
        if len(below) != 1:
            break
        top = below[0]
    return submission


def lay_over(learner: Path, out: Path, lab: manifest.Lab) -> Taken:
    """Copy what the learner may change. What is as it was keeps its time, so it is not compiled again."""
    taken = Taken()
    for path, found in walk(learner):
        if not any(fnmatch.fnmatchcase(path, pattern) for pattern in lab.files):
            continue
        why = lay_one(learner, out, path, taken)
        if why:
            taken.refused[path] = why
        else:
            taken.paths.append(path)
    return taken


def lay_one(learner: Path, out: Path, path: str, taken: Taken) -> str:
    """"", or why it is not taken."""
    target = out / path
    if not all(NAME.fullmatch(part) for part in path.split("/")):
        return "its name has other characters than letters, digits and . _ + -"
    if target.is_dir():
        return "we have a folder of that name" if not (learner / path).is_dir() else ""
    try:
        data, _ = read_regular(learner / path, SIZE_MAX, links=False)
    except Unreadable as reason:
        return str(reason)
    taken.total += len(data)
    if taken.total > TOTAL_MAX:
        return f"all together is more than {TOTAL_MAX >> 20} MiB"
    if target.exists():
        if target.read_bytes() == data:
            return ""
    else:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except OSError:
            return "we have a file where it has a folder"
        if target.suffix in (".h", ".inc"):
            forget_objects(out, path)
    target.write_bytes(data)
    return ""


def forget_objects(out: Path, path: str) -> None:
    """A new header may be found before one of the same name; no object knows of it."""
    top, name = path.split("/")[0], path.split("/")[-1]
    if any(out.joinpath(top).rglob(name)):
        shutil.rmtree(out / "build" / top, ignore_errors=True)
