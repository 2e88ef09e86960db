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


@test
def resume_and_yield_end_in_a_jump_to_the_switch() -> None:
    """Nothing is left to do behind co_switch, so that a resume and a yield return but once."""
    code = call(["objdump", "-dr", "--no-show-raw-insn", "build/user/ulib/co/co.o"]).stdout
    for function in ("co_enter", "co_leave"):
        body = re.search(rf"<{function}>:\n(.*?)\n\n", code, re.S)
        way = re.findall(r"(\w+) +\S+ <.*>\n.*R_X86_64_PLT32\s+co_switch-", body[1])
        check(way == ["jmp"], f"{function} goes to co_switch by {way}\n{body[1]}")
