"""user/demo: each lesson's figures and verdicts, in the guest under icount and on the host.

The same binary must come to the same verdicts in both, however busy the host is. The guest's figures
are exact; of the host's only those are looked at that do not depend on how busy it is.
"""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

from driver import HANG, ROOT, Machine, Skipped, call, check, deterministic, guest, test
from terminal import at_terminal

DEMO = ROOT / "build/user/demo"
SHORT = {"stall": ["--wait=300", "--tick=20"], "share": [], "isolate": [], "preempt": [],
         "race": ["--updates=20000"], "deadlock": ["--meals=20"], "parallel": ["--work=1000000"], "fair": ["--time=300"],
         "switchcost": ["--loops=2000"], "ipc": ["--rounds=100", "--chunks=8"]}


def in_guest(name: str, *options: str, append: str = "") -> dict:
    result = guest(name, *options, "--json", options=["--icount", "--append", append])
    report = json.loads(result.stdout)
    check(report["ok"] is True and report["verdict"], result.stdout)
    return report


def on_host(name: str, *options: str, cpu: bool = False, ok: bool = True) -> dict:
    """cpu: on one CPU, as in the guest."""
    prefix = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] if cpu else []
    result = call([*prefix, str(DEMO / name), *options, "--json"])
    report = json.loads(result.stdout)
    check(report["demo"] == name and result.returncode == (not report["ok"]) and report["ok"] == ok
          and len(report["holds"]) == len(report["verdict"]) and all(report["holds"]) == ok,
          f"{result.returncode}: {result.stdout}{result.stderr}")
    return report


@contextlib.contextmanager
def busy_host(processes: int) -> Iterator[None]:
    """Others use the CPUs, too."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


@test
def lessons_hold_on_a_busy_host() -> None:
    with busy_host(4 * len(os.sched_getaffinity(0))):
        for name, options in SHORT.items():
            on_host(name, *options)


@test
def lessons_explain_themselves_and_refuse_wrong_options() -> None:
    for path in sorted(DEMO.iterdir()):
        if path.suffix or not os.access(path, os.X_OK) or path.is_dir():
            continue
        text = call([str(path), "--help"])
        check(text.returncode == 0 and "JSON: " in text.stdout, f"{path.name}: {text.stdout}")
        numbers = [f"{option}={value}" for option in re.findall(r"(--\w+)=N", text.stdout)
                   for value in ("", "-1", "+5", " 5", "nan", "1e3", "9" * 30, "5 ", "0x10", "\n1")]
        for wrong in ("--nothing", "--json=1", "word", "", "--", "\n\033[31m", "x" * 4000, *numbers):
            result = call([str(path), wrong])
            check(result.returncode == 2 and not result.stdout and result.stderr.count("\n") == 1
                  and "\033" not in result.stderr
                  and re.sub(r"[\n\033]", "?", wrong)[:20] in result.stderr, f"{path.name} {wrong!r}: {result.returncode} {result.stdout}{result.stderr}")


@test
def lessons_tell_when_their_output_is_lost() -> None:
    """Standard output is full or closed: status 1 and one line; a file gets what a pipe gets."""
    for name, options in SHORT.items():
        for where in (">/dev/full", ">&-", "--json >/dev/full", "--help >/dev/full"):
            result = call(["sh", "-c", f"{DEMO / name} {' '.join(options)} {where}"])
            check(result.returncode == 1 and result.stderr.startswith(f"{name}: standard output: ")
                  and result.stderr.count("\n") == 1, f"{name} {where}: {result}")
        result = call(["sh", "-c", f"{DEMO / name} {' '.join(options)} --json <&- 2>&-"])
        check(json.loads(result.stdout)["ok"] is True, f"{name}, the rest closed: {result}")


def session_processes(session: int) -> list[int]:
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(pid))
    return found


@test
def lessons_that_are_killed_leave_nobody_behind() -> None:
    """No endless loop, and nobody who waits for ever for one who is gone."""
    lessons = {name: subprocess.Popen([str(DEMO / name), *options], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, start_new_session=True)
               for name, options in {"ipc": ["--rounds=1000000"], "preempt": ["--time=60000"],
                                     "switchcost": ["--loops=10000000"], "fair": ["--time=60000"],
                                     "stall": ["--wait=600000"]}.items()}
    time.sleep(1)
    for lesson in lessons.values():
        lesson.kill()
        lesson.wait()
    for name, lesson in lessons.items():
        end = time.monotonic() + HANG / 4
        while session_processes(lesson.pid) and time.monotonic() < end:
            time.sleep(0.2)
        left = session_processes(lesson.pid)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        check(not left, f"{name}: {len(left)} of its processes live on")


@test
def lessons_move_only_where_there_is_room() -> None:
    """A picture moves by going back as many lines as it has: on a narrow terminal it would be more."""
    for columns, rows, moves in ((80, 24, True), (200, 50, True), (40, 24, False), (80, 6, False)):
        for name in ("stall", "fair", "preempt"):
            command = f"TERM=xterm {DEMO / name} {' '.join(SHORT[name])}"
            status, text = at_terminal(command, columns, rows)
            check(status == 0 and bool(re.search(r"\x1b\[\d+A", text)) == moves,
                  f"{name} at {columns}x{rows}: status {status}, {text!r}")
            check(("(Pictures need 80 columns; here are 40.)" in text) == (columns < 80), f"{name} at {columns}: {text!r}")
            verdicts = re.sub(r"\x1b\[[0-9;]*m", "", text[text.index("[ok]"):]).split("\r\n")
            check(max(map(len, verdicts)) <= min(columns, 80), f"{name} at {columns}: {verdicts}")


@test
def isolate_kills_the_process_and_all_its_threads() -> None:
    for report in (in_guest("isolate"), on_host("isolate")):
        check(report["crashes"] == report["deaths"] == report["as_expected"] == 8
              and report["threads_died_too"] and "8 crashes, 8 deaths" in report["verdict"][0],
              str(report))
    rows = call([str(DEMO / "isolate")]).stdout.split("\n\n")[1]
    check(rows.count("\n") + 1 == 8, rows)


@test
@deterministic
def fair_gives_nine_threads_nine_tenths() -> None:
    for policy in ("fair", "rr"):
        report = in_guest("fair", "--time=2000", append=f"sched={policy}")
        check(88 <= report["many_share_percent"] <= 92, str(report))
        check(all(9 < share < 11 for share in report["thread_share_percent"]), str(report))
    on_host("fair", "--time=2000")


@test
def ipc_counts_only_bytes_that_were_written_and_read() -> None:
    on_host("ipc", "--rounds=200", "--chunks=16")
    report = in_guest("ipc", "--rounds=200", "--chunks=16")
    carriers = [report[way] for way in ("pipe", "socketpair", "shared_memory")]
    check(all(way["wrong_chunks"] == 0 for way in carriers), str(report))
    check(all(way["switches_per_round_trip"] >= 1.9 for way in (*carriers, report["signal"])),
          str(report))
    if Machine.free:
        raise Skipped("it measures time")
    # A MiB has 131072 words: each is an instruction to write, at least, and one to read.
    check(all(way["cpu_us_per_mib"] > 2 * 131.072 for way in carriers), str(report))
    check(report["pipe_over_memory"] > 1.2, str(report))


@test
def lessons_are_plain_lines_when_piped() -> None:
    """Two lines first, no escape code, none longer than 80 columns, verdicts last."""
    for name, options in SHORT.items():
        text = call([str(DEMO / name), *options]).stdout
        lines = text.splitlines()
        check("\033" not in text and "\r" not in text, f"{name}: {text!r}")
        check(lines[1].startswith("Look at") and lines[2] == "", f"{name}: {text}")
        check(max(map(len, lines)) <= 80, f"{name}: {text}")
        check(not any(line != line.rstrip() for line in lines), f"{name}: {text!r}")
        check(re.search(r"\n\n\[(ok|NO)\] [^\n]+(\n(\[(ok|NO)\]|    ) [^\n]+)*\n$", text),
              f"{name}: {text}")


@test
def deadlock_takes_a_circle_and_a_fork_in_hand() -> None:
    for report in (in_guest("deadlock", "--seats=3"), on_host("deadlock", "--seats=8"), on_host("deadlock", "--seats=2")):
        for key, stuck in {"threads_left": True, "threads_lower": False, "coroutines_left": True,
                           "coroutines_whole": False, "coroutines_lower": False}.items():
            way = report[key]
            check(way["stuck"] is stuck and (way["meals"] == 0) is stuck, f"{key}: {report}")


@test
def switchcost_orders_the_switches() -> None:
    on_host("switchcost", "--loops=5000")
    if Machine.free:
        raise Skipped("it measures time")
    report = in_guest("switchcost", "--loops=5000")
    costs = report["costs"]
    check(list(costs.values()) == sorted(costs.values()), str(costs))
    check(report["unit"] == "instructions" and "refill" not in report, str(report))
    check(costs["coroutine_switch"] < 100 < costs["thread_switch"] < 1000, str(costs))


@test
def share_tells_apart_process_thread_and_coroutine() -> None:
    for report in (in_guest("share"), on_host("share")):
        check(not any(report["process"].values()) and all(report["coroutine"].values()), str(report))
        check([key for key, shared in report["thread"].items() if not shared]
              == ["tid", "thread_local_variable", "errno"], str(report))


@test
def share_proves_nothing_by_one_who_changed_nothing() -> None:
    """No file can be opened: that the starter does not see one is no proof that it has its own."""
    result = call(["sh", "-c", f"ulimit -n 3; {DEMO / 'share'} --json"])
    report = json.loads(result.stdout)
    check(result.returncode == 1 and report["holds"] == [False] * 3, result.stdout)


@test
def race_reports_what_an_update_costs() -> None:
    """And not what stands between read and write; and it loses some even of few, on one CPU."""
    on_host("race", "--updates=1000", cpu=True)
    report = in_guest("race", "--updates=1000")
    if Machine.free:
        raise Skipped("it measures time")
    cost = {key: way["instructions_per_update"] for key, way in report.items() if isinstance(way, dict)}
    check(cost["threads_atomic"] < cost["threads_plain"] + 1 < 8 < cost["threads_mutex"] < 100, str(cost))


@test
def race_loses_updates_only_where_a_switch_can_come_between() -> None:
    for report in (in_guest("race"), on_host("race")):
        lost = {key: value["lost_updates"] for key, value in report.items()
                if isinstance(value, dict)}
        check([key for key, count in lost.items() if count]
              == ["threads_plain", "coroutines_yield_amidst"], str(report))


@test
def parallel_with_one_cpu_says_what_it_needs() -> None:
    for report in (in_guest("parallel") if Machine.cpus == 1 else on_host("parallel", cpu=True),
                   on_host("parallel", cpu=True)):
        check(report["cpus"] == 1 and "tools/run --smp 4" in report["verdict"][0], str(report))


@test
def parallel_is_proved_by_order() -> None:
    """Two that see each other move while neither was switched out; coroutines of a loop never do.
    (On a busy host: lessons_hold_on_a_busy_host.)"""
    reports = [(json.loads(guest("parallel", "--json", options=["--smp", "2", "--icount"]).stdout), "slow"),
               (json.loads(guest("parallel", "--json", options=["--smp", "2"]).stdout), "quick")]
    for report, how in reports:
        check(report["cpus"] > 1 and report["ok"] and (how == "quick" or not Machine.free), str(report))
        for way in (report["threads_meet"], report["loops_meet"]):
            check(way[how] > 0 and way["switches"] == 0, str(report))
            check(how == "quick" or way["quick"] == 0, str(report))
        check(report["coroutines_meet"]["seen_looking"] == 0, str(report))
        check(report["coroutines_meet"]["seen_after_yield"] > 0, str(report))


@test
def preempt_stops_processes_but_not_coroutines() -> None:
    """What took the CPU from them was the kernel: they never gave it away."""
    for report in (in_guest("preempt"), on_host("preempt")):
        check(all(report["processes"]) and report["turns"] >= 4, str(report))
        check(report["voluntary_switches"] < report["turns"] <= report["forced_switches"] + 2, str(report))
        check(report["coroutines"][0] > 0 and report["coroutines"][1] == 0, str(report))
        check(report["second_afterwards"] > 0 and report["forced_switches_of_first"] >= 2, str(report))


@test
def runtimes_tell_who_is_left_to_tick() -> None:
    """Those that each host has. The others: make runtimes; the chapter has a row for each of their ways."""
    told = call(["tools/runtimes", "--only", "coroutines,threads,asyncio"])
    check(told.returncode == 0 and "[NO]" not in told.stdout and told.stdout.count("[ok]") == 5, told.stdout + told.stderr)
    seen = re.findall(r"^    thread \d+ slept in (\S+) .*?[;,] (.*)$", told.stdout, re.M)
    check([call for call, _ in seen] == ["read()", "a", "read()", "read()", "a"], told.stdout)
    check(seen[0][1] == seen[3][1] == "nobody else of its process ran" and "5 others" in seen[2][1], told.stdout)
    stalled = call(["tools/ktrace", "report", "build/runtimes/asyncio-blocking.ktr"]).stdout
    check(re.search(r"event loop of python3 \d+ stalled by read\(\) for 4", stalled), stalled)
    for wrong in (["--only", "cobol"], ["--only", ""], ["--on", "x"], ["go"]):
        refused = call(["tools/runtimes", *wrong])
        check(refused.returncode == 2 and refused.stderr.count("\n") == 1, refused.stderr)
    source = (ROOT / "tools/runtimes").read_text()
    ways = re.findall(r'\("\w+", "([^"]+)", (True|False)\)', source)
    rows = re.findall(r"^\| [^|`]+ \| `([^`]+)` \| (all|nobody) \|", (ROOT / "docs/runtimes.md").read_text(), re.M)
    check(sorted(rows) == sorted((call, {"True": "all", "False": "nobody"}[flows]) for call, flows in ways), f"{rows}")
