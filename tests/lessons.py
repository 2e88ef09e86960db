"""user/demo: each lesson's figures and verdicts, in the guest under icount and on the host.

The same binary must come to the same verdicts in both; the guest's figures are exact, the host's
are not looked at, for it may be busy.
"""
import json
import os

from driver import ROOT, Machine, call, check, deterministic, guest, test

DEMO = ROOT / "build/user/demo"


def in_guest(name: str, *options: str, append: str = "") -> dict:
    result = guest(name, *options, "--json", options=["--icount", "--append", append])
    report = json.loads(result.stdout)
    check(report["ok"] is True and report["verdict"], result.stdout)
    return report


def on_host(name: str, *options: str) -> dict:
    result = call([str(DEMO / name), *options, "--json"])
    check(result.returncode == 0, f"{result.returncode}: {result.stdout}{result.stderr}")
    report = json.loads(result.stdout)
    check(report["ok"] is True and report["demo"] == name, result.stdout)
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
    on_host("fair", "--time=2000")


@test
def ipc_memory_outruns_the_pipe() -> None:
    on_host("ipc", "--rounds=200", "--chunks=16")
    report = in_guest("ipc", "--rounds=200", "--chunks=16")
    if not Machine.free:
        check(report["memory_over_pipe"] > 4, str(report))
    check(all(report[way]["works"] for way in ("pipe", "shared_memory", "signal")), str(report))
