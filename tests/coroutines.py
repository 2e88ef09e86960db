"""The coroutine library with the host's tools; its own tests are user/test/co_*.c."""
import re

from driver import call, check, test


@test
def bench_prints_all_rows() -> None:
    result = call(["make", "bench", "BENCH=--short"])
    check(result.returncode == 0, result.stdout + result.stderr)
    for row in (r"six registers by hand, leaving by ret +[\d.]+ +1\.00 +\d+",
                r"co_switch: they and .* +[\d.]+ +[\d.]+ +\d+", r"swapcontext .* [\d.]+ +[\d.]+ +-",
                r"two threads on one CPU .* +[\d.]+ +[\d.]+ +\d+", r"co_switch saves the control words",
                r"\n +10 +\d+ +\d+ +\d+ +\d+ +\d+ +\d+ +\d+", r"\n +1000 +\d+ +\d+ +\d+ +\d+ +\d+"):
        check(re.search(row, result.stdout), f"no line {row!r} in\n{result.stdout}")
