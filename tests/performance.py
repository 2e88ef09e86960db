"""What the kernel's calls cost, in instructions: docs/performance.md, and no more."""
import re
import shutil
import sys
import tempfile
from pathlib import Path

from driver import ROOT, Skipped, call, check, deterministic, test

sys.path.insert(0, str(ROOT / "tools"))
from benchlib import kernel, smp  # noqa: E402


def skip_if_slow() -> None:
    if re.search("SANITIZE|DEBUG", (ROOT / "build/flags").read_text(encoding="utf-8")):
        raise Skipped("a kernel that checks itself takes longer")


@test
@deterministic
def calls_cost_what_the_book_says() -> str:
    skip_if_slow()
    wrong = kernel.differences(kernel.measure("rows"), kernel.written(1), 0)
    check(not wrong, "\n".join([*wrong, "on purpose? tools/bench kernel --update"]))
    return f"compiled with {kernel.compiler()}"


@test
@deterministic
def calls_grow_as_the_book_says() -> str:
    """Beside 10 and 1,000; what grows shows there."""
    skip_if_slow()
    wrong = []
    for column, size in ((0, 10), (2, 1000)):
        found = kernel.differences(kernel.measure(f"growth {size}"), kernel.written(len(kernel.SIZES)), column)
        wrong += [f"{size}: {line}" for line in found]
    check(not wrong, "\n".join([*wrong, "on purpose? tools/bench kernel --update"]))
    return f"compiled with {kernel.compiler()}"


@test
def figures_are_written_down_in_both_languages() -> None:
    with tempfile.TemporaryDirectory() as directory:
        for page in kernel.BOOK, kernel.CHINESE:
            copy = Path(directory) / page.name
            copy.write_text(page.read_text(encoding="utf-8"), encoding="utf-8")
            kernel.update(copy, {"null_call": 12345.0}, {10: {"sleep_beside_sleepers": 54321.0}})
            text = copy.read_text(encoding="utf-8")
            check("| 12,345 |" in text and "| 54,321 |" in text and kernel.compiler() in text, page.name)
            check(text.count("\n") == page.read_text(encoding="utf-8").count("\n"), "other lines stay")


@test
def bench_says_what_is_not_built_and_how_to() -> None:
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory)
        shutil.copytree(ROOT / "tools", tree / "tools")
        (tree / "build").mkdir()
        (tree / "build/baton32.elf").touch()
        for table, names in (("coroutines", ("host", "guest", "echo")), ("kernel", ("kernel",)), ("smp", ("kernel",)),
                             ("all", ("host", "guest", "echo", "kernel"))):
            result = call([str(tree / "tools/bench"), table])
            command = "make all " + " ".join(f"build/user/bench/{name}" for name in names)
            check(result.returncode == 2 and command in result.stderr and result.stderr.count("\n") == 1,
                  f"{table}: status {result.returncode}\n{result.stderr}")


@test
def figures_of_several_cpus_are_beside_those_of_one() -> None:
    rates = [{"calls": 2000.0}, {"calls": 3000.0}, {"calls": 1000.0, "pipes": 5.0}]
    check(smp.cells("calls", rates).split() == ["2,000.0", "1.50", "0.50"], smp.cells("calls", rates))
    check(smp.cells("pipes", rates).split() == ["-", "-", "-"], "there is no figure of one CPU")
