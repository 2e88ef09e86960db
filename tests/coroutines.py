"""The coroutine library with the host's tools; its own tests are user/test/co_*.c."""
import re
import shutil

from driver import call, check, test


@test
def bench_prints_all_rows() -> None:
    result = call(["make", "bench", "BENCH=--short"])
    check(result.returncode == 0, result.stdout + result.stderr)
    for row in (r"six registers by hand, leaving by ret +[\d.]+ +1\.00 +\d+",
                r"co_switch: they and .* +[\d.]+ +[\d.]+ +\d+", r"swapcontext .* [\d.]+ +[\d.]+ +-",
                r"two threads on one CPU .* +[\d.]+ +[\d.]+ +\d+", r"co_switch saves the control words",
                r"\n +10 +\d+ +\d+ +\d+ +\d+ +\d+ +\d+ +\d+", r"\n +1000 +\d+ +\d+ +\d+ +\d+ +\d+",
                r"\n +1 +1 +[\d.]+ +([\d.]+|-) +[\d.]+\n"):
        check(re.search(row, result.stdout), f"no line {row!r} in\n{result.stdout}")
    check(shutil.which("go") or "no go command here" in result.stdout, result.stdout)
    # The CPU's time for a message does not grow with the connections that stand open. (A CPU that
    # shares its core with another one may be half as fast at times.)
    cost = {int(row[1]): float(row[2]) for row in re.finditer(r"\n +(\d+) +10 +([\d.]+) ", result.stdout)}
    check(100 in cost and all(cost[n] < 3 * cost[100] for n in cost), f"{cost}\n{result.stdout}")


@test
def resume_and_yield_end_in_a_jump_to_the_switch() -> None:
    """Nothing is left to do behind co_switch, so that a resume and a yield return but once."""
    code = call(["objdump", "-dr", "--no-show-raw-insn", "build/user/ulib/co/co.o"]).stdout
    for function in ("co_enter", "co_leave"):
        body = re.search(rf"<{function}>:\n(.*?)\n\n", code, re.S)
        way = re.findall(r"(\w+) +\S+ <.*>\n.*R_X86_64_PLT32\s+co_switch-", body[1])
        check(way == ["jmp"], f"{function} goes to co_switch by {way}\n{body[1]}")
