"""gdb with Baton's commands: scripts in tests/gdb, their output masked and compared.

tests/gdb/NAME.gdb is a list of commands, tests/gdb/NAME.txt what they print. What depends on the
compiler or on other parts of the kernel is masked (tools/gdb/tolerance.py). With UPDATE=1 the files
are written instead.
"""
import os
import re
import shlex
import shutil
import sys
import tempfile
import unicodedata
from pathlib import Path

from driver import HANG, ROOT, Skipped, call, check, test
from ktracelib import format as fmt
from ktracelib.states import CR3_LOADED

sys.path.insert(0, str(ROOT / "tools/gdb"))
import tolerance  # noqa: E402


def gdb(name: str, *arguments: str, package: bool = True, locale: str = "") -> str:
    """Run the commands of a script, whatever becomes of each; what they printed, masked."""
    if shutil.which("gdb") is None:
        raise Skipped("no gdb here: tools/setup test")
    environment = ["env", f"LC_ALL={locale}"] if locale else []
    return call([*environment, "tools/gdb/listing", *([] if package else ["--stock"]), f"tests/gdb/{name}.gdb",
                 *arguments], limit=HANG).stdout


def compare(name: str, *arguments: str, package: bool = True) -> str:
    text = gdb(name, *arguments, package=package)
    golden, masked = ROOT / f"tests/gdb/{name}.txt", tolerance.masked(text)
    if os.environ.get("UPDATE"):
        golden.write_text(masked)
    elif b"clang version" in (ROOT / "build/baton.elf").read_bytes():
        raise Skipped("clang inlines other functions: its frames differ")
    elif masked != golden.read_text():
        diff = call(["diff", "-u", str(golden), "-"], stdin=masked).stdout
        check(False, f"{diff}\n(UPDATE=1 tests/run {name}... writes the file)\n{text[-3000:]}")
    return text


def idle_keeps_tables(live: str) -> None:
    """Which process slept last is a matter of some instructions: CR3 is loaded if it was another one."""
    trace = fmt.load(str(ROOT / "build/test-gdb.ktr"))
    before, last = [r for r in trace.records if r.event == "SWITCH"][-2:]
    loaded = bool(last.flags & CR3_LOADED)
    check(before.x == 0 and loaded == (before.tid != last.x), f"{before}\n{last}")
    check(re.search(r"switch +to sleep 3: preempt(.*)", live)[1] == ", CR3 loaded" * loaded, live)


@test
def gdb_shows_a_live_machine_and_its_core() -> None:
    """The core also without our commands."""
    idle_keeps_tables(compare("live"))
    compare("core", "build/baton.elf", "build/test-gdb.core")
    text = compare("stock", "build/baton.elf", "build/test-gdb.core", package=False)
    check('"sh"' in text and "task_wait" in text, text)


@test
def gdb_runs_to_each_kind_of_switch() -> None:
    text = gdb("switches")
    for kind in ("kernel thread", "process", "thread"):
        found = re.search(rf"(?m)^{kind} switch on CPU 0: (.*) -> (.*)$", text)
        check(found, f"no {kind} in\n{text}")
        stages = re.findall(r"(?m)^  (\w+) +switch_\w+ +rsp (\w+), stack of (.+)$",
                            text[found.end():])
        check([s[0] for s in stages[:3]] == ["before", "at", "after"], f"{stages}\n{text}")
        check(stages[1][2] == stages[2][2] == found[2], f"{stages}\n{text}")
        check(int(stages[2][1], 16) == int(stages[1][1], 16) + 48, "six registers are loaded")
    thread, process = (text[text.index(f"\n{kind} switch"):] for kind in ("thread", "process"))
    check("CR3 does not change" in thread.split("saved:")[0], thread)
    check("; CR3 0x" in process.split("saved:")[0], process)
    check(re.search(r"futex\(0x\w+, 9, ", text), text)


@test
def kswitch_leaves_out_tables_that_exec_loads() -> None:
    """They are loaded by mm_switch, too, but not for a switch: the next one goes to idle, and borrows them."""
    text = gdb("exec_switch")
    check(re.search(r"kernel thread switch on CPU 0: sleep \(2\) -> idle.*\nsleep \(2\) is sleeping "
                    r"\(nanosleep\); CR3 does not change", text), text)


@test
def gdb_shows_coroutines_and_who_stalls_them() -> None:
    text = compare("coroutines")
    check(text.count("STALLED by reader") >= 4, text)
    compare("coroutines_core", "build/baton.elf", "build/test-gdb-coro.core")


@test
def gdb_shows_names_of_any_bytes_and_damaged_lists() -> None:
    """user/test/names.c; in any locale, and with lists that lead in a circle or nowhere."""
    for charset in ("C", "C.UTF-8"):
        text = gdb("names", locale=charset)
        wrong = re.findall("Traceback|Python Exception|Error occurred|codec|\\x1b|\\\\n.*thread", text)
        check(not wrong, f"{charset}: {wrong}\n{text[-6000:]}")
        for said in ("\\x1b[31mred", "two\\nlines", "<!--<script>", "größe" if charset == "C.UTF-8" else "gr\\xf6",
                     "a list runs in a circle", "a list leads to no memory", "coroutines runs in a circle",
                     "coroutines leads to no memory"):
            check(said in text, f"{charset}: no {said!r} in\n{text[-6000:]}")
    named = (ROOT / "build/test-gdb-names.core.gdb").read_text()
    check(all(line.startswith("thread apply ") for line in named.splitlines()), named)


@test
def gdb_commands_say_what_is_wrong() -> None:
    compare("errors")


@test
def gdb_takes_symbols_of_the_program_that_runs() -> None:
    """Not of another one of its name: here an echo that is seq, and a file of the host's before uname."""
    folder = ROOT / "build/user/a-test"
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "build/user/test/co_io", folder / "uname")
    try:
        text = gdb("programs")
    finally:
        shutil.rmtree(folder)
    shown = re.findall(r"(?m)^symbols of (.*)$", text)
    check(shown == ["no program", "build/user/bin/sh", *["build/user/bin/uname"] * 2], text)
    check("echo (3): its program has no symbols here" in text and "in ?? ()" in text
          and re.search(r"main \(argc=.* at user/bin/uname\.c:", text.partition("uname (4): uname")[2]), text)


@test
def gdb_shows_every_cpu() -> None:
    text = gdb("smp")
    check(re.search(r"CPU 0, fair: runs .*\n(?: .*\n)*CPU 1, fair: runs ", text), text)
    check(re.search(r"seq \(\d+\): exit_group\(0\)", text), text)


@test
def backtrace_holds_at_each_instruction_of_a_system_call() -> None:
    """Two instructions are between the stacks: the user's rsp is nowhere on the new one yet."""
    text = gdb("entry")
    found = re.search(r"(\d+) of (\d+) backtraces reach main", text)
    check(found and int(found[2]) > 100 and int(found[2]) - int(found[1]) == 2, text[-3000:])


@test
def replay_goes_back_over_a_switch() -> None:
    folder = ROOT / "build/test-recording"
    shutil.rmtree(folder, ignore_errors=True)
    result = call(["tools/run", "--record", str(folder), "--log", str(folder) + ".log", "--",
                   "sh", "-c", "echo hi | cat"])
    check(result.stdout == "hi\n" and result.returncode == 0, result.stderr)
    compare("replay")


@test
def make_gdb_takes_commands_with_any_quotes() -> None:
    command = """echo "it's" 'two  words'"""
    result = call(["make", "-s", "gdb", f"CMD={command}"],
                  stdin="python import baton.machine; print(baton.machine.Machine.options[-1])\nkill\nquit\n")
    check("Baton is stopped at its first instruction" in result.stdout and command in result.stdout,
          result.stdout + result.stderr)


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


@test
def gdb_output_fits_the_terminal() -> None:
    """At 80 columns, and 50: with four CPUs and names as long as can be, of letters two columns wide."""
    text, limit = gdb("widths", locale="C.UTF-8"), 80
    check("一二三四五" in text and "一二三四五六七" in text and "pipe write" in text, text)
    for line in text.splitlines():
        if line.startswith("(gdb) set width "):
            limit = int(line.split()[-1])
        elif not line.startswith(("(gdb) ", "Breakpoint", "$ ")):
            check(columns(line) <= limit, f"{columns(line)} columns, not {limit}: {line}\n{text}")
    check(limit == 50, text)


@test
def gdb_commands_explain_themselves() -> None:
    """`help` of each: lines that fit, and a usage; and whatever else is given, that usage in one line."""
    listed = call(["gdb", "-nx", "-batch", "-x", "tools/gdb/load.py", "-ex", "kernel", "build/baton.elf"]).stdout
    names = re.findall(r"(?m)^((?:info )?\w+) +[A-Z]", listed)
    check(len(names) > 15, listed)
    for name in names:
        text = call(["gdb", "-nx", "-batch", "-x", "tools/gdb/load.py", "-ex", f"help {name}", "-ex",
                     f"{name} a b c d", "build/baton.elf"])
        check(f"\nUsage: {name}" in text.stdout and all(columns(line) <= 80 for line in text.stdout.splitlines()),
              text.stdout)
        check(text.stderr.count("\n") == 1, f"{name} a b c d: {text.stderr}")


@test
def the_book_shows_gdb_as_a_reader_meets_it() -> None:
    """Its sessions begin with what is typed in a shell, and are as a terminal of 80 columns shows them."""
    chapters = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    for path in (ROOT / "docs/gdb").glob("*.gdb"):
        check(path.read_text().startswith("$ make "), f"{path}: its first line is no command of the shell")
        block = re.search(rf"listing docs/gdb/{path.name} -->\n```\n(.*?)```", chapters, re.S)
        check(block and all(columns(line) <= 80 for line in block[1].splitlines()), f"{path} is not there or too wide")


@test
def panic_stays_on_the_text_screen() -> None:
    """Its 25 lines begin with what is wrong; what does not fit is in the log."""
    for mistake, told in (("null", "a page that is not present"), ("deep", "crash_deep")):
        text = call(["gdb", "-nx", "-batch", "-x", "tools/gdb/load.py", "-ex",
                     f"kstart --kernel --append crash={mistake}", "-ex", "break machine_exit", "-ex", "continue",
                     "-ex", "source tests/gdb/screen.py", "build/baton.elf"]).stdout
        screen = text.partition("screen:\n")[2]
        check(screen.startswith("PANIC: ") and told in screen and screen.count("\n") >= 20, text)


def picture_at_the_end_of(directory: str, command: str) -> bytes:
    """Of the text screen, without its lowest row, where the cursor blinks."""
    path = Path(directory) / "screen.ppm"
    call(["gdb", "-nx", "-batch", "-x", "tools/gdb/load.py", "-ex", f"kstart -- sh -c {shlex.quote(command)}", "-ex",
          "break machine_exit", "-ex", "continue", "-ex", f"monitor screendump {path}", "build/baton.elf"])
    pixels = path.read_bytes().partition(b"\n255\n")[2]
    path.unlink()
    return pixels[:len(pixels) // 25 * 24]


@test
def text_screen_shows_the_last_lines_however_far_it_has_scrolled() -> None:
    """Its memory has room for 204 lines, and then it goes on at the beginning, with those that are shown."""
    with tempfile.TemporaryDirectory() as directory:
        wanted = picture_at_the_end_of(directory, "clear; seq 547 570")
        check(len(set(wanted)) > 1, "the screen is empty")
        check(picture_at_the_end_of(directory, "seq 1 570") == wanted, "another picture after 570 lines")
        check(picture_at_the_end_of(directory, "seq 471 570") == wanted, "another picture after 100 lines")


@test
def gdb_shows_the_queue_of_any_policy() -> None:
    text = call(["gdb", "-nx", "-batch", "-x", "tools/gdb/load.py", "-ex",
                 "kstart --append sched=rr -- sh -c 'yes >/dev/null & yes >/dev/null & sleep 9'", "-ex",
                 "break hang_tick if runqueues[0].runnable > 0 && runqueues[0].running->tid > 2", "-ex",
                 "continue", "-ex", "kq", "build/baton.elf"]).stdout
    check(re.search(r"CPU 0, rr: runs \w+ \(?\d.*ready, .*\n  \w+ .*nice 0, ran \d+\.\d+ ms\n", text), text)


@test
def gdb_stops_at_a_triple_fault() -> None:
    text = call(["gdb", "-nx", "-batch", "-x", "tools/gdb/load.py", "-ex", "kstart --append crash=triple -- true",
                 "-ex", "continue", "-ex", "bt 1", "build/baton.elf"])
    check("a triple fault: gdb has the machine" in text.stdout and "crash_triple" in text.stdout,
          text.stdout + text.stderr)


@test
def gdb_without_a_machine_or_an_input_says_so() -> None:
    """Not what the kernel's file has in its variables; and no command out of a file that gdb opens."""
    for name in ("info ktasks", "kq", "kwait", "klocks", "kdmesg", "kmaps", "kfds", "kwalk 1", "ktask 1"):
        result = call(["gdb", "-nx", "-batch", "-x", "tools/gdb/load.py", "-ex", name, "build/baton.elf"])
        check("nothing to look at" in result.stderr and not result.stdout.strip(),
              f"{name}: {result.stdout}{result.stderr}")
    result = call(["sh", "-c", "make -s gdb CMD=true <&-"])
    check("Undefined command" not in result.stdout + result.stderr and "Baton is stopped" in result.stdout,
          result.stdout + result.stderr)


@test
def core_of_a_panic_shows_the_task_that_panicked() -> None:
    """It has the registers of one CPU: they are its task's, and no other's."""
    with tempfile.TemporaryDirectory() as directory:
        call(["tools/run", "--log", f"{directory}/log", "--trace", f"{directory}/t.ktr", "--evidence", directory,
              "--append", "crash=null", "--", "true"])
        text = call(["gdb", "-nx", "-batch", "-x", "tools/gdb/load.py", "-ex", "ktask 1", "-ex", "ktask 0",
                     f"{directory}/baton.elf", f"{directory}/core"]).stdout
        check(re.search(r"task init \(1\): running\n#0 .* in crash_null ", text)
              and re.search(r"task idle \(0\): idle\n#1 .* in schedule ", text), text)
