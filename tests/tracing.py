"""The trace of the kernel and of the coroutine library, against what is known to have happened.

What is made of a trace is tested in trace_outputs.py and timeline_page.py.
"""
import filecmp
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import trace_samples
from driver import ROOT, RUN, Machine, Skipped, call, check, deterministic, guest, test
from ktracelib import format as fmt
from ktracelib.coroutines import text_of
from ktracelib.states import Model

KTRACE = str(ROOT / "tools/ktrace")
MS = trace_samples.MS
EVENT_COST = 60  # instructions, at most


def traced(*command: str, options: list[str] | None = None) -> Path:
    """Run it in the guest; its trace is in a directory that the caller removes."""
    path = Path(tempfile.mkdtemp(prefix="trace-", dir=ROOT / "build")) / "run.ktr"
    guest(*command, options=["--icount", "--trace", str(path), *(options or [])])
    return path


def load(path: Path) -> Model:
    model = Model(fmt.load(str(path)))
    shutil.rmtree(path.parent)
    return model


def holds(path: Path, *expressions: str) -> None:
    result = call([KTRACE, "check", str(path), *expressions])
    check(result.returncode == 0, result.stdout + result.stderr)


@test
def trace_knows_what_a_program_did() -> None:
    """user/test/traced.c: seven processes, one a test, whose numbers are there."""
    if Machine.free:
        raise Skipped("a sleep may be over before it begins")
    path = traced("/bin/test/traced")
    model = load(path)
    main = next(t for t in model.tasks.values() if t.parent == 1 and t.name == "traced")
    tests = sorted(t.tid for t in model.tasks.values() if t.parent == main.tid and t.tid == t.group)
    check(len(tests) == 7, f"tests {tests}")
    sleeps, faults, children, calls, signals, threads, pipe = tests

    def count(event: str, tid: int, **fields: int) -> int:
        return sum(1 for r in model.records if r.event == event and r.tid == tid
                   and all(getattr(r, name) == value for name, value in fields.items()))

    number = {name: n for n, name in model.trace.syscalls.items()}
    reason = model.trace.reasons.index
    first_page, pages = 0x200000000000, 11
    touched = sorted(r.a for r in model.records if r.event == "FAULT" and r.tid == faults
                     and first_page <= r.a < first_page + pages * 4096)
    check(count("BLOCK", sleeps, x=reason("nanosleep")) == 7, "seven sleeps block")
    check(sum(w.woken == sleeps and w.reason == "nanosleep" for w in model.wakes) == 7, "seven wakes")
    check(touched == [first_page + i * 4096 for i in range(pages)], f"faults at {touched}")
    check(count("CLONE", children) == 5, "five children")
    check(sorted(t.status >> 8 for t in model.tasks.values() if t.parent == children)
          == [40, 41, 42, 43, 44], "their statuses")
    check(count("SYSCALL", calls, x=number["getppid"]) == 13, "thirteen calls")
    check(count("SYSRET", calls, x=number["getppid"], a=main.tid) == 13, "and their results")
    check(count("SIGNAL", signals, x=12, a=signals) == 3, "three signals")
    check(sum(t.tid != threads and t.group == threads for t in model.tasks.values()) == 4,
          "four threads share a process")
    check(count("BLOCK", pipe, x=reason("pipe read")) == 9, "nine rounds block the first side")


@test
def trace_follows_new_names() -> None:
    """By prctl, which is how the lesson says what mode a process is of, and by /proc."""
    model = load(traced("sh", "-c", "echo renamed >/proc/self/comm; "
                        "stall --wait=40 --tick=20 --tickers=1 >/dev/null"))
    names = {task.name for task in model.tasks.values()}
    wanted = {"renamed\\n", "stall", "stall blocking", "stall aware", "stall threads"}
    check(wanted <= names, f"{wanted - names} not in {names}")


@test
@deterministic
def trace_counts_switches_as_the_kernel_does() -> None:
    model = load(traced("sh", "-c", "sleep 0.01; sleep 0.01; cat /proc/stat /proc/$$/status; true"))
    result = guest("sh", "-c", "sleep 0.01; sleep 0.01; cat /proc/stat /proc/$$/status; true",
                   options=["--icount"]).stdout
    said = int(re.search(r"ctxt (\d+)", result)[1])
    voluntary = int(re.search(r"\nvoluntary_ctxt_switches:\s*(\d+)", result)[1])
    shell = next(t.tid for t in model.tasks.values() if t.name == "sh")
    cat = next(t.tid for t in model.tasks.values() if t.name == "cat")
    opened = [i for i, r in enumerate(model.records)
              if r.tid == cat and r.event == "SYSRET" and model.syscall(r.x) == "open"]
    before = model.records[:opened[0]]
    switches = sum(r.event == "SWITCH" for r in before)
    blocked = sum(r.event == "SWITCH" and r.tid == shell and r.flags & 3 == 2 for r in before)
    check((switches, blocked) == (said, voluntary), f"{switches} of {said}, {blocked} of {voluntary}")


@test
def stall_stalls_only_when_blocking() -> None:
    """The lesson, as a trace tells it: about the wait in blocking, nothing in the two cures. How
    often they tick is the host's to say in real time."""
    busy = 10 if Machine.free else 100
    path = traced("stall", "--mode=blocking")
    holds(path, *(f'total(stall(co="ticker {i}", by="reader", call="read")) > 1.9s' for i in (1, 2, 3, 4)),
          *(() if Machine.free else ('total(stall(co="ticker 1")) < 2.1s',)),
          'max(in_syscall(co="reader", reason="pipe read")) > 1.9s',
          'count(stall(co="reader")) == 0')
    shutil.rmtree(path.parent)
    for mode in ("aware", "threads"):
        path = traced("stall", f"--mode={mode}")
        holds(path, "total(stall()) == 0", f"count(switch()) > {busy}",
              *((f"count(co_in()) > {busy}", 'total(parked(co="ticker 1", reason="sleep")) > 1.5s',
                 'max(parked(co="reader", reason="fd 5")) > 1.9s') if mode == "aware"
                else ("count(co_in()) == 0",)))
        shutil.rmtree(path.parent)


@test
def a_loop_that_stands_is_seen() -> None:
    """user/test/loop.c polls five times for 10 ms, then reads for the rest of 200 ms; and reads once more,
    while another thread polls in its place, as Go's do: that is no stall."""
    path = traced("/bin/test/loop")
    holds(path, 'count(loop_stall(name="loop", call="read", reason="pipe read")) == 1',
          *(() if Machine.free else ("count(loop_stall()) == 1", "max(loop_stall()) > 140ms", "max(loop_stall()) < 160ms")))
    shutil.rmtree(path.parent)


@test
def stall_is_seen_on_a_linux_host() -> None:
    """Without the kernel's events the thread's CPU time tells that a coroutine blocked it. One that
    a busy host lets wait looks the same, but not for so long."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "host.trace"
        result = subprocess.run([str(ROOT / "build/user/demo/stall"), "--mode=blocking"],
                                env={"CO_TRACE": str(path)}, capture_output=True, text=True)
        check(path.exists(), result.stdout + result.stderr)
        holds(path, 'total(stall(co="ticker 1", by="reader")) > 1.5s',
              'max(stall(by="ticker 1")) < 500ms')
        page = call([KTRACE, "html", str(path), "-o", "-"]).stdout
        check("STALLED" in page and '"reader"' in page, "the page of it")


@test
def traces_are_the_same_in_every_run() -> None:
    if Machine.free:
        raise Skipped("only under icount")
    for cpus in ("1", "2"):
        paths = [traced("sh", "-c", "ls / | wc; isolate >/dev/null; stall --mode=all >/dev/null",
                        options=["--smp", cpus]) for _ in range(3)]
        check(all(filecmp.cmp(paths[0], path, shallow=False) for path in paths[1:]),
              f"--smp {cpus}: the files differ")
        if cpus == "2":
            records = fmt.load(str(paths[0])).records
            used = {r.cpu for r in records if r.event == "SWITCH"}
            check(used == {0, 1}, f"switches on CPUs {used}")
            last = max(records, key=lambda r: r.time)  # nobody runs on while QEMU comes to its end
            check(last.event == "SYSCALL", f"after the call that ends the machine: {last}")
        for path in paths:
            shutil.rmtree(path.parent)


@test
def trace_switched_on_later_knows_who_sleeps() -> None:
    """The snapshot: a task that never switches is there, and what it waits for."""
    asleep = 'until grep -q "^Name:.sleep" /proc/$!/status && grep -q "^State:.S" /proc/$!/status'
    path = traced("sh", "-c", f"sleep 100 & {asleep}; do true; done; "
                  "echo on >/dev/ktrace; ls >/dev/null; kill $!", options=["--append", "trace=off"])
    model = load(path)
    sleeper = next(t for t in model.tasks.values() if t.name == "sleep")
    check([s.detail for s in sleeper.spans if s.state == "blocked"] == ["nanosleep"], str(sleeper))
    first, names = next(r.event for r in model.records), sorted(t.name for t in model.tasks.values())
    check(first == "START", f"it begins with {first}")
    check("ls" in names, f"what was done after it is there: {names}")


@test
def trace_can_stop_when_it_is_full() -> None:
    loop = "for i in $(seq 60); do ls -l /bin | wc -l >/dev/null; done"
    model = load(traced("sh", "-c", loop, options=[
        "--append", "trace=stop-when-full trace_records=2048"]))
    check(model.trace.lost() > 0 and model.records[0].event == "START", "the first events are kept")
    model = load(traced("sh", "-c", loop, options=["--append", "trace_records=2048"]))
    exits = [r for r in model.records if r.event == "EXIT"]
    check(model.trace.lost() > 0 and exits, "otherwise the last ones are")
    check(sum(r.a for r in model.records if r.event == "LOST") == model.trace.lost(), "it says so")


@test
@deterministic
def an_event_costs_at_most_sixty_instructions() -> str:
    """Under icount a nanosecond is an instruction: from the entry of a null call to its return
    there is the call itself, and one event."""
    model = load(traced("/bin/test/traced"))
    calls = [(r, after) for r, after in zip(model.records, model.records[1:])
             if r.event == "SYSCALL" and model.syscall(r.x) == "getppid" and after.event == "SYSRET"]
    shortest = min(after.time - r.time for r, after in calls)
    check(0 < shortest <= EVENT_COST, f"{shortest} instructions")
    return f"{shortest} with a null call's own"


@test
def programs_cannot_harm_the_trace() -> None:
    """user/test/rings.c writes nonsense into rings of its own while the kernel traces."""
    model = load(traced("sh", "-c", "/bin/test/rings && stall --mode=blocking >/dev/null"))
    real = {task.tid for task in model.tasks.values() if task.spans}
    check(all(co.tid in real for co in model.coroutines.values()), "the owner is the kernel's word")
    marks = {(r.x, text_of(r)): r.tid for r in model.records if r.event == "MARK"}
    check(set(marks) == {(42, "half-way"), (43, "forged")}, f"marks {marks}")
    check(model.tasks[marks[43, "forged"]].name == "rings", "a forged mark is whose ring it is in")
    names = {co.label() for stall in model.stalls for co, _, _ in stall.victims}
    check({"ticker 1", "ticker 2", "ticker 3", "ticker 4"} <= names, f"stalled: {names}")


@test
def a_forked_child_has_a_ring_of_its_own() -> None:
    """user/test/co_fork.c forks inside of a coroutine; later 70 threads ask for the 64 rings."""
    path = traced("/bin/test/co_fork", options=["--append", "trace_records=262144", "--mem", "512"])
    report = call([KTRACE, "report", str(path)]).stdout
    model = load(path)
    marks = {text_of(r): r.tid for r in model.records if r.event == "MARK"}
    check(set(marks) == {"child", "parent"} and marks["child"] != marks["parent"], f"marks {marks}")
    child = {co.name: co for co in model.coroutines.values() if co.tid == marks["child"]}
    check(set(child) == {"ticker", "forker"} and all(co.spans for co in child.values()), str(child))
    check("more threads had coroutines than there are rings" in report.split("\n")[0], report[:200])


def alike(kept: fmt.Trace, pulled: fmt.Trace, command: list[str]) -> None:
    """But for what made it: that is not in the guest's memory, which a core is of."""
    check(kept.command.endswith(f"-- {shlex.join(command)}") and not pulled.command,
          f"made by {kept.command!r}, {pulled.command!r}")
    check(kept.header == pulled.header | {"command": kept.command}, f"{kept.header}\n{pulled.header}")
    events = [[(*ring[:4], ring.records.data) for ring in trace.rings] for trace in (kept, pulled)]
    check(events[0] == events[1] and any(ring.records for ring in kept.rings), "other events are in the core")


@test
def a_failed_run_leaves_trace_log_and_core() -> None:
    path = Path(tempfile.mkdtemp(prefix="trace-", dir=ROOT / "build")) / f"failed-{Path(tempfile.mktemp()).name}.ktr"
    folder = ROOT / "build/failed" / path.stem
    for command, options, status in ((["sh", "-c", "echo c >/proc/sysrq-trigger"], [], 125),
                                     (["sh", "-c", "while :; do :; done"], ["--timeout", "2"], 124),
                                     (["sh", "-c", "exit 3"], [], 3)):
        result = call([RUN, "--icount", "--log", str(path.with_suffix(".log")), "--trace", str(path),
                       *options, "--", *command])
        check(result.returncode == status, result.stderr)
        shown = re.findall(r"^  ((?:tools/ktrace report|make gdb) \S+.*)$", result.stderr, re.M)
        check(len(shown) == 2, result.stderr)
        report = call(shown[0].split())
        check(report.returncode == 0 and "sh" in report.stdout, report.stdout + report.stderr)
        check({"trace.ktr", "log", "core", "baton.elf"} == {p.name for p in folder.iterdir()}, "files")
        pulled = call([KTRACE, "pull", str(folder / "core"), "-o", str(path.with_suffix(".pulled"))])
        check(pulled.returncode == 0, pulled.stderr)
        alike(fmt.load(str(folder / "trace.ktr")), fmt.load(str(path.with_suffix(".pulled"))), command)
        if status == 125 and shutil.which("gdb"):
            seen = call(shown[1].split(), stdin="bt\ninfo ktasks\n").stdout
            check("text_write" in seen and "sys_write" in seen, seen)
            check(re.search(r"\binit\b", seen) and re.search(r"\bidle", seen), seen)
    shutil.rmtree(folder)
    shutil.rmtree(path.parent)


@test
def a_machine_that_fails_leaves_all_to_look_into_it() -> None:
    """It is run again for a trace that was not asked for; one that hangs is asked where it is."""
    folder = Path(tempfile.mkdtemp(prefix="evidence-", dir=ROOT / "build"))
    for crash, status, where in (("panic", 125, "crash_panic"), ("hang", 124, "crash_hang"),
                                 ("triple", 126, "")):
        limit = ["--timeout", "1"] if crash == "hang" else []
        result = call([RUN, "--log", f"{folder}.log", *limit, "--evidence", str(folder), "--append",
                       f"crash={crash}", "--", "true"])
        check(result.returncode == status and where in result.stderr, result.stderr)
        shown = re.findall(r"^  ((?:tools/ktrace|make gdb) \S+.*)$", result.stderr, re.M)
        check(len(shown) == 2 and {"log", "core", "baton.elf", "trace.ktr"}
              == {p.name for p in folder.iterdir()}, result.stderr)
        report = call(shown[0].split())
        check(report.returncode == 0 and "init" in report.stdout, report.stdout + report.stderr)
        if where and shutil.which("gdb"):
            stack = call(shown[1].split(), stdin="bt\n").stdout
            check(where in stack, stack)
    shutil.rmtree(folder)
    os.unlink(f"{folder}.log")


@test
def a_failed_run_is_repeated_with_what_it_had_read() -> None:
    """A command that hangs only if it gets its input. One that does not fail again says so."""
    folder = Path(tempfile.mkdtemp(prefix="evidence-", dir=ROOT / "build"))
    for options in ([], ["--icount"]):
        result = call([RUN, *options, "--log", f"{folder}.log", "--timeout", "1", "--evidence",
                       str(folder), "--", "sh", "-c", "read word && while true; do true; done"],
                      stdin="go\n")
        check(result.returncode == 124 and (folder / "trace.ktr").exists(), result.stderr)
        # In a second of real time a busy host gets the guest as far as init, and perhaps not on.
        switches = "count(switch()) > 1" if options else "count(switch()) > 0"
        report = call(["tools/ktrace", "check", str(folder / "trace.ktr"), switches])
        check(report.returncode == 0, report.stdout + report.stderr)
        (folder / "trace.ktr").unlink()
    again = "import sys; from launch import evidence; sys.argv[0] = '/bin/false'; " \
            f"evidence.repeat_traced({str(folder)!r}, 124, [], ['true'], b'', 60)"
    result = call(["python3", "-B", "-c", again], cwd=ROOT / "tools")
    check("it ended with 1:" in result.stderr and {"log", "core", "baton.elf"}
          == {p.name for p in folder.iterdir()}, result.stderr)
    shutil.rmtree(folder)
    os.unlink(f"{folder}.log")
