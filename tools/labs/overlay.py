"""A learner's work over a trusted tree: only the lab's own files come from the learner.

So tests, grader, launcher, makefiles and the rest of the system are the teacher's, whatever the
learner changed there.
"""
import filecmp
import fnmatch
import os
import shutil
from pathlib import Path

import manifest

SIZE_MAX = 1 << 20


def trusted_tree(root: Path, out: Path, number: int) -> None:
    """The starter: generated where `root` is the solution tree, or a copy of the one `root` is."""
    shutil.rmtree(out, ignore_errors=True)
    if (root / "tools/lab").exists():
        import starter
        starter.write(root, out, number)
    else:
        shutil.copytree(root, out, ignore=shutil.ignore_patterns("build", ".git", "__pycache__"),
                        symlinks=True)
    copy_objects(root, out)


def copy_objects(root: Path, out: Path) -> None:
    """What make has built in `root`, and nothing that others put there meanwhile: times are kept,
    so make compiles only what differs."""
    build = root / "build"
    (out / "build").mkdir(parents=True, exist_ok=True)
    for folder in ("boot", "kernel", "user"):
        if (build / folder).is_dir():
            shutil.copytree(build / folder, out / "build" / folder, dirs_exist_ok=True)
    for pattern in ("flags", "ksyms*", "*.elf", "*.cpio"):
        for path in build.glob(pattern):
            shutil.copy2(path, out / "build" / path.name)


def lay_over(learner: Path, out: Path, lab: manifest.Lab) -> list[str]:
    """Copy what the learner may change; the paths taken. Links are not followed."""
    taken = []
    for directory, below, names in os.walk(learner):
        below[:] = [name for name in below if name not in ("build", ".git")]
        for name in names:
            source = Path(directory) / name
            path = str(source.relative_to(learner))
            if source.is_symlink() or source.stat().st_size > SIZE_MAX:
                continue
            if any(fnmatch.fnmatch(path, pattern) for pattern in lab.files):
                target = out / path
                target.parent.mkdir(parents=True, exist_ok=True)
                if not target.exists() or not filecmp.cmp(source, target, shallow=False):
                    shutil.copyfile(source, target)
                taken.append(path)
    return sorted(taken)
