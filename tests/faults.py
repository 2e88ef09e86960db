"""Memory that runs out on demand, and the sanitized build, which finds what is wrong."""
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from driver import ROOT, call, check, guest, test
from fuzzing import UNCURED


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


def sanitized_build(directory: str) -> Path:
    """A copy of the source, built with all checks, those of locking among them."""
    tree = Path(directory) / "baton"
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True,
                           capture_output=True, check=True).stdout.splitlines()
    for name in names:
        if (ROOT / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
    result = call(["make", "-j2", "SANITIZE=1", "all"], cwd=tree)
    check(result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:])
    return tree


@test
def sanitized_build_finds_what_is_wrong_and_nothing_else() -> None:
    with tempfile.TemporaryDirectory() as directory:
        tree = sanitized_build(directory)
        run = [str(tree / "tools/run"), "--smp", "4"]
        text = call([*run, "--append", "crash=shift", "--", "true"], cwd=tree).stderr
        check("undefined behaviour at kernel/arch/exit.c:" in text
              and "shift of 1, which is 'long unsigned int', by 64" in text, text)
        text = call([*run, "--append", "crash=deadlock", "--", "true"], cwd=tree).stderr
        check("lock order: two CPUs could wait for each other" in text, text)
        check(len(re.findall(r"(here A was taken|and B under it|elsewhere B was taken|and A under it)"
                             r": crash_if_asked", text)) == 4, text)
        result = call([*run, "--timeout", "200", "--", "sh", "-c",
                       "cd /tmp; /bin/test/stress --seconds 2 && /bin/test/signals && "
                       "/bin/test/process && /bin/test/leaks_out && /bin/test/frames"], cwd=tree)
        check(result.returncode == 0 and "not ok" not in result.stdout,
              result.stdout + result.stderr[-3000:])
        result = call([str(tree / "tools/fuzz"), "--smp", "2", "--mem", "32", "--inject", "--seed", "120",
                       "--calls", "20000", "--only", UNCURED], cwd=tree)
        check(result.returncode == 0, result.stdout[-8000:] + result.stderr)
