"""The symbols of the user program that is looked at, loaded by themselves.

All programs are linked at the same address, so one at a time has its symbols loaded: the one whose
memory gdb reads, or whose task is viewed.
"""
import glob
import os

import gdb

from . import files, memory, tasks
from .command import command
from .lines import show
from .running import Point, run_to

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILT = f"{ROOT}/build/user/"
loaded: str | None = None


def path_for(task: gdb.Value) -> str | None:
    """The ELF file in build/user that the task runs. None: it is none of them."""
    inode = task["mm"]["executable"].dereference()
    return next((path for path in named(files.path_of(inode)) if int(inode["size"]) in sizes(path)), None)


def has_program(task: gdb.Value) -> bool:
    return int(task["mm"]) != 0 and int(task["mm"]["executable"]) != 0


def named(name: str) -> list[str]:
    """build/user/*/NAME, by the last part of a path, what is in the guest from the start first; or a lab's
    test program."""
    found = [path for folder in ("user", "labs") if os.path.basename(name)
             for path in glob.glob(f"{glob.escape(ROOT)}/build/{folder}/*/{glob.escape(os.path.basename(name))}")
             if os.path.isfile(path)]
    return sorted(found, key=lambda path: (not os.path.isfile(stripped(path)), path))


def stripped(path: str) -> str:
    return f"{ROOT}/build/stripped/{path.removeprefix(BUILT)}"


def sizes(path: str) -> set[int]:
    """Of the file, and of what the guest has of it unless it was added. A program of the same name and
    another size is not this one, and this one's frames would be wrong there."""
    return {os.path.getsize(file) for file in (path, stripped(path)) if os.path.isfile(file)}


def load(path: str | None) -> None:
    """Instead of those that are loaded, which are wrong for any other program."""
    global loaded
    if path == loaded:
        return
    if loaded is not None:
        gdb.execute(f"remove-symbol-file -a 0x{entry(loaded):x}", to_string=True)
    if path is not None:
        gdb.execute(f"add-symbol-file {path}", to_string=True)
    loaded = path


def entry(path: str) -> int:
    with open(path, "rb") as f:
        return int.from_bytes(f.read(0x20)[0x18:], "little")


def load_for(task: gdb.Value) -> None:
    if has_program(task):
        load(path_for(task))


def run_to_next() -> None:
    """Run until a task has another program, and load that one's symbols."""
    place = memory.address_of("signal_exec")
    run_to(Point(place), place, "such a program")
    load_for(tasks.current())


def on_stop(event: gdb.Event) -> None:
    try:
        load_for(tasks.current())
    except (gdb.error, gdb.GdbError):
        pass  # the kernel has not got so far


@command("kprogram [NAME]", gdb.COMPLETE_FILENAME)
def kprogram(arguments: list[str]) -> None:
    """Load a program's symbols, to set breakpoints before it runs.

    Those of the program that runs are loaded by themselves. Without an argument:
    which are."""
    if arguments:
        paths = named(arguments[0])
        if not paths:
            raise gdb.GdbError(f"{arguments[0]}: no such program in build/user")
        load(paths[0])
    show("symbols of " + (os.path.relpath(loaded, ROOT) if loaded else "no program"))
