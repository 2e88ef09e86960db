"""user/demo: each lesson's figures and verdicts, in the guest under icount and on the host.

The same binary must come to the same verdicts in both. The guest's figures are exact; of the host's
only those are looked at that do not depend on how busy it is.
"""
import json
import os
import re
import signal
import subprocess
import time

from driver import HANG, ROOT, Machine, Skipped, call, check, deterministic, guest, test

DEMO = ROOT / "build/user/demo"


def in_guest(name: str, *options: str, append: str = "") -> dict:
    result = guest(name, *options, "--json", options=["--icount", "--append", append])
    report = json.loads(result.stdout)
    check(report["ok"] is True and report["verdict"], result.stdout)
    return report


def on_host(name: str, *options: str, cpu: bool = False, measures: bool = False) -> dict:
    """cpu: on one CPU, as in the guest. measures: it measures time, and a busy host may well give
    another result; that it runs, and gives one, is all that can be asked."""
    prefix = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] if cpu else []
    result = call([*prefix, str(DEMO / name), *options, "--json"])
    report = json.loads(result.stdout)
    check(report["demo"] == name and result.returncode == (not report["ok"])
          and (report["ok"] or measures), f"{result.returncode}: {result.stdout}{result.stderr}")
    return report


@test
def lessons_explain_themselves_and_refuse_wrong_options() -> None:
    for path in sorted(DEMO.iterdir()):
        if path.suffix or not os.access(path, os.X_OK) or path.is_dir():
            continue
        text = call([str(path), "--help"])
        check(text.returncode == 0 and "JSON: " in text.stdout, f"{path.name}: {text.stdout}")
        for wrong in ("--nothing", "--json=1", "word"):
            result = call([str(path), wrong])
            check(result.returncode == 2 and not result.stdout and wrong in result.stderr,
                  f"{path.name} {wrong}: {result.returncode} {result.stdout}{result.stderr}")


@test
def isolate_kills_the_process_and_all_its_threads() -> None:
    for report in (in_guest("isolate"), on_host("isolate")):
        check(report["crashes"] == report["deaths"] == report["as_expected"] == 7
              and report["threads_died_too"], str(report))


@test
@deterministic
def fair_gives_nine_threads_nine_tenths() -> None:
    for policy in ("fair", "rr"):
        report = in_guest("fair", "--time=2000", append=f"sched={policy}")
        check(88 <= report["many_share_percent"] <= 92, str(report))
        check(all(9 < share < 11 for share in report["thread_share_percent"]), str(report))
    on_host("fair", "--time=2000", measures=True)


@test
def ipc_memory_outruns_the_pipe() -> None:
    on_host("ipc", "--rounds=200", "--chunks=16", measures=True)
    if Machine.free:
        raise Skipped("it measures time")
    report = in_guest("ipc", "--rounds=200", "--chunks=16")
    check(report["memory_over_pipe"] > 4, str(report))
    check(all(report[way]["works"] for way in ("pipe", "shared_memory", "signal")), str(report))


@test
@deterministic
def stall_silences_the_siblings_and_has_two_cures() -> None:
    """Blocking: no ticker ticks during the wait; aware and threads: never silent for two ticks."""
    blocking, aware, threads = in_guest("stall", "--wait=400", "--tick=20")["modes"]
    for mode in (blocking, aware, threads):
        check(400 <= mode["wait_ms"] < 401 and len(mode["lanes"]) == 4, str(mode))
    for lane in blocking["lanes"]:
        check(400 <= lane["longest_silence_ms"] <= 440, str(blocking))
    check(blocking["culprit"] == "reader" and blocking["longest_stall_ms"] >= 400, str(blocking))
    for mode in (aware, threads):
        check(all(lane["longest_silence_ms"] <= 40 for lane in mode["lanes"]), str(mode))
        check(mode["ticks_while_waiting"] >= 4 * 18, str(mode))


@test
def stall_switches_no_coroutine_while_its_thread_is_blocked() -> None:
    """The order of events, no clock: another process twice finds the reader's thread asleep, and
    from its call to its answer no coroutine ran. Aware: many did."""
    for report in (in_guest("stall", "--wait=1000"), on_host("stall", "--wait=1000")):
        blocking, aware, threads = report["modes"]
        check(blocking["reader_states_seen"] == threads["reader_states_seen"] == ["S", "S"],
              f"{blocking} {threads}")
        check(blocking["coroutine_switches_while_blocked"] == 0
              and blocking["ticks_while_waiting"] == 0, str(blocking))
        check(aware["coroutine_switches_while_blocked"] > 4 and aware["ticks_while_waiting"] > 4
              and threads["ticks_while_waiting"] > 4, f"{aware} {threads}")
        check("ticker" in blocking["verdict"] and "reader" in blocking["verdict"], str(blocking))


@test
def stall_holds_on_a_host_that_stops() -> None:
    """Nobody ticks while the host runs none of it, whenever that is: no reason to doubt the lesson."""
    process = subprocess.Popen([str(DEMO / "stall"), "--wait=400", "--tick=20"], text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
    for _ in range(4):
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGCONT)
    text = process.communicate(timeout=HANG)[0]
    check(process.returncode == 0 and text.count("\n[ok] ") == 3, text)


@test
def stall_plays_one_mode_and_checks_its_options() -> None:
    if Machine.free:
        raise Skipped("it measures time")
    report = in_guest("stall", "--mode=aware", "--wait=50", "--tick=10", "--tickers=8")
    check([mode["mode"] for mode in report["modes"]] == ["aware"]
          and len(report["modes"][0]["lanes"]) == 8, str(report))
    for wrong in ("--mode=both", "--mode=", "--wait=soon", "--tickers=9", "--tick"):
        check(call([str(DEMO / "stall"), wrong]).returncode == 2, wrong)


@test
def lessons_are_plain_lines_when_piped() -> None:
    """Two lines first, no escape code, none longer than 80 columns, verdicts last."""
    for name, options in (("stall", ["--wait=300", "--tick=20"]), ("share", []), ("isolate", []),
                          ("preempt", []), ("race", ["--updates=20000"]), ("parallel", []),
                          ("fair", ["--time=300"]), ("switchcost", ["--loops=2000"]),
                          ("ipc", ["--rounds=100", "--chunks=8"])):
        text = call([str(DEMO / name), *options]).stdout
        lines = text.splitlines()
        check("\033" not in text and "\r" not in text, f"{name}: {text!r}")
        check(lines[1].startswith("Look at") and lines[2] == "", f"{name}: {text}")
        check(max(map(len, lines)) <= 80, f"{name}: {text}")
        check(not any(line != line.rstrip() for line in lines), f"{name}: {text!r}")
        check(re.search(r"\n\n\[(ok|NO)\] [^\n]+(\n(\[(ok|NO)\]|    ) [^\n]+)*\n$", text),
              f"{name}: {text}")


@test
def make_demo_plays_the_stall_lesson() -> None:
    """It plays stall --mode=all in the guest; its last lines are the three verdicts."""
    result = call(["make", "-s", "demo"])
    check(result.returncode == 0, result.stdout + result.stderr)
    verdicts = re.findall(r"^\[ok\] .*(?:\n     .*)*", result.stdout, re.M)
    check(len(verdicts) == 3 and "was silent for" in verdicts[0]
          and "culprit: reader" in verdicts[0].replace("\n     ", " ")
          and result.stdout.rstrip().endswith(verdicts[2].rstrip()), result.stdout)


@test
def switchcost_orders_the_switches() -> None:
    on_host("switchcost", "--loops=5000", measures=True)
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
def preempt_stops_processes_but_not_coroutines() -> None:
    for report in (in_guest("preempt"), on_host("preempt")):
        check(all(report["processes"]), str(report))
        check(report["coroutines"][0] > 0 and report["coroutines"][1] == 0, str(report))
