"""What a coroutine switch costs, a coroutine, and a message.

On the host in nanoseconds of CPU time, the least of many short rounds, with ratios; and in the guest
under icount in instructions. Beside them stand other libraries that are found on the host, measured in
the same run by small programs (user/bench/others). Messages are echoed over many connections, beside
Go's goroutines where there is a go command, and threads.
"""
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from launch import host

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = str(ROOT / "build/user/bench/host")
GUEST = str(ROOT / "build/user/bench/guest")
ECHO = ROOT / "build/user/bench/echo"
ECHO_GO = ROOT / "build/user/bench/echo_go"
ACTIVE = 10  # connections; all others only stand open
GUEST_COUNT = 20000  # there every round is like the other

SWITCHES = {
    "six_registers_jmp": "six registers by hand, leaving by jmp",
    "six_registers_ret": "and leaving by ret",
    "co_switch": "co_switch: and the control words",
    "resume_yield_pair": "co_resume and co_yield: a pair",
    "yield_now_2": "co_yield_now in a run loop of 2",
    "yield_now_1000": "co_yield_now in a run loop of 1000",
    "create_end": "co_create, its end, co_destroy",
    "thread_switch": "two threads hand over by futex",
    "swapcontext": "swapcontext of the host's C library",
}
OTHERS = {  # what is measured: its source, and what the compiler is told
    "Boost.Context": ("boost_context.cpp", ["-lboost_context"]),
    "Boost.Fiber": ("boost_fiber.cpp", ["-lboost_fiber", "-lboost_context"]),
    "minicoro": ("minicoro.c", ["-DNDEBUG"]),
    "libaco": ("libaco.c", ["-laco"]),
    "Go": ("go.go", []),
}
ROWS_OF_OTHERS = {  # with a line for each other that has it
    "resume_yield_pair": ("Boost.Context", "minicoro", "libaco", "Go"),
    "yield_now_2": ("Boost.Fiber", "Go"),
    "yield_now_1000": ("Boost.Fiber", "Go"),
    "create_end": ("Boost.Context", "Boost.Fiber", "minicoro", "libaco", "Go"),
}
MISSING = re.compile(r"fatal error: \S+: No such file|'\S+' file not found|cannot find -l|unable to find library")


def figures(command: list[str]) -> dict[str, float]:
    """The least of what a program prints, by name."""
    result = host.call(command, text=True)
    if result.returncode:
        sys.exit(f"bench: {' '.join(command)}: status {result.returncode}\n{result.stderr}")
    values: dict[str, float] = {}
    for name, value in re.findall(r"^(\w+) ([\d.]+)$", result.stdout, re.MULTILINE):
        values[name] = min(float(value), values.get(name, float(value)))
    return values


def in_guest(arguments: str) -> dict[str, float]:
    return figures([str(ROOT / "tools/run"), "--icount", "--mem", "1024", "--add", f"{GUEST}:/bin/bench",
                    "--", "sh", "-c", f"bench {arguments}"])


def build_other(name: str) -> tuple[str, str]:
    """The program that measures it; or none, and why."""
    source, options = OTHERS[name]
    path, program = ROOT / "user/bench/others" / source, ROOT / "build/user/bench/others" / Path(source).stem
    program.parent.mkdir(parents=True, exist_ok=True)
    if program.exists() and program.stat().st_mtime > path.stat().st_mtime:
        return str(program), ""
    if path.suffix == ".go":
        why = build_go(path, program)
    else:
        compiler = ["c++", "-std=c++17"] if path.suffix == ".cpp" else ["cc"]
        if not shutil.which(compiler[0]):
            return "", "no compiler"
        why = build([*compiler, "-O2", "-o", str(program), str(path), *options], None)
    return ("" if why else str(program)), why


def build(command: list[str], settings: dict[str, str] | None) -> str:
    """Empty, or why not."""
    result = subprocess.run(command, capture_output=True, text=True, env=os.environ | (settings or {}) | {"LC_ALL": "C"})
    if not result.returncode:
        return ""
    return "not installed" if MISSING.search(result.stderr) else result.stderr.strip().splitlines()[0]


def print_switch(text: str, value: float, base: float, instructions: str = "") -> None:
    print(f"{text:38} {value:9.1f} {value / base:9.2f} {instructions:>20}".rstrip())


def switches(repeats: int, rounds: int, count: int) -> None:
    """All take turns, so that what slows the machine for a while does not hit one of them alone."""
    built = {name: build_other(name) for name in OTHERS}
    programs = {"": [HOST, "switches"]} | {name: [program] for name, (program, _) in built.items() if program}
    least: dict[str, dict[str, float]] = {name: {} for name in programs}
    for _ in range(repeats):
        for name, program in programs.items():
            for row, value in figures([*program, str(rounds), str(count)]).items():
                least[name][row] = min(value, least[name].get(row, value))
    guest, host = in_guest(f"switches 1 {GUEST_COUNT}"), least[""]
    base = host["six_registers_jmp"]
    print(f"{'a switch':38} {'host, ns':>9} {'ratio':>9} {'guest, instructions':>20}")
    for row, text in SWITCHES.items():
        print_switch(text, host[row], base, f"{guest[row]:.0f}" if row in guest else "-")
        for name in ROWS_OF_OTHERS.get(row, ()):
            if name in least:
                print_switch("  " + name, least[name][row], base)
            else:
                print(f"  {name:36} {built[name][1]}")
    for row, than, aim in (("co_switch", "the six-register switch", 1.1), ("resume_yield_pair", "Boost.Context", 1.25)):
        beside = base if row == "co_switch" else least.get(than, {}).get(row)
        if beside:
            ratio = host[row] / beside
            print(f"{row} takes {ratio:.2f} of the time of {than}: "
                  f"{'ok' if ratio <= aim else f'more than the aim of {aim}'}")


def creation(counts: list[int]) -> None:
    print(f"{'coroutines':>10} {'create, ns':>12} {'first resume':>13} {'end':>9} {'bytes each':>11}"
          f" {'guest: create':>14} {'first resume':>13} {'end':>9}")
    for n in counts:
        host = figures([HOST, "creation", str(n)])
        guest = in_guest(f"creation {n}")
        print(f"{n:10} {host[f'create_{n}']:12.0f} {host[f'first_resume_{n}']:13.0f}"
              f" {host[f'end_{n}']:9.0f} {host[f'bytes_{n}']:11.0f} {guest[f'create_{n}']:14.0f}"
              f" {guest[f'first_resume_{n}']:13.0f} {guest[f'end_{n}']:9.0f}")


def build_go(source: Path, program: Path) -> str:
    """Empty, or why there is no program in Go."""
    if not shutil.which("go"):
        return "not installed"
    # a module is not needed, and the cache is ours: nothing of the user's is read or changed
    return build(["go", "build", "-o", str(program), str(source)],
                 {"GO111MODULE": "off", "GOCACHE": str(ROOT / "build/user/bench/go"), "GOFLAGS": "",
                  "GOTOOLCHAIN": "local"})


def echo_cost(command: list[str], rounds: int) -> tuple[float | None, str]:
    """Microseconds a message, on one CPU; or None, and why there is no figure."""
    costs = []
    for _ in range(rounds):
        cpu = {min(os.sched_getaffinity(0))}
        result = host.call(command, text=True,
                           preexec_fn=lambda: os.sched_setaffinity(0, cpu))
        if result.returncode:
            return None, result.stderr.strip() or f"status {result.returncode}"
        costs.append(float(result.stdout.split()[1]))
    return statistics.median(costs), ""


def echo(rounds: int, messages: int) -> None:
    no_go = build_go(ROOT / "user/bench/echo.go", ECHO_GO)
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
    switches(*(1, 3, 5000) if short else (6, 8, 20000))
    print()
    creation([10, 1000] if short else [10, 1000, 100000])
    print()
    echo(*(1, 5000) if short else (5, 50000))
