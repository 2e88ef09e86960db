"""One test in the guest: started, limited, and judged by what cannot be had by printing "ok".

A verdict `ok` needs all of: the private exit code (from the run's nonce and the values), a
complete KTAP plan with the nonce, the values that `expected` computes from the seed, and the
checks of the trace. Time is the guest's; limits on the host are there to end what the guest's
clock cannot (a kernel that hangs with interrupts off): CPU time, output size, and a long wait.
"""
import os
import re
import resource
import secrets
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import crash
import environment
from launch import host, outcome
from manifest import Lab, Test, Values
from result import FAIL, HARNESS, NOT_YOURS, OK, PANIC, TIMEOUT, TRIPLE, Result

CPU_SECONDS = 40   # of the host, for one test: 4 guest seconds need a fifth of it
END_SECONDS = 15   # on the host, to find out where a guest hangs
IDLE_SECONDS = 30  # on the host, in which the guest neither runs (50 ms of CPU time) nor ends
CHECK_SECONDS = 300  # on the host, for looking through a trace
OUTPUT_MAX = 1 << 20
LOG_MAX = 8 << 20
MASK = (1 << 64) - 1


@dataclass
class Ended:
    """How a guest run ended; `stopped` says why the grader ended it, if it did."""
    status: int
    output: str
    errors: str
    log: str
    stopped: str = ""


def private_code(nonce: int, values: list[int]) -> int:
    """The exit status of a test that came to its end; labs/grade.h computes the same."""
    hash = nonce
    for value in values:
        hash = (hash ^ value) * 0x9e3779b97f4a7c15 & MASK
        hash ^= hash >> 29
    return 10 + hash % 90


@dataclass
class Judged:
    verdict: str
    expected: str = ""
    seen: str = ""
    hint: str = ""   # "": the test's own
    where: str = ""  # it died
    early: str = ""  # how it ended before its end: a crash, a hang


def limits(tie: Callable[[], None]) -> Callable[[], None]:
    def limit() -> None:
        tie()
        environment.limit(resource.RLIMIT_CPU, CPU_SECONDS + END_SECONDS, CPU_SECONDS + END_SECONDS + 5)
        environment.limit(resource.RLIMIT_CORE, 0, 0)
    return limit


def watch(process: subprocess.Popen, output: Path, log: Path, most: int, stop: threading.Event) -> str:
    """Wait for the end, or until nobody wants to know any more; stop a flood or a standstill and say which."""
    used, since, look = 0.0, time.monotonic(), 0
    while not stop.is_set():
        try:
            process.wait(0.1)
            return ""
        except subprocess.TimeoutExpired:
            pass
        if output.stat().st_size > most or (log.exists() and log.stat().st_size > LOG_MAX):
            return "flood"
        look += 1
        if look % 20:
            continue
        now = group_cpu_seconds(process.pid)
        if now > used + 0.05:
            used, since = now, time.monotonic()
        if now > CPU_SECONDS or time.monotonic() - since > IDLE_SECONDS:
            os.kill(process.pid, signal.SIGALRM)  # tools/run asks where the CPUs are, and ends
            try:
                process.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            return "hang"
    return "stop"


def group_cpu_seconds(group: int) -> float:
    """CPU time that the processes of a group have used."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def start(command: list[str], root: Path, evidence: Path, stop: threading.Event, most: int = OUTPUT_MAX) -> Ended:
    """`most`: bytes of output, before it is a flood."""
    output, errors, log = (evidence / name for name in ("output.txt", "errors.txt", "log"))
    with tempfile.TemporaryDirectory(prefix="grade-") as temporary, \
            open(output, "wb") as out, open(errors, "wb") as err:
        process = subprocess.Popen(command, cwd=root, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=err, start_new_session=True,
                                   preexec_fn=limits(host.tied_to_us()),
                                   env={**os.environ, "TMPDIR": temporary})
        stopped = ""
        try:
            stopped = watch(process, output, log, most, stop)
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
    texts = [beginning(path, most) for path in (output, errors, log)]
    return Ended(process.returncode, *texts, stopped)


def beginning(path: Path, most: int) -> str:
    if not path.exists():
        return ""
    with open(path, "rb") as file:
        return file.read(most).decode(errors="replace")


def said(run: Ended, words: str) -> bool:
    """By tools/run itself: a program may end with any status."""
    return f"\ntools/run: {words}" in "\n" + run.errors


def machine_verdict(run: Ended) -> tuple[str, str] | None:
    """What ended the machine, if it was not the test's own end: verdict, what was seen."""
    ended = re.search(r"tools/run: QEMU ended with (-?\d+)", run.errors)
    code = int(ended[1]) if ended else 0
    if run.stopped == "flood":
        return FAIL, f"more than {OUTPUT_MAX >> 20} MiB of output: the run was stopped"
    if run.stopped == "hang" or code == -signal.SIGXCPU or run.status == -signal.SIGXCPU:
        return TIMEOUT, ("the guest hangs, and its own clock could not end it: "
                         "an endless loop or a hlt with interrupts off?")
    if run.status == 125 and said(run, outcome.PANICKED):
        message = re.search(r"^PANIC.*", run.errors, re.M)
        return PANIC, message[0] if message else outcome.PANICKED
    if run.status == 124 and said(run, outcome.TIME_OVER):
        return TIMEOUT, "the guest's time was over before the test had ended"
    for line in run.errors.splitlines():
        if line.startswith(("Traceback (most", "qemu-system-x86_64: ")) and line not in run.log:
            return HARNESS, run.errors.strip().splitlines()[-1]
    if said(run, outcome.TRIPLED):
        return TRIPLE, "the CPU reset itself: a fault while it handled a fault (stack or IDT broken?)"
    if ended and code < 0:
        return HARNESS, f"QEMU was ended by {crash.name_of(-code)}"
    if run.status == 126 and "\n  again: " not in run.errors:  # no machine was there that could end
        return HARNESS, run.errors.strip().splitlines()[-1] if run.errors.strip() else "tools/run failed"
    if run.status == 126:
        return FAIL, "the guest ended the machine before the test had ended"
    if run.status == 127:
        return FAIL, "the test program could not be executed in the guest"
    if run.status == 128 and said(run, outcome.NO_INIT):
        message = re.search(r"^init (crashed|ended).*", run.errors, re.M)
        return FAIL, message[0] if message else outcome.NO_INIT
    if run.status < 0:
        return HARNESS, f"tools/run was ended by {crash.name_of(-run.status)}"
    if 128 < run.status <= 128 + 64:
        return FAIL, f"the test program died by {crash.name_of(run.status - 128)}"
    return None


def note(text: str, word: str) -> str:
    """The test's own first `# word: ...` line."""
    match = re.search(rf"^# {word}: (.*)$", text, re.M)
    return match[1].strip() if match else ""


def reported(text: str) -> dict[str, int]:
    return {key: int(value, 16)
            for key, value in re.findall(r"^# value (\w+) 0x([0-9a-f]{1,16})$", text, re.M)}


def died(root: Path, lab: Lab, test: Test, run: Ended, trace: Path, report: str) -> Judged | None:
    """The verdict where the machine or the test program did not come to its end: where, and which step."""
    machine = machine_verdict(run)
    if not machine:
        return None
    verdict, seen = machine
    if verdict == HARNESS:
        return Judged(HARNESS, "that the test runs to its end", seen, NOT_YOURS)
    what, found = crash.program(root, lab, report) if verdict == FAIL else ("", [])
    if verdict in (PANIC, TIMEOUT):
        what, found = crash.kernel(root, lab, run.errors)
    if verdict == TRIPLE:
        what, found = crash.stopped(root, lab, run.errors)
    if verdict == TIMEOUT:
        what = crash.standing(root, lab, run.errors, trace) or what
    step = crash.step_of(found, lab) if verdict != TIMEOUT else ""
    seen = "; ".join(text for text in (note(report, "seen"), seen, what) if text)
    return Judged(verdict, note(report, "expected") or "that the test runs to its end", seen,
                  step or note(report, "next") or (test.hang if verdict == TIMEOUT else test.crash),
                  crash.described(found[:1]), "hang" if verdict == TIMEOUT else "crash")


def judge(run: Ended, test: Test, nonce: int, expected: Values) -> Judged:
    """Of a test program that came to its end."""
    report, noted = whole_report(run), note(whole_report(run), "seen")
    if noted:
        return Judged(FAIL, note(report, "expected"), noted, note(report, "next"))
    lines = run.output.splitlines()
    complete = (lines.count("KTAP version 1"), lines.count(f"# nonce {nonce:016x}"), lines.count("1..1"),
                lines.count(f"ok 1 - {test.name}"), sum(line.startswith("ok ") for line in lines))
    if complete != (1, 1, 1, 1, 1):
        return Judged(FAIL, "the test's report, complete and with this run's number",
                      f"a report that is incomplete or not this test's (status {run.status})", test.crash)
    own, values = reported(run.output), reported(report)
    for key, wanted in expected.items():
        low, high = wanted if isinstance(wanted, tuple) else (wanted, wanted)
        if key not in values or not low <= values[key] <= high:
            seen = f"no {key}" if key not in values else \
                f"{key} = {values[key] if low != high else hex(values[key])}"
            return Judged(FAIL, f"{key} = {low} to {high}" if low != high else f"{key} = {low:#x}", seen,
                          test.hints.get(key, ""))
    if run.status != private_code(nonce, list(own.values())):
        return Judged(FAIL, "the exit status that only the finished test knows", f"status {run.status}")
    return Judged(OK)


def whole_report(run: Ended) -> str:
    """With what tests in the kernel say, in its log."""
    return run.output + "\n" + re.sub("^lab: ", "# ", run.log, flags=re.M)


def told(process: subprocess.Popen, seconds: float, stop: threading.Event) -> tuple[str, str] | None:
    """What it says on its outputs; None: it took longer, or nobody wants to know any more. It has ended."""
    until = time.monotonic() + seconds
    while not stop.is_set() and time.monotonic() < until:
        try:
            return process.communicate(timeout=0.2)
        except subprocess.TimeoutExpired:
            pass
    process.kill()
    process.communicate()
    return None


def check_trace(root: Path, trace: Path, test: Test, stop: threading.Event) -> Judged:
    if not trace.exists():
        return Judged(FAIL, "a trace of the run", "none: the kernel's memory is damaged")
    process = subprocess.Popen([str(root / "tools/ktrace"), "check", str(trace), *test.checks], text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace")
    said_of_it = told(process, CHECK_SECONDS, stop)
    if said_of_it is None:
        return Judged(FAIL, "a trace of the run", f"one that takes more than {CHECK_SECONDS} s to look through")
    output, errors = said_of_it
    failed = [line.split(" - ", 1)[-1] for line in output.splitlines()
              if line.startswith("not ok")]
    if process.returncode == 0:
        return Judged(OK)
    if failed:
        return Judged(FAIL, failed[0], "otherwise in the trace (the timeline shows it)",
                      test.hints.get(failed[0], ""))
    last = (errors or output).strip()[-300:]
    return Judged(FAIL if str(trace) in last and "Traceback" not in errors else HARNESS,
                  "a trace of the run", last)


def empty_evidence(root: Path, lab: Lab, test: Test) -> Path:
    evidence = root / f"build/grade/{lab.number}/{test.name}"
    shutil.rmtree(evidence, ignore_errors=True)
    evidence.mkdir(parents=True)
    return evidence


def run_test(root: Path, lab: Lab, test: Test, seed: int, cpus: int, stop: threading.Event) -> Result:
    """`stop`: another thread does not want to know any more; all that it started ends."""
    cpus = max(cpus, test.cpus)
    evidence = empty_evidence(root, lab, test)
    nonce = secrets.randbits(64)
    trace = evidence / "trace.ktr"
    command = [str(root / "tools/run"), "--icount", "--smp", str(cpus), "--mem", str(test.memory),
               "--timeout", str(test.limit), "--log", str(evidence / "log"),
               "--trace", str(trace), "--evidence", str(evidence),
               "--add", f"build/labs/{lab.number}/tests:/bin/labtest"]
    if test.append:
        command += ["--append", test.append.format(seed=seed)]
    command += ["--", "labtest", test.name, str(seed), f"{nonce:016x}", str(cpus)]
    (evidence / "command.txt").write_text(shlex.join(command) + "\n")
    run = start(command, root, evidence, stop)
    judged = died(root, lab, test, run, trace, whole_report(run)) or \
        judge(run, test, nonce, test.expected(seed, cpus))
    if judged.verdict == OK and test.checks:
        judged = check_trace(root, trace, test, stop)
    return result_of(evidence, root, lab, test, judged,
                     f"tools/grade --lab {lab.number} -k {test.name} --seed {seed} --smp {cpus}")


def drop_core(evidence: Path) -> None:
    for name in ("core", "baton.elf"):
        (evidence / name).unlink(missing_ok=True)


def result_of(evidence: Path, root: Path, lab: Lab, test: Test, judged: Judged, again: str) -> Result:
    """What is told of it, and what is kept."""
    verdict = judged.verdict
    result = Result(test.name, test.points, test.points if verdict == OK else 0, verdict,
                    judged.expected, judged.seen, where=judged.where, early=judged.early)
    if verdict == OK:
        drop_core(evidence)
    else:
        result.hint = judged.hint or ("" if judged.early else test.hint)
        result.again = again
        kept = ", ".join(path.name for path in sorted(evidence.iterdir()) if path.stat().st_size)
        folder = evidence.relative_to(root)
        result.evidence = f"{folder}/ ({kept})"
        result.look = "; ".join(command for name, command in (
            ("trace.ktr", f"tools/ktrace html {folder}/trace.ktr"), ("core", f"make gdb CORE={folder}/core"))
            if (evidence / name).exists())
    return result
