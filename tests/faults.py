"""Memory that runs out on demand, and the sanitized build, which finds what is wrong."""
import re
import tempfile
from pathlib import Path

from driver import ROOT, RUN, call, check, guest, test
from sanitized import sanitized_build


@test
def nth_allocation_of_a_named_program_fails() -> None:
    """The same one in each run, and then the program goes on as it can."""
    def run(number: str, status: int) -> str:
        return guest("sh", "-c", "ls /proc/self/; wc -c </init >/dev/null || echo failed; "
                     "cat /proc/self/fail-nth",
                     options=["--icount", "--append", f"inject=wc:{number}"], status=status).stdout
    check("failed" not in run("100000", 0) and "fail-nth" in run("100000", 0), "too early")
    once = [run(str(number), 0) for number in range(1, 30)]
    check(any("failed" in text for text in once) and once[7] == run("8", 0), once)
    check("failed" in run("1+", 0), "all failed, and it went well")


@test
def trace_tells_whose_allocation_failed() -> None:
    with tempfile.TemporaryDirectory() as directory:
        trace = f"{directory}/trace.ktr"
        guest("sh", "-c", "wc </init >/dev/null; true",
              options=["--icount", "--append", "inject=wc:1+", "--trace", trace])
        text = call([str(ROOT / "tools/ktrace"), "text", trace]).stdout
        found = re.findall(r"(\S+) \d+ +nomem +asked for at 0x(f\w+)", text)
        check(found and {name for name, _ in found} == {"wc"}, text[-1000:])


@test
def without_the_option_there_is_nothing_of_injection() -> None:
    text = guest("sh", "-c", "ls /proc/self; cat /proc/self/fail-nth 2>&1; true").stdout
    check("status" in text and "fail-nth: No such file" in text, text)


# What the kernel does when the option `crash` asks for it, and what only the checks say of it.
MISTAKES = {
    "shift": r"undefined behaviour at kernel/debug/crash.c:\d+:\d+: shift of 1, .* by 64\n",
    "unheld": r"assert_held\(&a\): it is not held here\n  wanted: ",
    "deadlock": r"lock order: .*\n(.*\n)*  and A under it: crash_deadlock",
    "overflow-slab": r"overflow: written at .*: byte 100 of the 100 .*\n  allocated: crash_overflow_slab",
    "underflow-slab": r"overflow to the front.*: byte -1 of the 100 bytes",
    "use-after-free": r"use after free: written .*: byte 50 of the 100 .*\n  freed: crash_use_after_free",
    "double-free": r"double free .*\n  freed: crash_double_free",
    "use-after-free-page": r"use after free: written .*: byte 50 of a page\n  freed: crash_use_after_free_page",
    "double-free-page": r"reference count: it was 0\n(.*\n)*.* crash_double_free_page",
    "list": r"list: behind \S+ comes",
    "refcount": r"reference count: it was 0\n",
    "smash": r"stack smashed",
}


@test
def sanitized_build_finds_what_is_wrong_and_nothing_else() -> None:
    with tempfile.TemporaryDirectory() as directory:
        tree = sanitized_build(Path(directory) / "baton")
        run = [str(tree / "tools/run"), "--log", f"{directory}/log"]
        for mistake, report in MISTAKES.items():
            result = call([*run, "--append", f"crash={mistake}", "--", "true"], cwd=tree)
            check(result.returncode == 125 and re.search("PANIC: " + report, result.stderr),
                  f"crash={mistake}: {result.stderr}")
        result = call([*run, "--smp", "4", "--timeout", "200", "--append", "inject", "--", "sh", "-c",
                       "cd /tmp; /bin/test/stress --seconds 2 && /bin/test/signals && "
                       "/bin/test/process && /bin/test/leaks_out && /bin/test/frames && "
                       "/bin/test/inject_io"], cwd=tree)
        check(result.returncode == 0 and "not ok" not in result.stdout,
              result.stdout + result.stderr[-3000:])
        result = call([str(tree / "tools/fuzz"), "--smp", "2", "--mem", "32", "--inject", "--seed", "120",
                       "--calls", "20000"], cwd=tree)
        check(result.returncode == 0, result.stdout[-8000:] + result.stderr)


# By what the option `crash` does: what a panic says of it in words.
REFUSED = {
    "null": ("write to a page that is not present, from kernel mode", "at 0x18: near NULL"),
    "user": ("read from a page that is not present, from kernel mode", "at 0x400001: a user address"),
    "readonly": ("write to a page that is read-only,", "the kernel's code, crash_null+0x0"),
    "execute": ("execution in a page that is not executable,", ": the kernel's data"),
    "no-ram": ("direct map, physical 0x40000000000, where no RAM is",),
    "gap": ("write to a page that is not present,", "between kernel stacks: an overflow"),
    "overflow": ("kernel stack overflow: double fault", "a fault while the CPU delivered another one",
                 "between kernel stacks: an overflow"),
    "not-canonical": ("(vector 13, error 0x0)\n  by an address that is not canonical",),
    "selector": ("(vector 13, error 0x108)\n  by the selector 0x108: entry 33 of the GDT",),
}


@test
def panics_say_what_the_cpu_refused() -> None:
    """In lines that the text screen has room for, and with what is on the stack."""
    with tempfile.TemporaryDirectory() as directory:
        for mistake, told in REFUSED.items():
            result = call([RUN, "--log", f"{directory}/log", "--trace", f"{directory}/t.ktr", "--evidence",
                           f"{directory}/kept", "--append", f"crash={mistake}", "--", "true"])
            log = Path(f"{directory}/log").read_text().partition("PANIC: ")[2]
            check(result.returncode == 125 and all(part in log for part in told), f"{mistake}: {told}\n{log}")
            check(all(len(line) <= 80 for line in log.splitlines()), log)
            check(mistake == "overflow" or re.search(r"stack at .*\n(.*\n)*  f\w+ first_task\+0x", log),
                  f"{mistake}: {log}")
