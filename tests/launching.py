"""tools/run as its user meets it: what a guest can make it believe, how much it keeps of what a guest
says, and what it says of whatever is wrong with the host or the command: one line that names it."""
import io
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

from driver import HANG, ROOT, RUN, Failed, call, check, hear_signals, program, test

sys.path.insert(0, str(ROOT / "tools"))
from launch import archive, companions, turns, wire  # noqa: E402
from launch.host import LaunchError  # noqa: E402

def one_line(result: subprocess.CompletedProcess, status: int, *said: str) -> None:
    check(result.returncode == status and result.stderr.count("\n") == 1
          and result.stderr.startswith("tools/run: ") and all(part in result.stderr for part in said),
          f"status {result.returncode}, not {status} and one line with {said}:\n{result.stderr}")


@test
def no_program_reports_a_status_that_is_not_its_own() -> None:
    """tests/guest/forge.c tries, in each way that a program has."""
    with tempfile.TemporaryDirectory() as directory:
        forge, log = program(directory, "tests/guest/forge.c"), f"{directory}/log"
        for way in ("read", "open", "init", "kill", "child", "words"):
            result = call([RUN, "--icount", "--log", log, "--add", forge, "--", "forge", way])
            check(result.returncode == 77, f"{way}: status {result.returncode}\n{result.stdout}{result.stderr}")
            kept = Path(log).read_text()
            check("forged" not in kept and "the number is in" not in result.stdout, f"{way}: {kept}")
        for way, said in (("off", "powered off before COMMAND had ended"), ("restart", "the guest restarted"),
                          ("halt", "powered off before COMMAND had ended")):
            result = call([RUN, "--icount", "--log", log, "--trace", f"{directory}/t.ktr", "--evidence",
                           f"{directory}/kept", "--add", forge, "--", "forge", way])
            check(result.returncode == 126 and said in result.stderr, f"{way}: {result.stderr}")


@test
def what_a_guest_says_is_kept_within_bounds() -> None:
    """Lines, and a flood without a newline: the beginning and the end are in the file."""
    with tempfile.TemporaryDirectory() as directory:
        for piece, pieces in ((b"x" * 65536, 700), (b"a line\n" * 9000, 700)):
            log = wire.Log(f"{directory}/log", "")
            taken = wire.Wire(log, "00")
            taken.take(b"the first\n")
            for _ in range(pieces):
                taken.take(piece)
                check(len(taken.partial) <= wire.LINE_MAX and log.last_size <= wire.LOG_LAST, "in memory")
            taken.take(b"\nthe last\n@baton 00 status 5\n@baton 00 status 6\n")
            taken.end()
            log.close()
            text = Path(f"{directory}/log").read_bytes()
            check(len(text) <= wire.LOG_FIRST + wire.LOG_LAST + 100, f"{len(text)} bytes")
            check(text.startswith(b"the first\n") and text.endswith(b"the last\n"), "its ends")
            check(text.count(b"bytes of the log are left out here]\n") == 1, "it says so")
            check(log.lines()[-1] == "the last" and taken.status == 5, "the first status is the status")
        log = wire.Log("/dev/full", "")
        log.add(b"x")
        log.close()
        check("No space left" in log.trouble, log.trouble)
        try:
            wire.Log(f"{directory}/none/log", "")
            raise Failed("a log in no folder")
        except LaunchError:
            pass


def with_qemu(directory: str, script: str) -> dict[str, str]:
    """An environment with another QEMU, which runs where its lines are."""
    fake = Path(directory) / "qemu-system-x86_64"
    fake.write_text(f"#!/bin/sh\necho >>{directory}/runs\n{script}\n")
    fake.chmod(0o755)
    return os.environ | {"PATH": f"{directory}:{os.environ['PATH']}"}


@test
def a_machine_that_dies_early_is_repeated_once() -> None:
    """Before there is a trace: the repetition fails the same way, and is not repeated."""
    with tempfile.TemporaryDirectory() as directory:
        environment = with_qemu(directory, "echo PANIC: early >s1.out; exit 35")
        result = subprocess.run([RUN, "--log", f"{directory}/log", "--evidence", f"{directory}/kept", "--",
                                 "true"], env=environment, text=True, capture_output=True)
        check(result.returncode == 125 and "PANIC: early" in result.stderr, result.stderr)
        check(Path(directory, "runs").read_text() == "\n\n", "runs")


@test
def how_the_machine_ended_is_said() -> None:
    for script, said in (("exit 0", "a triple fault"), ("kill -9 $$", "SIGKILL"), ("exit 33", "powered off"),
                         ("exit 1", "could not start"), ("exit 77", "none of Baton's")):
        with tempfile.TemporaryDirectory() as directory:
            result = subprocess.run([RUN, "--log", f"{directory}/log", "--evidence", f"{directory}/kept",
                                     "--trace", f"{directory}/t.ktr", "--", "true"], text=True,
                                    env=with_qemu(directory, script), capture_output=True)
            check(result.returncode == 126 and said in result.stderr and "Traceback" not in result.stderr,
                  f"{script}: {result.stderr}")


@test
def what_was_written_before_the_end_arrives() -> None:
    """Though it was in a pipe, or on its way from there, when a program switched the machine off."""
    written = {f"{i} of {child}" for i in range(300) for child in range(4)}
    with tempfile.TemporaryDirectory() as directory:
        binary = program(directory, "tests/guest/last_words.c")
        for cpus in ("1", "2"):
            result = call([RUN, "--icount", "--smp", cpus, "--log", f"{directory}/log", "--evidence", f"{directory}/kept",
                           "--trace", f"{directory}/t.ktr", "--add", binary, "--", "last_words"])
            check(result.returncode == 126 and "powered off" in result.stderr, result.stderr)
            check(set(result.stdout.splitlines()) == written and len(result.stdout.splitlines()) == len(written),
                  f"{cpus} CPUs: {len(result.stdout.splitlines())} lines, of {len(written)}")


@test
def wrong_use_is_told_in_one_line() -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "file").write_text("x")
        os.mkfifo(directory / "fifo")
        with open(directory / "huge", "w") as huge:
            huge.truncate(1 << 40)
        for options, status, *said in (
                (["--timeout", "nan"], 2, "--timeout"), (["--timeout", "-1"], 2, "--timeout"),
                (["--timeout", "1e300"], 2, "--timeout"), (["--mem", "0"], 2, "--mem"),
                (["--mem", "9" * 30], 2, "--mem"), (["--smp", "17"], 2, "--smp"), (["--nothing"], 2, "--nothing"),
                (["--mem", "4"], 126, "--mem 4: too little"), (["--mem", "8"], 126, "--mem 8: too little"),
                (["--add", name], 126, "room"), (["--add", f"{name}/none"], 126, "No such file"),
                (["--add", f"{name}/fifo"], 126, "neither a file nor a folder"),
                (["--add", "/dev/zero"], 126, "neither a file nor a folder"),
                (["--add", f"{name}/huge"], 126, "room"),
                (["--add", f"{name}/file:/bin/ls/x"], 126, "/bin/ls is a file"),
                (["--add", f"{name}/file:/proc/x"], 126, "/proc is the kernel's own"),
                (["--add", f"{name}:/dev"], 126, "/dev is the kernel's own"),
                (["--add", f"{name}/file:/{'x' * 300}"], 126, "too long"),
                (["--trace", f"{name}/none/t.ktr"], 126, "no such folder"),
                (["--log", f"{name}/none/log"], 126, "No such file"), (["--linux", f"{name}/none"], 126, "none"),
                (["--replay", f"{name}/none"], 126, "no recording")):
            log = [] if "--log" in options else ["--log", f"{name}/log"]
            one_line(call([RUN, *log, *options, "--", "true"]), status, *said)
        one_line(subprocess.run([RUN, "--log", f"{name}/log", "--", "true"], text=True, env=os.environ | {"PATH": name},
                                stdin=subprocess.DEVNULL, capture_output=True), 126, "qemu-system-x86_64 is missing")
        many = call([RUN, "--log", f"{name}/log", "--", "echo", *["x"] * 2000])
        one_line(many, 126, "arguments")


@test
def programs_for_other_machines_are_named_when_they_are_added() -> None:
    with tempfile.TemporaryDirectory() as name:
        mine = Path("/bin/true").read_bytes()
        for head, said in ((mine[:18] + b"\xb7\0", "ARM, 64 bits"), (mine[:4] + b"\1" + mine[5:18] + b"\3\0", "i386, 32 bits"),
                           (mine[:18] + b"\xff\xff", "another machine"), (b"MZ\x90", "Windows"), (b"echo x", ""), (mine[:18], ""), (mine, "")):
            Path(name, "one").write_bytes(head + mine[len(head):] if len(head) == 20 else head)
            result = call([RUN, "--log", f"{name}/log", "--dry-run", "--add", f"{name}/one", "--", "one"])
            check(result.returncode == 0 and f"for {said}" in result.stderr if said else not result.stderr, f"{said}: {result.stderr}")


@test
def files_of_any_name_are_added_anywhere() -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name in ("größe", "字", "a:b", os.fsdecode(b"\xff")):
            Path(directory, name).write_text(f"{name}\n", errors="surrogateescape")
        added = [option for item in ("größe:/new/folder/größe", "字:/new/", "a:b:/new/a:b", "a:b",
                                     os.fsdecode(b"\xff") + ":/new/x") for option in ("--add", f"{directory}/{item}")]
        result = subprocess.run([RUN, "--log", f"{directory}/log", *added, "--", "sh", "-c",
                                 "cat /new/folder/größe /new/字 /new/a:b /bin/a:b /new/x; echo \"$0\"", b"\xff\xfe"],
                                stdin=subprocess.DEVNULL, capture_output=True)
        check(result.stdout == "größe\n字\na:b\na:b\n".encode() + b"\xff\n\xff\xfe\n",
              f"{result.stdout!r} {result.stderr!r}")


@test
def temporary_folders_may_have_any_name() -> None:
    with tempfile.TemporaryDirectory() as directory:
        for name in ("a b", "a,b=c", "x" * 200, "ü'\""):
            folder = Path(directory, name)
            folder.mkdir()
            hangs = name == "a,b=c"  # one of them: the launcher waits for half a minute
            for options, status in (([], 0), (["--iso"], 0),
                                    (["--timeout", "1", "--append", f"crash={'hang' if hangs else 'panic'}",
                                      "--trace", f"{folder}/t.ktr"], 124 if hangs else 125)):
                result = subprocess.run([RUN, "--log", f"{folder}/log", "--evidence", f"{folder}/kept", *options,
                                         "--", "true"], env=os.environ | {"TMPDIR": str(folder)}, text=True,
                                        stdin=subprocess.DEVNULL, capture_output=True)
                check(result.returncode == status, f"{name} {options}: {result.stderr}")
            check({path.name for path in folder.iterdir()} == {"log", "kept", "t.ktr"}, "nothing else is left")


@test
def standard_descriptors_may_be_anything() -> None:
    with tempfile.TemporaryDirectory() as directory:
        def shell(line: str) -> subprocess.CompletedProcess:
            line = line.replace("RUN", f"{RUN} --log {directory}/log")
            return subprocess.run(["bash", "-c", line], text=True, capture_output=True, stdin=subprocess.DEVNULL)

        one_line(shell("RUN -- echo hi >/dev/full"), 126, "standard output: No space left")
        one_line(shell("RUN --icount --mem 32 -- true </dev/zero"), 126, "standard input")
        for line, status, output in (("RUN -- yes | head -2; exit ${PIPESTATUS[0]}", 141, "y\ny\n"),
                                     ("RUN -- wc -c <&-", 0, "0\n"), ("RUN --icount -- wc -c <&-", 0, "0\n"),
                                     ("RUN -- sh -c 'exit 5' >&-", 5, ""), ("RUN -- sh -c 'exit 5' 2>&-", 5, ""),
                                     ("RUN -- sh -c 'exit 5' <&- >&- 2>&-", 5, ""),
                                     ("RUN --mem 4 -- true 2>/dev/full", 126, "")):
            result = shell(line)
            check((result.returncode, result.stdout, result.stderr) == (status, output, ""),
                  f"{line}: {result.returncode} {result.stdout!r} {result.stderr!r}")
        silent = subprocess.Popen([RUN, "--log", f"{directory}/log", "--", "echo", "hi"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        check(silent.stdout.read() == b"hi\n" and silent.wait(HANG) == 0, "it does not wait for input")
        silent.stdin.close()


def child_of(pid: int, word: bytes = b"-nodefaults") -> int:
    """The QEMU that it has started, once it has; or who else has such a word in its command line."""
    end = time.monotonic() + HANG
    while time.monotonic() < end:
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            try:
                if word in Path(f"/proc/{child}/cmdline").read_bytes():
                    return int(child)
            except OSError:
                pass
        time.sleep(0.02)
    raise Failed("no QEMU was started")


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until(done: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + HANG
    while not done():
        check(time.monotonic() < end, otherwise)
        time.sleep(0.02)


def ended_by(number: signal.Signals, options: list[str], started: Callable[[int], bool]) -> None:
    """The launcher, once its QEMU has come so far; and QEMU ends with it."""
    with tempfile.TemporaryDirectory() as directory:
        process = subprocess.Popen([RUN, "--log", f"{directory}/log", *options, "--", "sleep", "1000"],
                                   text=True, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   preexec_fn=hear_signals, env=os.environ | {"TMPDIR": directory})
        qemu = child_of(process.pid)
        wait_until(lambda: started(qemu), f"{options}: QEMU has not come so far")
        process.send_signal(number)
        said = process.communicate(timeout=HANG)[1]
        check(process.returncode == -number, f"{number!r}: {process.returncode}")
        wanted = "" if number == signal.SIGKILL else f"tools/run: ended by {number.name}\n"
        check(said.endswith(wanted) if number == signal.SIGINT else said == wanted, said)
        wait_until(lambda: not runs(qemu), f"{number!r}: QEMU still runs")
        if number != signal.SIGKILL:
            check(os.listdir(directory) == ["log"], f"left: {os.listdir(directory)}")


@test
def whatever_ends_the_launcher_ends_the_machine() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        ended_by(number, [], lambda qemu: True)


# Told to end in the middle of a fork, where Python drops what is raised; logging has such a hook, too.
FORKS = """
import os, signal, subprocess, sys
sys.path.insert(0, "tools")
from launch import host

def main() -> int:
    os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), int(sys.argv[1])))
    subprocess.run(["sleep", "1000"], preexec_fn=host.tied_to_us())
    return 0

sys.exit(host.run(main, "forks"))
"""


@test
def whoever_is_ended_while_it_forks_ends() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        result = subprocess.run([sys.executable, "-c", FORKS, str(int(number))], cwd=ROOT, capture_output=True, text=True,
                                preexec_fn=hear_signals, timeout=HANG)
        check(result.returncode == -number and result.stderr == f"forks: ended by {number.name}\n", str(result))


@test
def no_tool_answers_with_a_traceback_to_who_has_seen_enough() -> None:
    """Neither to a reader that has gone nor to ^C, from the first imports on."""
    python = [path for path in sorted((ROOT / "tools").iterdir())
              if path.is_file() and path.read_bytes().startswith(b"#!/usr/bin/python3") and '"--' in path.read_text()]
    check(len(python) > 10, f"{python}")
    for words in [[str(path), "--help"] for path in python] + [[str(ROOT / "tools/lab"), "list"], [RUN, "--", "yes"]]:
        reader, writer = os.pipe()
        os.close(reader)
        result = subprocess.run(words, stdout=writer, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, cwd=ROOT,
                                env=os.environ | {"PYTHONSAFEPATH": "1", "PYTHONWARNINGS": "error::DeprecationWarning"})
        os.close(writer)
        check(not result.stderr and result.returncode in (0, 128 + signal.SIGPIPE), f"{result}")
    for words in ("lab check 2", "explore -- race --way plainly", "grade --lab 0", "runtimes", "fuzz --calls 1000000",
                  "docs --check docs/tour.md", *(["format --check"] if shutil.which("clang-format") else [])):
        process = subprocess.Popen(["tools/" + words.split()[0], *words.split()[1:]], cwd=ROOT, text=True, start_new_session=True,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=hear_signals)
        wait_until(lambda: "_ctypes" in Path(f"/proc/{process.pid}/maps").read_text(), f"{words}: it imports nothing")
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=HANG)[1]
        check(process.returncode == -signal.SIGINT and said.count("\n") <= 1 and "Traceback" not in said, f"{words}: {said}")


@test
def helps_fit_into_a_terminal() -> None:
    """Of 80 columns, the last one free; but for a command that is longer by itself."""
    commands = [["make", "help"], ["tools/lab", "list"], *([f"tools/{name}", "--help"] for name in (
        "bench", "explore", "fuzz", "grade", "ktrace", "lab", "run", "runtimes"))]
    for command in commands:
        result = call(["env", "COLUMNS=80", *command])
        check(result.returncode == 0 and len(result.stdout) > 500, f"{result}")
        wide = [line for line in result.stdout.splitlines() if len(line) > 79 and not line.startswith("  tools/ktrace check")]
        check(not wide, f"{command}: {wide}")
        if command[1] == "--help":
            check("\nexamples:\n  " in result.stdout and result.stdout.count("\n  tools/") > 1, result.stdout)


@test
def who_is_ended_leaves_no_files_of_a_machine() -> None:
    """A tool passes SIGTERM on to the tools/run that it has started: after SIGKILL that could not clear up."""
    for words in ("fuzz --calls 1000000", "explore -- stall"):
        with tempfile.TemporaryDirectory() as directory:
            process = subprocess.Popen(["tools/" + words.split()[0], *words.split()[1:]], cwd=ROOT, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=hear_signals,
                                       env=os.environ | {"TMPDIR": directory})
            qemu = child_of(child_of(process.pid, b"tools/run"))
            process.send_signal(signal.SIGTERM)
            check(process.wait(HANG) == -signal.SIGTERM, f"{words}: {process.returncode}")
            wait_until(lambda: not runs(qemu) and not os.listdir(directory), f"{words}: left: {os.listdir(directory)}")


@test
def nothing_cuts_the_turns_of_cpus_short() -> None:
    """One of QEMU's threads would, from 10.2 on: tools/run stops it (tools/launch/turns.py) and ends as always."""
    version = re.search(r"version (\d+)\.(\d+)", call(["qemu-system-x86_64", "--version"]).stdout)
    count = (int(version[1]), int(version[2])) >= turns.NEEDED_FROM

    def held(qemu: int) -> bool:
        states = [thread.read_text().rpartition(")")[2].split()[0]
                  for thread in Path(f"/proc/{qemu}/task").glob("*/stat")]
        return len(states) > 3 and states.count("t") == count
    for number in (signal.SIGTERM, signal.SIGKILL):
        ended_by(number, ["--icount", "--smp", "2"], held)


@test
def options_that_the_kernel_would_cut_are_refused() -> None:
    """Before the machine starts; as many as there is room for go through, with the kernel and with GRUB."""
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory, "log")
        for way in ([], ["--iso"]):
            def run(size: int) -> subprocess.CompletedProcess:
                return call([RUN, *way, "--log", str(log), "--append", "end=" + "x" * size, "--", "echo", "here"])

            refused = run(2000)
            one_line(refused, 2, "--append", "1023")
            room = 2000 - (int(re.search(r"of (\d+) bytes", refused.stderr)[1]) - 1023)
            one_line(run(room + 1), 2, "of 1024 bytes")
            check(not log.exists() or not log.read_bytes(), "a kernel ran")
            result = run(room)
            check(result.returncode == 0 and result.stdout == "here\n" and not result.stderr, f"{way}: {result}")
            check("bytes" not in log.read_text() and log.read_text(), log.read_text())
            log.unlink()


@test
def programs_bring_the_folder_that_they_are_in() -> None:
    """Whole, and each file of it once; and another program under the name by which they may start it."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name, "home")
        (home / "bin").mkdir(parents=True)
        (home / "bin/homely").write_text("#!/bin/sh\n# in its home\n")
        (home / "data").write_text("its data\n")
        companions.OPENED["homely"] = [str(home), "/usr/bin/env"]
        made = archive.Archive((ROOT / "build/initramfs.cpio").read_bytes(), out := io.BytesIO(), 1 << 30)
        made.add(f"{home}/bin/homely")
        made.add_needs()
        del companions.OPENED["homely"]
    names = {f"{home}/data".lstrip("/"), "bin/homely", "bin/env", "usr/bin/env"}
    check(names <= made.names.keys() and out.getvalue().count(b"in its home") == 1, f"{names - made.names.keys()}")
