#!/usr/bin/python3
"""The guest tests on a kernel that is built with all checks: tests/sanitized.py [NAME...].

It is built of a copy of the source in build/sanitized, and runs the programs that are there already;
`make test-sanitize CC=clang` has clang build it. All NAMEs (patterns, guest_* unless told) run with one
CPU and with four.
"""
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def sanitized_build(tree: Path, *options: str) -> Path:
    """A copy of the source in `tree`, its kernel built with all checks, with our programs."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True,
                           capture_output=True, check=True).stdout.splitlines()
    for name in names:
        source, copy = ROOT / name, tree / name
        if source.exists() and not (copy.exists() and copy.stat().st_mtime == source.stat().st_mtime):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)
    (tree / "build").mkdir(exist_ok=True)
    for name in ("user", "initramfs.cpio"):
        if not (tree / "build" / name).exists():
            (tree / "build" / name).symlink_to(ROOT / "build" / name)
    result = subprocess.run(["make", "-j2", "SANITIZE=1", *options, "build/baton.elf", "build/baton32.elf"],
                            cwd=tree, text=True, capture_output=True)
    if result.returncode:
        raise RuntimeError(f"the sanitized kernel: {result.stdout[-2000:]}{result.stderr[-2000:]}")
    return tree


def main() -> int:
    tree = sanitized_build(ROOT / "build/sanitized", f"CC={os.environ.get('CC', 'gcc')}")
    failed = 0
    for cpus in ("1", "4"):
        print(f"with all checks, --smp {cpus}:", flush=True)
        failed |= subprocess.run(["tests/run", "--smp", cpus, *(sys.argv[1:] or ["guest_*"])],
                                 cwd=tree).returncode
    return failed


if __name__ == "__main__":
    sys.exit(main())
