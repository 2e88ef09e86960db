"""Start the machine from within gdb: `kstart`, and `kback` in a recorded run.

gdb owns what it starts: QEMU ends when gdb does, or when another machine is started. It is ended by
SIGKILL, since a QEMU that replays does not always listen to less.
"""
import atexit
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import gdb

from . import memory, programs, unwind
from .command import command
from .running import Point, live

# QEMU steps without interrupts and with its timers stopped (gdbstub: SSTEP_ENABLE 1, SSTEP_NOIRQ 2,
# SSTEP_NOTIMER 4), so that stepi does not wander into the timer's handler. A replay has its own
# order of interrupts, and refuses.
STEP_ALONE = "maintenance packet Qqemu.sstep=0x7"
HANG = 60


class Machine:
    process: subprocess.Popen | None = None
    options: list[str] = []
    directory = ""


def kill_qemu_of(parent: int) -> None:
    """Kill what tools/run has started. Either may end by itself at the same moment."""
    try:
        with open(f"/proc/{parent}/task/{parent}/children") as f:
            for pid in f.read().split():
                os.kill(int(pid), signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        pass


def end() -> None:
    process, Machine.process = Machine.process, None
    if process is None:
        return
    while process.poll() is None:
        kill_qemu_of(process.pid)
        try:
            process.wait(1)
        except subprocess.TimeoutExpired:
            pass  # tools/run had not started it yet
    shutil.rmtree(Machine.directory, ignore_errors=True)


def start(options: list[str]) -> None:
    if gdb.selected_inferior().pid:
        gdb.execute("disconnect", to_string=True)
    end()
    Machine.options, Machine.directory = options, tempfile.mkdtemp(prefix="baton-gdb-")
    socket = f"{Machine.directory}/gdb"
    Machine.process = subprocess.Popen(
        [os.path.join(programs.ROOT, "tools/run"), "--gdb", socket,
         "--log", f"{Machine.directory}/log", *options],
        stdin=subprocess.DEVNULL, stdout=None if os.isatty(1) else subprocess.DEVNULL,
        start_new_session=True)
    limit = time.monotonic() + HANG
    gdb.execute("set architecture i386:x86-64", to_string=True)
    while not gdb.selected_inferior().pid:
        try:
            gdb.execute(f"target remote {socket}", to_string=True)
        except gdb.error:  # there is no socket yet, or nobody listens to it yet
            if Machine.process.poll() is not None or time.monotonic() > limit:
                raise gdb.GdbError("QEMU did not start: see above") from None
            time.sleep(0.05)
    if "--replay" not in options:
        gdb.execute(STEP_ALONE, to_string=True)


@command("kstart")
def kstart(arguments: list[str]) -> None:
    """Start Baton, stopped before its first instruction: `kstart [OPTIONS] -- COMMAND`.

    OPTIONS are those of tools/run: --smp 2, --append 'trace=on', --replay DIR. The machine is
    deterministic (--icount) but for --free as the first one. What it prints appears here, if
    this is a terminal; its input is empty. Without arguments: the same machine again, from the start."""
    options = arguments or Machine.options
    if not options and "BATON_CMD" in os.environ:  # make gdb CMD='...', which may have any quotes in it
        options = ["--", "sh", "-c", os.environ["BATON_CMD"]]
    if not options:
        raise gdb.GdbError("kstart [OPTIONS] -- COMMAND")
    if options[0] == "--free":
        start(options[1:])
    else:
        start(options if "--replay" in options else ["--icount", *options])
    print("Baton is stopped at its first instruction; `kernel` lists its commands")


def instructions() -> int:
    """How many the replay has executed."""
    found = re.search(r"instruction count = (\d+)", gdb.execute("monitor info replay", to_string=True))
    if not found:
        raise gdb.GdbError("this machine does not replay: make record CMD='...', then make replay")
    return int(found[1])


@command("kback")
def kback(arguments: list[str]) -> None:
    """In a recorded run, go back to the last context switch before this point.

    It stops at switch_begin, and nowhere else. reverse-stepi goes back single instructions, also
    over the switch; reverse-continue goes back to the last breakpoint or watchpoint."""
    live()
    now = instructions()
    others = [b for b in gdb.breakpoints() if b.enabled and b.number > 0]
    for other in others:
        other.enabled = False
    point = Point("*switch_begin")
    try:
        gdb.execute("reverse-continue", to_string=True)
    finally:
        point.delete()
        for other in others:
            other.enabled = True
    if instructions() == 0:
        raise gdb.GdbError("no switch came before this point; the machine is at the start again")
    print(f"a switch at instruction {instructions()}; it was {now}")
    unwind.show_place()


atexit.register(end)
