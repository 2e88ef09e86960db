"""What the kernel's calls cost, in instructions, and what they cost beside 10, 100, 1,000, 10,000 others.

Under icount that is the same in each run, so docs/performance.md has the figures, and a test compares.
"""
import re
import sys
from pathlib import Path

from launch import host

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = ROOT / "build/user/bench/kernel"
KERNEL = ROOT / "build/baton.elf"
BOOK = ROOT / "docs/performance.md"
CHINESE = ROOT / "docs/zh/performance.md"  # has the same tables
SIZES = (10, 100, 1000, 10000)
MADE_BY = "compiled with |数字来自用 "  # and the compiler's name, in both
NEAR, OTHER_COMPILER = 0.03, 0.15  # how far a figure may be from what is written
Figures = dict[str, float]


def run(options: list[str], arguments: str, linux: str | None = None) -> Figures:
    """What the guest's program prints, on a machine with such options: figures by name."""
    command = [str(ROOT / "tools/run"), *options, "--mem", "1024", "--timeout", "300",
               "--add", f"{PROGRAM}:/bin/kernel", *(["--linux", linux] if linux else []),
               "--", "kernel", *arguments.split()]
    result = host.call(command, text=True)
    found = re.findall(r"^(\w+) ([\d.]+)\r?$", result.stdout, re.MULTILINE)
    if result.returncode or not found:
        sys.exit(f"bench: {' '.join(command)}: status {result.returncode}\n{result.stderr}")
    return {name: float(value) for name, value in found}


def measure(arguments: str, linux: str | None = None) -> Figures:
    """The same, where one instruction is one nanosecond."""
    return run(["--icount"], arguments, linux)


def compiler() -> str:
    """The one that made the kernel, as it says itself."""
    made_by = re.search(rb"GNU C\d+ (\d+)\.|clang version (\d+)", KERNEL.read_bytes())
    if not made_by:
        return "unknown"
    return f"gcc {made_by[1].decode()}" if made_by[1] else f"clang {made_by[2].decode()}"


def number(value: float) -> str:
    return f"{value:,.0f}"


def lines_of_book() -> list[str]:
    return BOOK.read_text(encoding="utf-8").splitlines()


def written_compiler() -> str:
    return next((found[1] for line in lines_of_book() if (found := re.search(r"compiled with (\w+ \d+)", line))),
                "unknown")


def written(columns: int) -> dict[str, list[float | None]]:
    """The figures of the tables' lines that have so many columns of Baton's, by name; None: no figure."""
    figures = {}
    for line in lines_of_book():
        cells = [cell.strip() for cell in line.strip("| ").split("|")]
        if re.fullmatch(r"`\w+`", cells[0]) and len(cells) == columns + 3:
            figures[cells[0].strip("`")] = [float(cell.replace(",", "")) if cell != "-" else None
                                            for cell in cells[2:2 + columns]]
    return figures


def differences(measured: Figures, book: dict[str, list[float | None]], column: int) -> list[str]:
    """What is not as it is written; a figure that is not there, too."""
    near = NEAR if compiler() == written_compiler() else OTHER_COMPILER
    wrong = [f"{name}: not in {BOOK.name}" for name in measured.keys() - book.keys()]
    for name, columns in book.items():
        expected = columns[column]
        if expected is None:
            continue
        if name not in measured:
            wrong.append(f"{name}: not measured")
        elif abs(measured[name] - expected) > near * expected:
            wrong.append(f"{name}: {number(measured[name])}, and {number(expected)} is written")
    return sorted(wrong)


def update(page: Path, rows: Figures, growth: dict[int, Figures]) -> None:
    """Put Baton's figures where the page has its own."""
    made_by, lines = rf"\1{compiler()}", []
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = line.split("|")
        name = cells[1].strip(" `") if len(cells) > 2 else ""
        if name in rows and len(cells) == 6:
            cells[3] = f" {number(rows[name])} "
        elif len(cells) == 5 + len(SIZES):
            for i, size in enumerate(SIZES):
                if name in growth.get(size, {}):
                    cells[3 + i] = f" {number(growth[size][name])} "
        lines.append(re.sub(rf"({MADE_BY})\w+ \d+", made_by, "|".join(cells)) + "\n")
    page.write_text("".join(lines), encoding="utf-8")


def print_rows(rows: Figures, linux: Figures) -> None:
    print(f"{'instructions for one':32} {'Baton':>10} {'Linux':>10}")
    for name, value in rows.items():
        print(f"{name:32} {number(value):>10} {number(linux[name]) if name in linux else '-':>10}")


def print_growth(growth: dict[int, Figures], kernel: str) -> None:
    print(f"{'instructions beside so many: ' + kernel:36}" + "".join(f"{number(n):>10}" for n in growth))
    for name in next(iter(growth.values())):
        print(f"{name:36}" + "".join(f"{number(found[name]) if name in found else '-':>10}"
                                     for found in growth.values()))


def tables(short: bool, linux: str | None, write: bool) -> None:
    sizes = SIZES[:2] if short else SIZES
    rows = measure("rows")
    growth = {size: measure(f"growth {size}") for size in sizes}
    print_rows(rows, measure("rows", linux) if linux else {})
    print()
    print_growth(growth, "Baton")
    if linux:
        print()
        print_growth({size: measure(f"growth {size}", linux) for size in sizes[:3]}, "Linux")
    if write:
        for page in BOOK, CHINESE:
            update(page, rows, growth)
