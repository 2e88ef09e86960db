"""What the kernel's calls cost, in instructions: docs/performance.md, and no more."""
import re
import sys

from driver import ROOT, Skipped, check, deterministic, test

sys.path.insert(0, str(ROOT / "tools"))
from benchlib import kernel  # noqa: E402


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
