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
loaded: str | None = None


def path_for(task: gdb.Value) -> str | None:
    """The ELF file in build/user that the task runs."""
    mm = task["mm"]
    if int(mm) == 0 or int(mm["executable"]) == 0:
        return None
    return find(files.path_of(mm["executable"].dereference()))


def find(name: str) -> str | None:
    """build/user/*/NAME, by the last part of a path in the guest."""
    found = sorted(path for path in glob.glob(f"{ROOT}/build/user/*/{os.path.basename(name)}")
                   if os.path.isfile(path))
    return found[0] if found else None


def load(path: str | None) -> None:
    global loaded
    if path is None or path == loaded:
        return
    if loaded is not None:
        gdb.execute(f"remove-symbol-file -a 0x{entry(loaded):x}", to_string=True)
    gdb.execute(f"add-symbol-file {path}", to_string=True)
    loaded = path


def entry(path: str) -> int:
    with open(path, "rb") as f:
        return int.from_bytes(f.read(0x20)[0x18:], "little")


def load_for(task: gdb.Value) -> None:
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
        path = find(arguments[0])
        if path is None:
            raise gdb.GdbError(f"{arguments[0]}: no such program in build/user")
        load(path)
    show("symbols of " + (os.path.relpath(loaded, ROOT) if loaded else "no program"))
