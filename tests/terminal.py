"""What a person sees: every kind of call at a real terminal, whose lines must not be a staircase."""
import fcntl
import os
import pty
import re
import shutil
import struct
import termios
import tempfile

from driver import ROOT, Skipped, check, guest, program, test
from sessions import Terminal


def at_terminal(command: str, columns: int = 80, rows: int = 24) -> tuple[int, str]:
    """Status and output of a command line of the host's shell on a terminal of its own."""
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.chdir(ROOT)
        os.execv("/bin/sh", ["sh", "-c", command])
    output = b""
    try:
        while part := os.read(fd, 65536):
            output += part
    except OSError:  # the other side is closed
        pass
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(fd)
    return status, output.decode(errors="replace")


def no_staircase(command: str, text: str) -> None:
    bare = re.search(r"[^\r\n]*[^\r]\n", text)
    check(not bare, f"{command}: a line ends without a carriage return: {bare and bare[0]!r}\n{text[:500]}")


@test
def lines_begin_at_the_left_of_a_terminal() -> None:
    run = "tools/run --log build/terminal.log"
    for command, wanted in ((f"{run} -- sh -c 'echo a; echo b; ls -l / | head -3'", "a\r\nb\r\n"),
                            (f"{run} -- sh -c 'echo a; echo b' | cat", "a\r\nb\r\n"),
                            (f"echo c | {run} -- sh -c 'cat; echo d'", "c\r\nd\r\n"),
                            (f"echo c | {run} --icount -- sh -c 'cat; echo d' | cat", "c\r\nd\r\n"),
                            (f"{run} -- sh -c 'echo a; echo b' >/dev/null; echo e; echo f", "e\r\nf\r\n"),
                            (f"{run} -- sh -c 'echo a; echo b >/dev/full'; echo g", "a\r\n"),
                            (f"{run} --append crash=panic -- true", "PANIC"),
                            (f"{run} --timeout 1 -- sleep 9; echo h", "timeout"),
                            (f"{run} -- nothing; echo $?", "\r\n127\r\n"),
                            (f"{run} --no-such-option; echo $?", "\r\n2\r\n"),
                            ("make run CMD='echo x; echo y'", "x\r\ny\r\n"),
                            ("make help", "\r\nmake test ")):
        status, text = at_terminal(command)
        check(wanted in text, f"{command}: status {status}, no {wanted!r} in {text!r}")
        no_staircase(command, text)
        check("boot: " not in text, f"{command}: what tools/run adds to the options is not known: {text}")


@test
def what_goes_elsewhere_is_exact() -> None:
    """A terminal is beside, but the output goes into a file: no carriage returns in that."""
    with tempfile.NamedTemporaryFile() as file:
        at_terminal(f"tools/run -- sh -c 'echo a; echo b' >{file.name}")
        check(file.read() == b"a\nb\n", "the file has something else")


@test
def the_demo_fits_a_terminal() -> None:
    status, text = at_terminal("make demo")
    no_staircase("make demo", text)
    check(status == 0, text)
    for line in text.split("\n"):
        plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line.split("\r")[-2] if "\r" in line else line)
        check(len(plain) <= 80, f"{len(plain)} columns: {plain}")


@test
def the_guest_knows_how_large_the_terminal_is() -> None:
    """At 40 columns the shell of the guest breaks what is typed there."""
    session = Terminal("--kernel", 40)
    session.expect("baton:/$ ")
    session.type("echo 12345678901234567890123456789012345678901234567890")
    session.expect("90123456\r\n7890")  # broken behind the 40th column
    session.type("\x15poweroff\r")
    check(session.end() == 0, "poweroff did not end with 0")


@test
def the_guest_knows_what_the_terminal_does_not_take() -> None:
    """An editor's window has neither colours nor a cursor to move; and some want no colours."""
    run = "tools/run -- stall --mode=aware --wait=100"
    for setting, moves, colours in (("TERM=dumb", False, False), ("TERM=xterm NO_COLOR=1", True, False), ("TERM=xterm", True, True)):
        status, text = at_terminal(f"env -u GUI -u NO_COLOR {setting} {run}")
        check(status == 0 and bool(re.search(r"\x1b\[\d+A", text)) == moves and bool(re.search(r"\x1b\[\d+m", text)) == colours,
              f"{setting}: {status}, {text!r}")
    dry = at_terminal("TERM=dumb NO_COLOR=1 GUI=1 tools/run --dry-run -- true")[1]
    check("baton.term" not in dry and "baton.no_color" not in dry, f"of the window's terminal: {dry}")


@test
def keys_come_in_a_deterministic_run_too() -> None:
    session = Terminal(rest=("--icount", "--", "sh"))
    session.expect("$ ")
    session.type("echo a$((40 + 2))b\r")
    session.expect("a42b")
    session.type("exit 5\r")
    check(session.end() == 5, "not the shell's status")


@test
def what_is_typed_wakes_one_reader_of_many() -> None:
    """tests/guest/tty_herd.c says what to type, and whom it served."""
    with tempfile.TemporaryDirectory() as directory:
        binary = program(directory, "tests/guest/tty_herd.c")
        session = Terminal(rest=("--smp", "1", "--add", f"{binary}:/bin/tty_herd", "--", "tty_herd"))
        for text in ("a", "bcd", "e", "f", "g", "h"):
            session.expect(f"type {text}\r\n")
            session.type(text)
        session.expect("all are served")
        check(session.end() == 0, session.text)


@test
def init_goes_on_without_descriptors() -> None:
    if not shutil.which("prlimit"):
        raise Skipped("no prlimit")
    result = guest("sh", "-c", "prlimit --pid 1 --nofile=0:0; sleep 1; cat /proc/1/stat",
                   options=["--add", shutil.which("prlimit") or "", "--icount", "--timeout", "20"])
    ticks = result.stdout.rsplit(")", 1)[1].split()[11:13]
    check(sum(map(int, ticks)) < 10, f"it spins: {result.stdout}")
