"""The coroutine library with the host's tools; its own tests are user/test/co_*.c."""
import re
import sys
import tempfile
from pathlib import Path

from driver import ROOT, call, check, test

sys.path.insert(0, str(ROOT / "tools"))
from benchlib import coroutines, smp  # noqa: E402


@test
def bench_prints_all_rows() -> None:
    result = call(["make", "bench", "BENCH=--short"])
    check(result.returncode == 0, result.stdout + result.stderr)
    for row in (r"six registers by hand, leaving by jmp +[\d.]+ +1\.00 +\d+",
                r"co_switch: .* +[\d.]+ +[\d.]+ +\d+", r"swapcontext .* [\d.]+ +[\d.]+ +-",
                r"two threads hand over .* +[\d.]+ +[\d.]+ +\d+", r"co_switch takes [\d.]+ of the time",
                r"\n +10 +\d+ +\d+ +\d+ +\d+ +\d+ +\d+ +\d+", r"\n +1000 +\d+ +\d+ +\d+ +\d+ +\d+",
                r"\n +1 +1 +[\d.]+ +([\d.]+|-) +[\d.]+\n", *(f"\n{text} +[\\d,.]+ +[\\d.]+\n" for text in smp.ROWS.values())):
        check(re.search(row, result.stdout), f"no line {row!r} in\n{result.stdout}")
    for row, others in coroutines.ROWS_OF_OTHERS.items():  # a figure for each, or why there is none
        there = result.stdout.split(coroutines.SWITCHES[row])[1].splitlines()[1:]
        for name, line in zip(others, there):
            check(re.fullmatch(rf"  {name} +([\d.]+ +[\d.]+|not installed|no compiler)", line), f"{row}, {name}: {line!r}")
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


LAYER_1 = ["co.c", "stack.c", "switch.asm", "sys.c", "trace.c"]  # trace.c knows all layers and calls none
ALONE = """#include <co.h>
#include <stdio.h>
static void *counts(void *in)
{
    for (;;) {
        in = co_yield((char *)in + 1);
    }
}
int main(void)
{
    struct co *co = co_create(counts, NULL);
    void *out = NULL;
    for (int turn = 0; turn < 3; turn++) {
        co_resume(co, out, &out);
    }
    printf("%ld %d\\n", (long)out, co_destroy(co));
}
"""


@test
def a_coroutine_needs_no_run_loop() -> None:
    """Layer 1 links and works without the files of the layers above it, and does not know their headers."""
    with tempfile.TemporaryDirectory() as directory:
        source = Path(directory) / "alone.c"
        source.write_text(ALONE)
        objects = [f"build/user/ulib/co/{name.removesuffix('.c')}.o" for name in LAYER_1]
        result = call(["gcc", "-no-pie", "-pthread", "-idirafter", "user/ulib/include", "-o", f"{directory}/alone",
                       str(source), *objects])
        check(result.returncode == 0, result.stderr)
        result = call([f"{directory}/alone"])
        check(result.stdout == "3 0\n", result.stdout + result.stderr)
    for name in {*LAYER_1, "internal.h", "sanitize.h", "trace.h"} - {"trace.c"}:
        above = re.findall(r'#include "(loop|interest)\.h"', (ROOT / "user/ulib/co" / name).read_text())
        check(not above, f"{name} includes {above}")
