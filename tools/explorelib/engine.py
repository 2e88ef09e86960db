"""The part in the guest: /bin/explore (user/explore), what it is told and what it says."""
import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, field
from typing import Callable

from explorelib.program import Program
from launch import host
from launch.host import LaunchError

PANIC = 125
SCHEDULE = re.compile(r"explore: it was schedule ?(\S*) after (\d+) instructions")


class MachineFailed(LaunchError):
    status = 3


@dataclass
class Result:
    """What the guest said, and how it ended."""
    entry: int = 0
    coverage: dict = field(default_factory=dict)
    run: dict = field(default_factory=dict)  # the last one, which failed if any did
    events: list[dict] = field(default_factory=list)
    panic: str = ""  # what the kernel said; then run["schedule"] is from its log


def options_of_run(program: Program, added: list[str], options: list[str],
                   command: list[str]) -> list[str]:
    """What tools/run is told, besides --icount."""
    words = ["--append", "sched=explore", *(word for item in added for word in ("--add", item)), "--", "explore",
              "--begin", str(program.begin())]
    if program.end() is not None:
        words += ["--end", str(program.end())]
    for low, high in program.ranges:
        words += ["--range", f"{low - program.entry}:{high - program.entry}"]
    return [*words, *options, "--", *command]


def _take(result: Result, line: str) -> int | None:
    """One line of the guest. Returns how many schedules were tried, if it says so."""
    try:
        said = json.loads(line)
    except ValueError:
        raise MachineFailed(line.strip().removeprefix("explore: ")[:200]) from None
    if "tried" in said:
        return said["tried"]
    if "entry" in said:
        result.entry = said["entry"]
    elif "covered" in said:
        result.coverage = said
    elif "event" in said:
        result.events.append(said)
    elif "schedule" in said:
        result.run = said
    return None


def boot(program: Program, added: list[str], options: list[str], command: list[str], *,
         run_options: list[str] | None = None, progress: Callable[[int], None] | None = None) -> Result:
    """Boot a guest that explores. Raises MachineFailed."""
    result = Result()
    with tempfile.TemporaryDirectory(prefix="explore-") as directory:
        log = os.path.join(directory, "log")
        process = subprocess.Popen(
            [os.path.join(host.ROOT, "tools/run"), "--icount", "--log", log, "--evidence", directory,
             *(run_options or []), *options_of_run(program, added, options, command)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors="replace", preexec_fn=host.tied_to_us())
        for line in process.stdout:
            tried = _take(result, line)
            if tried and progress:
                progress(tried)
        errors = process.stderr.read()
        status = process.wait()
        if status == PANIC:
            return _panicked(result, log, errors)
    if status > 1:
        raise MachineFailed(errors.strip() or f"the guest ended with status {status}")
    return result


def _panicked(result: Result, log: str, errors: str) -> Result:
    with open(log, errors="replace") as f:
        text = f.read()
    found, said = SCHEDULE.search(text), re.search(r"PANIC: (.*)", text)
    if not found or not said:
        raise MachineFailed(errors.strip())
    result.panic = said[1]
    result.events = []
    result.run = {"schedule": found[1] or "-", "failed": True, "verdict": "panic", "status": 0, "signal": 0,
                  "instructions": int(found[2]), "tasks": 0, "dropped": 0, "diverged": False, "output": ""}
    return result
