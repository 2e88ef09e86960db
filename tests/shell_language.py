"""The shell's language and its line editor, on the host, where it is an ordinary program."""
import os
import pty
import re
import select
import signal
import struct
import subprocess
import tempfile
import termios
import fcntl
import time
import unicodedata

from driver import HANG, ROOT, Failed, call, check, guest, test

SHELL = str(ROOT / "build/user/bin/sh")
SCRIPT = ROOT / "tests/shell/language.sh"


@test
def shell_scripts_mean_what_they_mean_to_bash() -> None:
    """A script of everything that the shell knows: bash says what is right, here and in the guest."""
    text = SCRIPT.read_text()
    with tempfile.TemporaryDirectory() as folder:
        wanted, ours = (subprocess.run(command, input="", text=True, capture_output=True, cwd=folder,
                                       timeout=HANG, env={"PATH": "/usr/bin:/bin", "HOME": "/"})
                        for command in (["bash", "--posix", "-c", text], [SHELL, "-c", text]))
    check(wanted.returncode == 0 and not wanted.stderr, wanted.stderr)
    check(ours.stdout == wanted.stdout, f"bash:\n{wanted.stdout}\nours:\n{ours.stdout}{ours.stderr}")
    in_guest = guest("sh", "-c", "cat >/tmp/script; sh /tmp/script", stdin=text)
    check(in_guest.stdout == wanted.stdout, f"in the guest:\n{in_guest.stdout}{in_guest.stderr}")


@test
def shell_takes_its_options_as_bash_does() -> None:
    """Also as system() and popen() of the C libraries write them: -c, --, the command."""
    text = 'echo "$0 $# $*"; false; echo on'
    for words in (["-c", text], ["-c", "--", text, "a", "b"], ["-e", "-c", text], ["-ec", text, "a"],
                  ["-ce", "--", text], ["-c", "-e", text, "a"]):
        wanted, ours = (subprocess.run(words, executable=file, text=True, capture_output=True, timeout=HANG)
                        for words, file in ((["sh", *words], "/bin/bash"), (["sh", *words], SHELL)))
        check((ours.stdout, ours.returncode) == (wanted.stdout, wanted.returncode), f"{words}: {ours} {wanted}")
    for words in (["-c"], ["-z"], ["-c", "--"]):
        result = call([SHELL, *words])
        check(result.returncode == 2 and result.stderr.count("\n") == 1, f"{words}: {result}")


@test
def shell_says_what_is_wrong() -> None:
    for text, wanted in (("echo $((1/0)); echo after", "division by zero"), ("case x in", "unexpected end"),
                         ("cat <<END\ntext", "unexpected end"), ("echo $((2 3))", "an operator is missing"),
                         ("case a in b c) ;; esac", "a pattern ends with )")):
        result = call([SHELL, "-c", text])
        check(wanted in result.stderr, f"{text!r}: {result.stderr!r}")
    check(call([SHELL, "-c", "echo $((1/0)); echo after"]).stdout == "after\n", "the script goes on")


@test
def shell_knows_statuses_though_sigchld_was_ignored() -> None:
    result = subprocess.run([SHELL, "-c", "false | false; echo $?; (exit 3); echo $?; sh -c 'exit 4'; echo $?"],
                            capture_output=True, text=True, timeout=HANG,
                            preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    check(result.stdout == "1\n3\n4\n", result.stdout)


class Screen:
    """What a terminal of `width` columns shows of the few sequences that the shell sends."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.rows = width, [[" "] * width for _ in range(height)]
        self.row = self.column = 0

    def line_feed(self) -> None:
        self.row += 1
        if self.row == len(self.rows):
            self.rows = self.rows[1:] + [[" "] * self.width]
            self.row -= 1

    def put(self, character: str) -> None:
        wide = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if self.column + wide > self.width:
            self.column = 0
            self.line_feed()
        self.rows[self.row][self.column:self.column + wide] = [character] + [""] * (wide - 1)
        self.column += wide

    def sequence(self, number: str, final: str) -> None:
        count = int(number or 1)
        if final == "A":
            self.row = max(0, self.row - count)
        elif final == "C":
            self.column = min(self.width - 1, self.column + count)
        elif final == "H":
            self.row = self.column = 0
        elif final == "J":
            below = 0 if number == "2" else self.row + 1
            self.rows[self.row][0 if number == "2" else self.column:] = \
                [" "] * (self.width - (0 if number == "2" else self.column))
            for row in range(below, len(self.rows)):
                self.rows[row] = [" "] * self.width
        else:
            raise Failed(f"the shell sends ESC [ {number} {final}")

    def feed(self, text: str) -> None:
        for number, final, character in re.findall(r"\x1b\[(\d*)([A-Z])|(.)", text, re.S):
            if final:
                self.sequence(number, final)
            elif character == "\r":
                self.column = 0
            elif character == "\n":
                self.line_feed()
            elif character != "\a":
                self.put(character)

    def text(self) -> str:
        return "\n".join("".join(row).rstrip() for row in self.rows).rstrip()


class Session:
    """Our shell on a pseudo-terminal of the host."""

    def __init__(self, folder: str, width: int, height: int = 24) -> None:
        self.screen = Screen(width, height)
        self.undecoded = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
            os.chdir(folder)
            os.execve(SHELL, ["sh"], {"PATH": "/usr/bin:/bin", "HOME": "/"})

    def shows(self, text: str, limit: float = HANG / 4) -> None:
        """Wait until the screen ends with these lines."""
        end = time.monotonic() + limit
        while not self.screen.text().endswith(text):
            check(time.monotonic() < end, f"not {text!r} at the end of\n{self.screen.text()}")
            if select.select([self.fd], [], [], 1)[0]:
                self.undecoded += os.read(self.fd, 4096)
                whole = self.undecoded.decode(errors="ignore")
                self.undecoded = self.undecoded[len(whole.encode()):]
                cut = re.search(r"\x1b(\[\d*)?$", whole)
                if cut:
                    self.undecoded = whole[cut.start():].encode() + self.undecoded
                    whole = whole[:cut.start()]
                self.screen.feed(whole)

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def press(self, key: str, text: str) -> None:
        """A key for the program, once it holds the terminal. Once: the terminal forgets what it was about to
        show when a key sends a signal."""
        end = time.monotonic() + HANG / 4
        while os.tcgetpgrp(self.fd) == self.pid:
            check(time.monotonic() < end, "the command never held the terminal")
        self.type(key)
        self.shows(text)

    def end(self) -> None:
        self.type("\x04")
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@test
def shell_edits_long_lines_and_chinese() -> None:
    with tempfile.TemporaryDirectory() as folder:
        prompt = f"baton:{os.path.realpath(folder)}$ "
        for width in (80, 40, len(prompt) + 3):
            session = Session(folder, width)
            session.shows(prompt.rstrip())
            text = "echo " + "0123456789" * 12
            session.type(text)
            shown = prompt + text
            lines = [shown[i:i + width] for i in range(0, len(shown), width)]
            session.shows("\n".join(lines))
            session.type("\x1b[1~\x1b[C\x1b[C\x1b[C\x1b[C\x1b[C\x1b[3~X\x1b[4~Y\r")  # Home, Delete, End
            session.shows("Y\n" + prompt.rstrip())
            check(("X" + text[6:] + "Y") in session.screen.text().replace("\n", ""), session.screen.text())
            session.type("echo 协程x线程\x1b[D\x1b[D\x1b[D\x7fB\r")  # three to the left, rub out 程
            session.shows("\n协Bx线程\n" + prompt.rstrip())
            session.end()


@test
def key_right_after_the_command_reaches_it() -> None:
    """The child holds the terminal before it has its own actions for signals: what comes then waits."""
    with tempfile.TemporaryDirectory() as folder:
        session = Session(folder, 80)
        for number in range(1, 31):
            session.shows(f"baton:{os.path.realpath(folder)}$")
            session.type("sleep 99\r")
            session.press("\x1a", f"[{number}] stopped   sleep 99\nbaton:{os.path.realpath(folder)}$")
        session.type("kill %" + " %".join(str(number) for number in range(1, 31)) + "; exit\r")
        os.waitpid(session.pid, 0)


@test
def shell_keys_at_the_terminal() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(f"{folder}/alpha_one")
        os.makedirs(f"{folder}/alpha_two")
        open(f"{folder}/my $file", "w").close()
        prompt = f"baton:{os.path.realpath(folder)}$"
        session = Session(folder, 80)
        session.shows(prompt)
        session.type("if true\r")
        session.shows("> " .rstrip())
        session.type("\x03")  # ^C gives up what was begun
        session.shows("^C\n" + prompt)
        session.type("echo $?\r")
        session.shows("\n130\n" + prompt)
        session.type("ls al\t")  # as far as they agree; again: which there are
        session.shows("ls alpha_")
        session.type("\t")
        session.shows(f"alpha_one/  alpha_two/\n{prompt} ls alpha_")
        session.type("o\t\r")
        session.shows(f"ls alpha_one/\n{prompt}")
        session.type("ls my\t")  # a name of two words stays one word
        session.shows("ls my\\ \\$file")
        session.type("\x15printf '%s\\n' my\\ \t\r")
        session.shows("printf '%s\\n' my\\ \\$file\nmy $file\n" + prompt)
        session.type("\x12130\x12")  # ^R: what has 130 in it, and there is none older
        session.shows("(search) 130 [no older one]:")
        session.type("\x7f\x7f\x7fecho")
        session.shows("(search) echo: echo $?")
        session.type("\r")
        session.shows(f"{prompt} echo $?\n0\n{prompt}")
        session.type("sleep 100 &\r")
        session.shows(prompt)
        session.type("sleep 99\r")
        session.shows("sleep 99")
        session.press("\x1a", f"[2] stopped   sleep 99\n{prompt}")
        session.type("bg\r")
        session.shows(f"bg\n{prompt}")
        session.type("fg\r")
        session.press("\x03", f"^C\n{prompt}")
        session.type("echo $?; jobs\r")  # ended by ^C, and not stopped
        session.shows(f"\n130\n[1] running   sleep 100\n{prompt}")
        session.type("kill %1 2>/dev/null; exit\r")
        os.waitpid(session.pid, 0)
