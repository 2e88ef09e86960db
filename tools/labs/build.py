"""Building a learner's tree: make, with limits for what a compiler may be made to do, and the first of
what it complains about."""
import os
import resource
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Callable

import environment
from launch import host
from manifest import Lab
from result import FAIL, HARNESS

BUILD_SECONDS = 1200        # on the host, to end a compiler that hangs
CPU_SECONDS = 600           # of one process
FILE_MAX = 256 << 20        # an array of 1 GB that is not zero makes an object of 1 GB
MEMORY_MAX = 6 << 30        # of one process
MESSAGES_MAX = 1 << 20


def limits(tie: Callable[[], None]) -> Callable[[], None]:
    def limit() -> None:
        tie()
        for what, most in ((resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_FSIZE, FILE_MAX),
                           (resource.RLIMIT_AS, MEMORY_MAX), (resource.RLIMIT_CORE, 0)):
            environment.limit(what, most, most)
    return limit


def first_errors(messages: str) -> str:
    lines = messages.splitlines()
    errors = [line for line in lines if "rror" in line or "undefined" in line] or lines
    return "\n".join(errors[:3]) or "make failed, and said nothing"


def make(root: Path, target: str) -> str:
    """Build; "" or the first errors."""
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(["make", "-s", "-j2", target], cwd=root, stdin=subprocess.DEVNULL,
                                   stdout=messages, stderr=messages, start_new_session=True,
                                   preexec_fn=limits(host.tied_to_us()))
        try:
            process.wait(BUILD_SECONDS)
        except subprocess.TimeoutExpired:
            return f"make {target} did not end in {BUILD_SECONDS} s"
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        messages.seek(0)
        text = messages.read(MESSAGES_MAX).decode(errors="replace")
    return first_errors(text) if process.returncode else ""


def build(root: Path, lab: Lab) -> tuple[str, str] | None:
    """None, or the verdict for all tests and what was seen."""
    error = make(root, "all")
    if error:
        tools = subprocess.run([str(root / "tools/setup"), "--check", "run"], capture_output=True, text=True)
        full = os.statvfs(root).f_bavail == 0
        if full:
            return HARNESS, f"the disk is full: {error}"
        if tools.returncode:
            return HARNESS, f"not installed: {tools.stdout.strip().rpartition(': ')[2]} (tools/setup run)"
        return FAIL, error
    error = make(root, f"build/labs/{lab.number}/tests")
    # The tests are ours: that they do not link can only be the learner's where the library is.
    learner = any(pattern.startswith("user/") for pattern in lab.files)
    return (FAIL if learner else HARNESS, error) if error else None
