"""What is left of a run that failed: the guest's memory while it runs, and a folder with the log, the
core and the trace, for which a run without one is repeated.

The memory is a file without a name, so nothing stays behind, however tools/run ends.
"""
import argparse
import os
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile

from ktracelib import core, format as ktrace
from ktracelib.untrusted import COMMAND_MAX, printable
from launch import host, lines
from launch.host import BUILD, KERNEL

SHARED_MEMORY = "/dev/shm"


def has_room(size: int) -> bool:
    """In the host's memory, for the guest's, twice."""
    try:
        room = os.statvfs(SHARED_MEMORY)
        return room.f_bavail * room.f_frsize > 2 * size and os.access(SHARED_MEMORY, os.W_OK)
    except OSError:
        return False


class Memory:
    """The guest's memory, as QEMU's backend writes it: a file without a name, which QEMU inherits.
    `path` is valid here and there as long as this lives."""

    def __init__(self, size: int, directory: str) -> None:
        with tempfile.TemporaryFile(dir=SHARED_MEMORY if has_room(size) else directory) as file:
            self.fd = os.dup(file.fileno())
        self.path = f"/proc/self/fd/{self.fd}"

    def close(self) -> None:
        os.close(self.fd)


def save_trace(args: argparse.Namespace, memory: Memory) -> bool:
    """Into the file of --trace. False: there was nothing to save."""
    try:
        with ktrace.memory_reader(memory.path) as read:
            trace = ktrace.pull(read, KERNEL)
        trace.header["command"] = made_by(args)
        ktrace.save(trace, args.trace)
    except (ktrace.TraceError, OSError) as error:
        host.say(f"tools/run: no trace: {host.reason(error) if isinstance(error, OSError) else error}")
        return False
    return True


def folder_of(args: argparse.Namespace) -> str:
    """Where it is kept: as told, or below build/ under the name of the run's trace or log."""
    name = os.path.splitext(os.path.basename(args.trace or args.log or "run.log"))[0]
    return os.path.abspath(args.evidence or os.path.join(BUILD, "failed", name))


def keep(folder: str, log: str, trace: str | None, memory: str) -> None:
    """Fill the folder. Other files there stay."""
    os.makedirs(folder, exist_ok=True)
    for source, name in ((trace, "trace.ktr"), (log, "log"), (KERNEL, "baton.elf"), (None, "core")):
        kept = os.path.join(folder, name)
        if source and os.path.exists(kept) and os.path.samefile(source, kept):
            continue
        if os.path.exists(kept):
            os.unlink(kept)
        if source and os.path.exists(source):
            shutil.copy(source, kept)
    path = os.path.join(folder, "core")
    try:
        core.write_core(memory, KERNEL, path)
    except (OSError, ktrace.TraceError, IndexError, struct.error) as error:
        host.say(f"tools/run: no core: {error}")
        if os.path.exists(path):
            os.unlink(path)  # half a core, on a full disk, is none


def made_by(args: argparse.Namespace) -> str:
    """The run as one would type it again, but for the files that it left: they may be anywhere, and
    the same run is to leave the same trace."""
    options = [f"--{name}" for name in ("icount", "iso", "kernel") if getattr(args, name)]
    for name, usual in (("smp", 1), ("mem", 256), ("accel", "tcg"), ("cpu", "max"), ("append", ""),
                        ("timeout", None)):
        if getattr(args, name) != usual:
            options += [f"--{name}", str(getattr(args, name))]
    options += [word for file in args.add for word in ("--add", file)]
    return in_trace(shlex.join(["tools/run", *options, *(["--", *args.command] if args.command else [])]))


def in_trace(command: str) -> str:
    """As a trace has it: what can be shown, and not too long."""
    command = printable(command.encode("utf-8", "backslashreplace").decode())
    return command if len(command) <= COMMAND_MAX else command[:COMMAND_MAX - 3] + "..."


def repeat(folder: str, status: int, command: list[str], stdin: bytes, seconds: float) -> None:
    """Once, for the trace that was not asked for: a run with --trace is never repeated."""
    if len(stdin) > lines.KEPT_MAX:
        host.say("tools/run: its input was too long to be given again: no trace")
    else:
        repeat_traced(folder, status, sys.argv[1:sys.argv.index("--")], command, stdin, 60 + 5 * seconds)


def repeat_traced(folder: str, status: int, options: list[str], command: list[str], stdin: bytes,
                  seconds: float) -> None:
    """Run it again with a trace; if it fails alike, what that leaves replaces what is in the folder."""
    host.say("tools/run: the same again, with a trace ...")
    with tempfile.TemporaryDirectory(prefix="again-", dir=os.path.dirname(folder)) as directory:
        process = subprocess.Popen(
            [sys.argv[0], *options, "--trace", f"{directory}/trace.ktr", "--log", f"{directory}/log",
             "--evidence", directory, "--", *command],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=host.tied_to_us())
        try:
            process.communicate(stdin, seconds)
        except subprocess.TimeoutExpired:
            pass  # it takes too long
        finally:  # also if this process is told to end
            process.terminate()
            process.wait()
        if process.returncode != status:
            host.say(f"  it ended with {process.returncode}: a trace changes the timing, so no trace")
        elif os.path.exists(f"{directory}/trace.ktr"):
            for name in os.listdir(directory):
                shutil.move(f"{directory}/{name}", os.path.join(folder, name))


def tell(folder: str, status: int) -> None:
    """Say on standard error how to look at what is in the folder."""
    shown = os.path.relpath(folder)
    if not os.path.exists(os.path.join(folder, "core")):
        return
    what, look = ("the trace, the log and a core", f"tools/ktrace report {shown}/trace.ktr") \
        if os.path.exists(os.path.join(folder, "trace.ktr")) \
        else ("the log and a core", f"less {shown}/log")
    host.say(f"tools/run: status {status}; {what} are in {shown}/\n"
             f"  {look}\n  make gdb CORE={shown}/core")
