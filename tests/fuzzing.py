"""The fuzzer finds nothing in 50,000 calls (make fuzz makes as many as one likes)."""
import re
import subprocess

from driver import ROOT, call, check, test

GUESTS = (["--calls", "18500"], ["--calls", "13000", "--smp", "4"],
          ["--calls", "18500", "--mem", "32", "--inject"])


@test
def fuzzer_finds_nothing() -> str:
    """On one CPU, on four, and with little memory that also fails on demand."""
    for seed, machine in enumerate(GUESTS, 1):
        result = call([str(ROOT / "tools/fuzz"), *machine, "--seed", str(seed),
                       "--evidence", str(ROOT / "build/failed/fuzzer_finds_nothing")])
        check(result.returncode == 0, result.stdout[-8000:] + result.stderr)
    return f"seeds 1 to {len(GUESTS)}"


@test
def fuzzer_refuses_what_it_cannot_read_or_write_in_one_line() -> None:
    for words in (["--decode", "/no/core"], ["--decode", "/"], ["--decode", f"{ROOT}/README.md"],
                  ["--calls", "1", "--evidence", "/dev/null/x/y"]):
        result = call([str(ROOT / "tools/fuzz"), *words])
        check(result.returncode == 2 and result.stderr.startswith("tools/fuzz: /") and result.stderr.count("\n") == 1,
              f"{words}: {result}")
    cut = subprocess.run(f"{ROOT}/tools/fuzz --help | true; {ROOT}/tools/fuzz --decode /bin/sh | head -c0",
                         shell=True, capture_output=True, text=True)
    check("Traceback" not in cut.stderr, cut.stderr)


@test
def fuzzer_refuses_calls_that_it_does_not_know() -> None:
    for only in ("nothing", "fork,nothing", "^read,nothing"):
        result = call([str(ROOT / "tools/fuzz"), "--only", only, "--calls", "9"])
        check(result.returncode == 2 and result.stderr == "tools/fuzz: no call is named nothing\n", f"{only}: {result}")


@test
def fuzzer_knows_every_call() -> None:
    calls = set(re.findall(r"^    SYSCALL\((\d+), (\w+),", (ROOT / "kernel/syscall/calls.h").read_text(), re.M))
    rows = set(re.findall(r'^    \{"(\w+)", (\d+), ', (ROOT / "user/fuzz/abi.c").read_text(), re.M))
    missing = sorted(name for number, name in calls if (name, number) not in rows)
    check(not missing, f"add rows to user/fuzz/abi.c for {missing}")
