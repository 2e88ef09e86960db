"""What a coroutine switch costs, a coroutine, and a message.

On the host in nanoseconds of CPU time, the median of several rounds in one run, with ratios; and in
the guest under icount in instructions. Messages are echoed over many connections, beside Go's
goroutines where there is a go command, and threads.
"""
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = str(ROOT / "build/user/bench/host")
GUEST = str(ROOT / "build/user/bench/guest")
ECHO = ROOT / "build/user/bench/echo"
ECHO_GO = ROOT / "build/user/bench/echo_go"
ACTIVE = 10  # connections; all others only stand open
GUEST_COUNT = 20000  # there every round is like the other

SWITCHES = {
    "six_registers_ret": "six registers by hand, leaving by ret",
    "six_registers_jmp": "six registers by hand, leaving by pop and jmp",
    "co_switch": "co_switch: they and MXCSR and the x87 control word",
    "resume_yield_pair": "co_resume and co_yield: there and back",
    "yield_now_2": "co_yield_now in a run loop of 2",
    "yield_now_1000": "co_yield_now in a run loop of 1000",
    "thread_switch": "two threads on one CPU hand over by futex",
    "swapcontext": "swapcontext of the host's C library",
}


def figures(command: list[str]) -> dict[str, float]:
    """The medians of what a program prints, by name."""
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"bench: {' '.join(command)}: status {result.returncode}\n{result.stderr}")
    values: dict[str, list[float]] = {}
    for name, value in re.findall(r"^(\w+) ([\d.]+)$", result.stdout, re.MULTILINE):
        values.setdefault(name, []).append(float(value))
    return {name: statistics.median(of_it) for name, of_it in values.items()}


def in_guest(arguments: str) -> dict[str, float]:
    return figures([str(ROOT / "tools/run"), "--icount", "--mem", "1024", "--add", f"{GUEST}:/bin/bench",
                    "--", "sh", "-c", f"bench {arguments}"])


def switches(rounds: int, count: int) -> None:
    host = figures([HOST, "switches", str(rounds), str(count)])
    guest = in_guest(f"switches 1 {GUEST_COUNT}")
    base = host["six_registers_ret"]
    print(f"{'a switch':52} {'host, ns':>9} {'ratio':>7} {'guest, instructions':>20}")
    for name, text in SWITCHES.items():
        instructions = f"{guest[name]:.0f}" if name in guest else "-"
        print(f"{text:52} {host[name]:9.1f} {host[name] / base:7.2f} {instructions:>20}")
    ratio = host["co_switch"] / base
    print(f"co_switch saves the control words and takes {ratio:.2f} of the six-register switch's time: "
          f"{'ok' if ratio <= 1.1 else 'MORE THAN 1.1'}")


def creation(counts: list[int]) -> None:
    print(f"{'coroutines':>10} {'create, ns':>12} {'first resume':>13} {'end':>9} {'bytes each':>11}"
          f" {'guest: create':>14} {'first resume':>13} {'end':>9}")
    for n in counts:
        host = figures([HOST, "creation", str(n)])
        guest = in_guest(f"creation {n}")
        print(f"{n:10} {host[f'create_{n}']:12.0f} {host[f'first_resume_{n}']:13.0f}"
              f" {host[f'end_{n}']:9.0f} {host[f'bytes_{n}']:11.0f} {guest[f'create_{n}']:14.0f}"
              f" {guest[f'first_resume_{n}']:13.0f} {guest[f'end_{n}']:9.0f}")


def build_go() -> str:
    """Empty, or why there is no benchmark in Go."""
    if not shutil.which("go"):
        return "no go command here"
    # a module is not needed, and the cache is ours: nothing of the user's is read or changed
    settings = {"GO111MODULE": "off", "GOCACHE": str(ROOT / "build/user/bench/go"), "GOFLAGS": "",
                "GOTOOLCHAIN": "local"}
    result = subprocess.run(["go", "build", "-o", str(ECHO_GO), str(ROOT / "user/bench/echo.go")],
                            capture_output=True, text=True, env=os.environ | settings)
    return "go build failed: " + result.stderr.strip().replace("\n", "; ") if result.returncode else ""


def echo_cost(command: list[str], rounds: int) -> tuple[float | None, str]:
    """Microseconds a message, on one CPU; or None, and why there is no figure."""
    costs = []
    for _ in range(rounds):
        cpu = {min(os.sched_getaffinity(0))}
        result = subprocess.run(command, capture_output=True, text=True,
                                preexec_fn=lambda: os.sched_setaffinity(0, cpu))
        if result.returncode:
            return None, result.stderr.strip() or f"status {result.returncode}"
        costs.append(float(result.stdout.split()[1]))
    return statistics.median(costs), ""


def echo(rounds: int, messages: int) -> None:
    no_go = build_go()
    reasons = {f"Go: {no_go}"} if no_go else set()
    coroutines = {}
    print(f"{'echo: connections':>20} {'us a message:':>14} {'goroutines':>11} {'threads':>9}\n"
          f"{'open':>10} {'active':>9} {'coroutines':>14}")
    for connections in (1, 100, 1000, 4500):
        numbers = [str(connections), str(min(ACTIVE, connections)), str(messages)]
        cells = []
        for kind, command in (("coroutines", [str(ECHO), "coroutines"]), ("Go", [str(ECHO_GO)]),
                              ("threads", [str(ECHO), "threads"])):
            cost, why = (None, "") if kind == "Go" and no_go else echo_cost([*command, *numbers], rounds)
            cells.append("-" if cost is None else f"{cost:.2f}")
            if why:
                reasons.add(f"{kind}, {connections} connections: {why}")
            if kind == "coroutines" and cost is not None:
                coroutines[connections] = cost
        print(f"{connections:10} {numbers[1]:>9} {cells[0]:>14} {cells[1]:>11} {cells[2]:>9}")
    for reason in sorted(reasons):
        print(reason)
    if {100, 4500} <= coroutines.keys():
        ratio = coroutines[4500] / coroutines[100]
        print(f"with 4500 open a message costs coroutines {ratio:.2f} of what it costs with 100: "
              f"{'ok' if ratio <= 1.5 else 'NOT FLAT'}")


def tables(short: bool) -> None:
    switches(*(3, 20000) if short else (11, 1000000))
    print()
    creation([10, 1000] if short else [10, 1000, 100000])
    print()
    echo(*(1, 5000) if short else (5, 50000))
