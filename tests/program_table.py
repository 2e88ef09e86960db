"""The table of programs: what nobody here has built, on the host and in the guest, and what it takes to start
each, beside Linux in the same QEMU. For `make test-programs`: it takes minutes, and what the host does not
have is left out and said so.

python3 tests/program_table.py [--docs] [NAME...]     --docs: and write the table into docs/programs.md
"""
import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from driver import HANG, ROOT, RUN, call
from guest_tests import linux_kernel
from program_rows import PROGRAMS
from programs import SETUP, here, place
from launch import host
from launch.pool import Pool  # noqa: E402

OTHER_SOURCES = ROOT / "tests/others"
TABLE = re.compile(r"(<!-- table of make test-programs -->\n).*?(<!-- end -->\n)", re.S)
CHINESE = "| 程序 | 与主机上一样 | 启动所需的千条指令 | Linux 上 |"
GROUP = 20  # programs whose start is measured in one guest
TOOLS = ["bash", "sort", "cat", "mkdir", "head", "tail", "tr", "echo", "printf", "rm", "seq", "ln", "touch", "wc", "cp", "sleep"]


def missing(name: str) -> list[str]:
    return [program for program in (name.split()[0], *PROGRAMS[name].needs.split()) if not here(program) and name != "go program"]


def brought(programs: Iterable[str]) -> list[str]:
    return [word for program in programs if (path := place(program)) for word in ("--add", path)]


def added(name: str, other: str) -> list[str]:
    """The options that bring it."""
    row = PROGRAMS[name]
    if row.build:
        return ["--add", f"{other}:/bin/other", *brought(row.needs.split())]
    wanted = [name.split()[0], *row.needs.split()]
    return brought(dict.fromkeys(wanted))


def in_guest(script: str, options: list[str], memory: int = 1536) -> str:
    """Its seconds are the guest's, but with Linux, which ends nothing itself, the host's."""
    limit = 10 * HANG if "--linux" in options else HANG // 2
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script)
        file.flush()
        return call([RUN, "--mem", str(memory), "--timeout", str(limit), "--icount", *options, *brought(TOOLS), "--add", f"{file.name}:/script",
                     "--", "bash", "/script"], limit=10 * HANG).stdout


def compare(name: str, folder: Path) -> tuple[str, str]:
    """What it prints on the host and in the guest."""
    text = f"export LC_ALL=C TMPDIR=/tmp\n{SETUP}\n(\n{PROGRAMS[name].text}\n) 2>&1\necho status $?"
    work = folder / "work"
    work.mkdir()
    host = subprocess.run(["bash", "-c", text.replace("/tmp", str(work))], text=True, capture_output=True, stdin=subprocess.DEVNULL, cwd=work,
                          env={"PATH": f"{folder}:/usr/bin:/bin:/usr/sbin", "HOME": str(work)}, errors="replace").stdout
    begin = "mkdir -p /tmp/work; cd /tmp/work; export PATH=/usr/bin:/bin HOME=/tmp/work; exec < /dev/null\n"
    guest = in_guest(begin + text.replace("/tmp", "/tmp/work"), added(name, str(folder / "other")))
    return host.replace(str(work), "/tmp/work"), guest


def outcome(name: str, folder: Path) -> tuple[str, str, str]:
    """What the host lacks for it, what it prints here, and there."""
    folder.mkdir()
    build = PROGRAMS[name].build.replace("{out}", str(folder / "other")).replace("{in}", str(OTHER_SOURCES))
    lacking = " ".join(missing(name))
    if not lacking and build and call(["sh", "-c", build]).returncode:
        lacking = build
    return (lacking, "", "") if lacking else ("", *compare(name, folder))


def starts_of(group: list[str], folders: dict[str, Path], options: list[str]) -> dict[str, int]:
    """Microseconds of the guest, one for a thousand instructions, from fork to exit of the second start."""
    script, bringing = "export PATH=/bin LC_ALL=C HOME=/tmp\nexec < /dev/null\n", []
    for number, name in enumerate(group):
        other = f"other{number}"
        bringing += [word.replace(":/bin/other", f":/bin/{other}") for word in added(name, str(folders[name] / "other"))]
        start = re.sub(r"^other", other, PROGRAMS[name].start)
        script += f"for i in 1 2; do a=$EPOCHREALTIME; {start} > /dev/null 2>&1; b=$EPOCHREALTIME; done; echo $((${{b/./}} - ${{a/./}})) {name}\n"
    said = in_guest(script, [*options, *bringing], 3072)
    return {name: int(time) for time, name in re.findall(r"(?m)^(\d+) (.+)$", said) if name in group}


def starts(pool: Pool, names: list[str], folders: dict[str, Path], options: list[str]) -> dict[str, int]:
    groups = [names[at:at + GROUP] for at in range(0, len(names), GROUP)]
    return {name: time for found in pool.map(lambda group: starts_of(group, folders, options), groups) for name, time in found.items()}


def write_docs(lines: list[str]) -> None:
    for path, header in ((ROOT / "docs/programs.md", lines[0]), (ROOT / "docs/zh/programs.md", CHINESE)):
        path.write_text(TABLE.sub(lambda found: found[1] + "".join(f"{line}\n" for line in [header, *lines[1:]]) + found[2], path.read_text()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--same", action="store_true", help="only whether they print the same")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROGRAMS))
    args = parser.parse_args()
    if unknown := set(args.names) - PROGRAMS.keys():
        parser.error(f"no row is named {unknown.pop()}")
    wanted, same, theirs = args.names or list(PROGRAMS), {}, {}
    with tempfile.TemporaryDirectory() as top, Pool() as pool:
        folders = {name: Path(top, name.replace(" ", "-")) for name in wanted}
        for name, (lacking, host, guest) in zip(wanted, pool.map(lambda name: outcome(name, folders[name]), wanted)):
            if lacking:
                print(f"{name:30} not on this host: {lacking}", flush=True)
                continue
            same[name] = host == guest
            print(f"{name:30} {'same' if same[name] else 'different'}", flush=True)
            if not same[name]:
                print(f"--- on the host\n{host}--- in the guest\n{guest}---", flush=True)
        if args.same:
            return not all(same.values())
        measured, linux = [name for name in same if PROGRAMS[name].start], linux_kernel()
        ours = starts(pool, measured, folders, [])
        if linux:
            theirs = starts(pool, measured, folders, ["--linux", str(linux)])
    lines = ["| program | as on the host | thousand instructions to start | under Linux |", "|---|---|---|---|"]
    lines += [f"| {name} | {'yes' if yes else '**no**'}{PROGRAMS[name].note and ': ' + PROGRAMS[name].note} | {ours.get(name, '-')} | "
              f"{theirs.get(name, '-')} |" for name, yes in same.items()]
    print("\n".join(lines))
    if args.docs:
        write_docs(lines)
    return not all(same.values())


if __name__ == "__main__":
    sys.exit(host.run(main, "tests/program_table.py", 2))
