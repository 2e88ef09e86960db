"""What is left of a run that failed, for tools/run: the guest's memory while it runs, the question
to a guest that hangs where its CPUs are, and a folder with the log, the core and the trace, for
which a run without one is repeated.

The memory is a file without a name, so nothing stays behind, however tools/run ends.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

from ktracelib import core, format as ktrace

SHARED_MEMORY = "/dev/shm"


def memory_path(size: int, directory: str) -> str:
    """Where the guest's memory goes: into the host's memory, if there is room for it twice."""
    try:
        room = os.statvfs(SHARED_MEMORY)
        if room.f_bavail * room.f_frsize > 2 * size and os.access(SHARED_MEMORY, os.W_OK):
            return f"{SHARED_MEMORY}/{os.path.basename(os.path.dirname(directory))}"
    except OSError:
        pass
    return f"{directory}/memory"


class Memory:
    """The guest's memory, as QEMU's backend writes it. `path` is valid as long as this lives."""

    def __init__(self, size: int, directory: str) -> None:
        self.name = memory_path(size, directory)
        self.fd = os.open(self.name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self.path = f"/proc/self/fd/{self.fd}"

    def forget_name(self) -> None:
        """QEMU has it open (the guest runs), or never will."""
        if self.name:
            os.unlink(self.name)
        self.name = ""


def ask_where(path: str) -> None:
    """Have QEMU (its QMP socket) send an NMI to each CPU: the kernel panics and shows its stacks."""
    try:
        with socket.socket(socket.AF_UNIX) as qmp:
            qmp.settimeout(5)
            qmp.connect(path)
            for command in ("qmp_capabilities", "inject-nmi"):
                qmp.recv(4096)
                qmp.sendall(json.dumps({"execute": command}).encode() + b"\n")
            qmp.recv(4096)
    except OSError:
        pass  # it does not even answer: it will be killed


def keep(folder: str, log: str, trace: str | None, kernel: str, memory: str) -> None:
    """Fill the folder. Other files there stay."""
    os.makedirs(folder, exist_ok=True)
    for source, name in ((trace, "trace.ktr"), (log, "log"), (kernel, "baton.elf"), (None, "core")):
        kept = os.path.join(folder, name)
        if source and os.path.exists(kept) and os.path.samefile(source, kept):
            continue
        if os.path.exists(kept):
            os.unlink(kept)
        if source and os.path.exists(source):
            shutil.copy(source, kept)
    try:
        core.write_core(memory, kernel, os.path.join(folder, "core"))
    except (OSError, ktrace.TraceError, IndexError) as error:
        print(f"tools/run: no core: {error}", file=sys.stderr)


def repeat_traced(folder: str, status: int, options: list[str], command: list[str], stdin: bytes,
                  seconds: float) -> None:
    """Run it again with a trace; if it fails alike, what that leaves replaces what is in the folder."""
    print("tools/run: the same again, with a trace ...", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="again-", dir=os.path.dirname(folder)) as directory:
        process = subprocess.Popen(
            [sys.argv[0], *options, "--trace", f"{directory}/trace.ktr", "--log", f"{directory}/log",
             "--evidence", directory, "--", *command],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.communicate(stdin, seconds)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            pass  # it takes too long, at least for who waits
        finally:  # also if this process is told to end
            process.terminate()
            process.wait()
        if process.returncode != status:
            print(f"  it ended with {process.returncode}: a trace changes the timing, so no trace",
                  file=sys.stderr)
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
    print(f"tools/run: status {status}; {what} are in {shown}/\n"
          f"  {look}\n  make gdb CORE={shown}/core", file=sys.stderr)
