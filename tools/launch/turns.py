"""CPUs that take the same turns in every run, whatever else the host does.

Under icount a turn of a CPU is a number of instructions. From version 10.2 on QEMU has a thread that
cuts turns short after the host's time: it frees memory ("call_rcu", util/rcu.c there), for that it
waits till no CPU is in the middle of a turn, and after 50 ms it waits no more but ends the turn. So
it is stopped before the guest's first instruction, by ptrace(2). It would have freed little.

It must hold no lock of QEMU's when it is stopped, or the machine would hang. So it is stopped only
once it has slept for a while, when nothing happens that could wake it; and it is left alone where
QEMU is older.
"""
import ctypes
import os
import subprocess
import threading
import time

from launch import host, monitor

THREAD = "call_rcu"
NEEDED_FROM = (10, 2)  # QEMU's version
SETTLED = 0.03         # seconds: its own pauses are of 0.01
PTRACE_SEIZE, PTRACE_INTERRUPT = 0x4206, 0x4207
WAIT_ALL = 0x40000000  # __WALL: for threads, too
_ptrace = ctypes.CDLL(None, use_errno=True).ptrace
_ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_ptrace.restype = ctypes.c_long


def _find(pid: int) -> int:
    """The thread, of those in the order in which they were made."""
    threads = os.listdir(f"/proc/{pid}/task")
    for thread in threads:
        with open(f"/proc/{pid}/task/{thread}/comm") as f:
            if f.read().strip() == THREAD:
                return int(thread)
    return int(threads[1])  # before version 11 it has no name; it is the first that QEMU makes


def _settle(pid: int, thread: int) -> None:
    """Until the thread sleeps and does not wake up any more. QEMU has not been told to go on yet."""
    before = None
    while True:
        with open(f"/proc/{pid}/task/{thread}/status") as f:
            now = [line for line in f if line.startswith(("State:", "voluntary_", "nonvoluntary_"))]
        if now == before and "sleeping" in now[0]:
            return
        before = now
        time.sleep(SETTLED)


def _request(request: int, thread: int) -> None:
    if _ptrace(request, thread, None, None) < 0:
        raise OSError(ctypes.get_errno(), f"ptrace: {os.strerror(ctypes.get_errno())}")


def _hold(thread: int, held: threading.Event, trouble: list[str]) -> None:
    """All from one thread, as ptrace demands. It also waits for the thread's end: before that QEMU's
    own end is told to nobody."""
    try:
        _request(PTRACE_SEIZE, thread)
        _request(PTRACE_INTERRUPT, thread)
        os.waitpid(thread, WAIT_ALL)
        held.set()
        while os.WIFSTOPPED(os.waitpid(thread, WAIT_ALL)[1]):
            pass
    except OSError as error:
        trouble.append(error.strerror)
        held.set()


def start(process: subprocess.Popen, qemu: monitor.Monitor) -> None:
    """Have QEMU, which was started with -S, begin with its turns undisturbed."""
    while process.poll() is None and qemu.ask("query-status") is None:  # it sets itself up
        qemu.wait(0.1)
    if process.poll() is not None:
        return  # and it says why
    version = (qemu.ask("query-version") or {}).get("qemu", {})
    if (version.get("major", 0), version.get("minor", 0)) >= NEEDED_FROM:
        held, trouble = threading.Event(), []
        try:
            thread = _find(process.pid)
            _settle(process.pid, thread)
        except OSError:
            return  # QEMU has ended, and says why
        threading.Thread(target=_hold, args=(thread, held, trouble), daemon=True).start()
        held.wait()
        if trouble:
            host.say(f"tools/run: with several CPUs this run may differ from the next: {trouble[0]}")
    qemu.ask("cont")  # if it has ended since, there is no answer
