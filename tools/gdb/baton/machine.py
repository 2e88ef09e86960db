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
import threading
import time
from typing import BinaryIO

import gdb

from . import memory, programs, unwind
from .command import Usage, command
from .lines import show
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


def pass_on(pipe: BinaryIO, mark: bytes) -> None:
    """What the guest prints, marked, and what tools/run says. With a pipe the machine is the same one
    whether gdb has a terminal or not. QEMU's warning means that no timer runs: early in the boot."""
    for line in pipe:
        if b"icount sleep disabled" not in line:
            os.write(1, mark + memory.line_of(line.rstrip(b"\r\n")).encode() + b"\n")


def replays(options: list[str]) -> bool:
    return "--replay" in (options[:options.index("--")] if "--" in options else options)


def start(options: list[str]) -> None:
    if gdb.selected_inferior().pid:
        gdb.execute("disconnect", to_string=True)
    end()
    Machine.options, Machine.directory = options, tempfile.mkdtemp(prefix="baton-gdb-")
    socket = f"{Machine.directory}/gdb"
    Machine.process = subprocess.Popen(
        [os.path.join(programs.ROOT, "tools/run"), "--gdb", socket,
         "--log", f"{Machine.directory}/log", *options],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True)
    for pipe, mark in ((Machine.process.stdout, b"| "), (Machine.process.stderr, b"")):
        threading.Thread(target=pass_on, args=(pipe, mark), daemon=True).start()
    limit = time.monotonic() + HANG
    gdb.execute("set architecture i386:x86-64", to_string=True)
    while not gdb.selected_inferior().pid:
        try:
            gdb.execute(f"target remote {socket}", to_string=True)
        except gdb.error:  # there is no socket yet, or nobody listens to it yet
            if Machine.process.poll() is not None or time.monotonic() > limit:
                raise gdb.GdbError("QEMU did not start: see above") from None
            time.sleep(0.05)
    if not replays(options):
        gdb.execute(STEP_ALONE, to_string=True)


@command("kstart [OPTIONS...] [-- COMMAND...]")
def kstart(arguments: list[str]) -> None:
    """Start Baton with a command, stopped before its first instruction.

    OPTIONS are those of tools/run: --smp 2, --append 'trace=on', --replay DIR. The
    machine is deterministic (--icount) but for --free as the first one. What it
    prints appears here behind `|`; its input is empty. Without arguments: the
    same machine again, from the start."""
    options = arguments or Machine.options
    if not options and "BATON_OPTIONS" in os.environ:  # make gdb EXPLORE=...
        options = os.environ["BATON_OPTIONS"].split("\036")[:-1]
    if not options and "BATON_WORDS" in os.environ:  # make gdb CMD='...': each ends in a separator
        options = ["--", *os.environ["BATON_WORDS"].split("\036")[:-1]]
    if not options:
        raise Usage
    if options[0] == "--free":
        start(options[1:])
    else:
        start(options if replays(options) else ["--icount", *options])
    show("Baton is stopped at its first instruction; `kernel` lists its commands")


def instructions() -> int:
    """How many the replay has executed."""
    found = re.search(r"instruction count = (\d+)", gdb.execute("monitor info replay", to_string=True))
    if not found:
        raise gdb.GdbError("this machine does not replay: make record CMD='...', then make replay")
    return int(found[1])


@command("kback")
def kback(arguments: list[str]) -> None:
    """In a recorded run, go back to the last context switch.

    It stops at switch_begin, and nowhere else. reverse-stepi goes back single
    instructions, also over the switch; reverse-continue goes back to the last
    breakpoint or watchpoint."""
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
    show(f"a switch at instruction {instructions()}; it was {now}")
    unwind.show_place()


atexit.register(end)
