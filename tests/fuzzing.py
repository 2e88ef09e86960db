"""The fuzzer finds nothing in 100,000 calls (make fuzz makes as many as one likes)."""
import re

from driver import ROOT, call, check, test

GUESTS = (["--calls", "37000"], ["--calls", "26000", "--smp", "4"],
          ["--calls", "37000", "--mem", "32", "--inject"])


@test
def fuzzer_finds_nothing() -> str:
    """On one CPU, on four, and with little memory that also fails on demand."""
    for seed, machine in enumerate(GUESTS, 1):
        result = call([str(ROOT / "tools/fuzz"), *machine, "--seed", str(seed),
                       "--evidence", str(ROOT / "build/failed/fuzzer_finds_nothing")])
        check(result.returncode == 0, result.stdout[-8000:] + result.stderr)
    return f"seeds 1 to {len(GUESTS)}"


@test
def fuzzer_knows_every_call() -> None:
    calls = set(re.findall(r"^    SYSCALL\((\d+), (\w+),", (ROOT / "kernel/syscall/calls.h").read_text(), re.M))
    rows = set(re.findall(r'^    \{"(\w+)", (\d+), ', (ROOT / "user/fuzz/abi.c").read_text(), re.M))
    missing = sorted(name for number, name in calls if (name, number) not in rows)
    check(not missing, f"add rows to user/fuzz/abi.c for {missing}")
