"""The shell: its language, its programs, and sessions at a pseudo-terminal."""
import fcntl
import os
import select
import struct
import termios
import time

from driver import HANG, ROOT, RUN, Failed, Machine, check, guest, test


@test
def shell_language() -> None:
    script = r"""
a=5; echo "$a" '$a' ${b:-none} $((a * 2 + 1)) `echo old` $(echo new)
echo one two | wc -w; false || echo or; true && echo and; ! false && echo not
if [ $a -eq 5 ]; then echo five; elif true; then echo no; else echo no; fi
while [ $a -gt 3 ]; do a=$((a - 1)); echo a$a; done
cd /tmp; mkdir -p g; cd g; echo 1 >x1; echo 2 >x2; echo 3 >>x2; cat x*; echo x? "x?"; rm x1 x2
(cd /; pwd); pwd; echo err 2>/dev/null >&2; nothing 2>/dev/null; echo $?
for w in a "b c" d; do echo "<$w>"; done; { echo in; echo group; } | cat
sh -c 'echo $0 $1 $#' name arg; exit 3
"""
    expected = """5 $a none 11 old new\n2\nor\nand\nnot\nfive\na4\na3\n1\n2\n3\nx1 x2 x?\n/\n/tmp/g\n127
<a>\n<b c>\n<d>\nin\ngroup\nname arg 1\n"""
    result = guest("sh", "-c", script, status=3)
    check(result.stdout == expected, result.stdout)


class Terminal:
    """An interactive session on a pseudo-terminal."""

    def __init__(self, boot: str = "--kernel", columns: int = 80, rest: tuple[str, ...] = ()) -> None:
        import pty
        command = [RUN, boot, "--smp", str(Machine.cpus), "--log", str(ROOT / "build/session.log"), *rest]
        self.text, self.pid = "", 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
            os.chdir(ROOT)
            os.execv(RUN, command)

    def expect(self, text: str, limit: float = HANG / 4) -> None:
        end = time.monotonic() + limit
        while text not in self.text:
            ready, _, _ = select.select([self.fd], [], [], 1)
            try:
                self.text += os.read(self.fd, 4096).decode(errors="replace") if ready else ""
            except OSError:
                raise Failed(f"the session ended before {text!r}:\n{self.text[-1500:]}") from None
            check(time.monotonic() < end, f"no {text!r} in:\n{self.text[-1500:]}")
        self.text = self.text[self.text.index(text) + len(text):]

    def type(self, text: str) -> None:
        os.write(self.fd, text.encode())

    def press(self, key: str, text: str) -> None:
        """A key again and again, until it has worked: the program may not have started yet."""
        for _ in range(60):
            self.type(key)
            try:
                return self.expect(text, 2)
            except Failed:
                continue
        raise Failed(f"{key!r} never led to {text!r}")

    def end(self) -> int:
        try:
            while os.read(self.fd, 4096):
                pass
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@test
def iso_boots_to_a_session() -> None:
    session = Terminal("--iso")
    session.expect("baton:/$ ")
    session.type("for i in 1 2 3; do echo $((i * 111)); done\r")
    session.expect("\n111\r\n222\r\n333\r\n")
    session.type("ls / | grep -c bin\r")
    session.expect("\n1\r\n")
    session.type("cat /proc/meminfo | head -2\r")
    session.expect("MemTotal:")
    session.type("poweroff\r")
    check(session.end() == 0, "poweroff did not end with 0")


@test
def job_control_at_the_terminal() -> None:
    session = Terminal()
    session.expect("baton:/$ ")
    session.type("sleep 1000\r")
    session.expect("sleep 1000")
    session.press("\x1a", "stopped")  # ^Z
    session.expect("baton:/$ ")
    session.type("jobs\r")
    session.expect("[1] stopped   sleep 1000")
    session.type("fg\r")
    session.expect("sleep 1000")
    session.press("\x03", "baton:/$ ")  # ^C
    session.type("echo a\x7fb; echo $?\r")  # a rubbed out letter
    session.expect("\nb\r\n0\r\n")
    session.type("echo go; cat\r")
    session.expect("\ngo\r\n")  # the shell has left its raw mode: what is typed is echoed
    session.type("line\r\x04")  # ^D ends cat, not the shell
    session.expect("line\r\nline")
    session.expect("baton:/$ ")
    session.type("\x1b[A\x1b[A\x01echo \r")  # history: up, up, to the start
    session.expect("\necho b\r\n0\r\n")  # each key shows a prompt: the next one is behind this
    session.expect("baton:/$ ")
    session.type("while :; do sleep 0.01; done\r")
    session.expect("done\r\n")
    session.press("\x03", "baton:/$ ")
    session.type("sleep 1000 &\r")
    session.expect("[1] ")
    session.type("ps\r")
    session.expect("nanosleep")
    session.type("poweroff\r")
    check(session.end() == 0, "poweroff did not end with 0")


@test
def reboot_starts_again() -> None:
    session = Terminal()
    session.expect("baton:/$ ")
    session.type("reboot\r")
    session.expect("Baton: who holds")
    session.expect("baton:/$ ")
    session.type("poweroff\r")
    check(session.end() == 0, "poweroff did not end with 0")


@test
def programs_do_what_they_say() -> None:
    script = r"""
cd /tmp; mkdir -p w/x; cd w; seq 12 >n; head -n 2 n; head -c 2 n; tail -n 1 n; wc -l n; grep 1 n | wc -l
cp n m; mv m x/k; ls; ls x; cat x/k | tail -1; echo q | tee t; cat t; rm -r x t; ls
grep -c '^1.*$' n; grep -v '[0-9]' n || echo none; env A=b sh -c 'echo $A'; date +%Y | wc -c
time true 2>/dev/null; echo $?; sleep 0.01; kill -0 1; echo $?; kill -TERM 9999 2>/dev/null; echo $?
true && echo yes; false || echo no; yes | head -n 1; free | wc -l; uptime | wc -l; which which sh | wc -l
uname -sm; printf '%05d|%-4s|%x\n' 42 ab 255 -1; printf 'a\tb %s\n' c d; which nothing; top -n 1 </dev/null | wc -w >n; ps | grep -c init
"""
    expected = "1\n2\n1\n12\n12 n\n4\nn\nx\nk\n12\nq\nq\nn\n4\nnone\nb\n5\n0\n0\n1\nyes\nno\ny\n2\n1\n2\nLinux x86_64\n" \
        "00042|ab  |ff\n-0001|    |0\na\tb c\na\tb d\n"
    result = guest("sh", "-c", script)
    check(result.stdout.startswith(expected) and result.stdout[len(expected):].strip().isdigit(),
          result.stdout)
