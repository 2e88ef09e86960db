"""The lesson `stall`: who is silent while one waits, what cures that, and that it may be played by hand."""
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time

from driver import HANG, Machine, Skipped, call, check, deterministic, test
from lessons import DEMO, in_guest, on_host
from sessions import Terminal


@test
@deterministic
def stall_silences_the_siblings_and_has_two_cures() -> None:
    """Blocking: no ticker ticks during the wait; aware and threads: never silent for two ticks."""
    blocking, aware, threads = in_guest("stall", "--wait=400", "--tick=20")["modes"]
    for mode in (blocking, aware, threads):
        check(400 <= mode["wait_ms"] < 401 and len(mode["lanes"]) == 4, str(mode))
    for lane in blocking["lanes"]:
        check(400 <= lane["longest_silence_ms"] <= 440, str(blocking))
    check(blocking["culprit"] == "reader" and blocking["longest_stall_ms"] >= 400, str(blocking))
    for mode in (aware, threads):
        check(all(lane["longest_silence_ms"] <= 40 for lane in mode["lanes"]), str(mode))
        check(mode["ticks_while_waiting"] >= 4 * 18, str(mode))


@test
def stall_switches_no_coroutine_while_its_thread_is_blocked() -> None:
    """The order of events, no clock: another process twice finds the reader's thread asleep, and
    from its call to its answer no coroutine ran. Aware: many did."""
    for report in (in_guest("stall", "--wait=1000"), on_host("stall", "--wait=1000")):
        blocking, aware, threads = report["modes"]
        check(blocking["reader_states_seen"] == threads["reader_states_seen"] == ["S", "S"],
              f"{blocking} {threads}")
        check(blocking["coroutine_switches_while_blocked"] == 0
              and blocking["ticks_while_waiting"] == 0, str(blocking))
        check(aware["coroutine_switches_while_blocked"] > 4 and aware["ticks_while_waiting"] > 4
              and threads["ticks_while_waiting"] > 4, f"{aware} {threads}")
        check("ticker" in blocking["verdict"] and "reader" in blocking["verdict"], str(blocking))


@test
def stall_holds_on_a_host_that_stops() -> None:
    """Nobody ticks while the host runs none of it, whenever that is: no reason to doubt the lesson."""
    process = subprocess.Popen([str(DEMO / "stall"), "--wait=400", "--tick=20"], text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
    for _ in range(4):
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGSTOP)
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGCONT)
    text = process.communicate(timeout=HANG)[0]
    check(process.returncode == 0 and text.count("\n[ok] ") == 3, text)


@test
def stall_plays_one_mode_and_checks_its_options() -> None:
    if Machine.free:
        raise Skipped("it measures time")
    report = in_guest("stall", "--mode=aware", "--wait=50", "--tick=10", "--tickers=8")
    check([mode["mode"] for mode in report["modes"]] == ["aware"]
          and len(report["modes"][0]["lanes"]) == 8, str(report))
    for wrong in ("--mode=both", "--mode=", "--wait=soon", "--tickers=9", "--tick"):
        check(call([str(DEMO / "stall"), wrong]).returncode == 2, wrong)


@test
def make_demo_plays_the_stall_lesson() -> None:
    """It plays stall --mode=all in the guest; its last lines are the three verdicts."""
    result = call(["make", "-s", "demo"])
    check(result.returncode == 0, result.stdout + result.stderr)
    verdicts = re.findall(r"^\[ok\] .*(?:\n     .*)*", result.stdout, re.M)
    check(len(verdicts) == 3 and "was silent for" in verdicts[0]
          and "culprit: reader" in verdicts[0].replace("\n     ", " ")
          and result.stdout.rstrip().endswith(verdicts[2].rstrip()), result.stdout)


class Keys:
    """A lesson at a pseudo-terminal."""

    def __init__(self, *command: str) -> None:
        self.text = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "dumb"
            os.execv(command[0], command)

    def expect(self, text: str) -> None:
        end = time.monotonic() + HANG / 4
        while text not in self.text:
            check(time.monotonic() < end, f"no {text!r} in {self.text!r}")
            if select.select([self.fd], [], [], 1)[0]:
                self.text += os.read(self.fd, 4096).decode()
        self.text = self.text.partition(text)[2]

    def raw(self) -> bool:
        """Are keys read as they come, and not shown?"""
        return not termios.tcgetattr(self.fd)[3] & (termios.ICANON | termios.ECHO)

    def wait_for(self, condition: bool) -> None:
        end = time.monotonic() + HANG / 4
        while self.raw() != condition:
            check(time.monotonic() < end, "the terminal's mode never changed")
            time.sleep(0.05)


@test
def stall_waits_for_a_key() -> None:
    """It asks, and nobody types; a key that comes before there is a silence to see is not the answer."""
    lesson = Keys(str(DEMO / "stall"), "--tty", "--tick=20")
    for _ in range(3):
        lesson.expect("press a key.\r\n")
        lesson.wait_for(True)
        end = time.monotonic() + HANG / 4
        while not select.select([lesson.fd], [], [], 0.2)[0]:
            check(time.monotonic() < end, "no key was the answer")
            os.write(lesson.fd, b"x")
    for verdict in ("culprit: reader.", "[ok] Every ticker", "[ok] Every ticker"):
        lesson.expect(verdict)
    check(os.waitstatus_to_exitcode(os.waitpid(lesson.pid, 0)[1]) == 0, lesson.text)


@test
def stall_leaves_the_terminal_as_it_was() -> None:
    shell = Keys("/bin/sh", "-c", f"stty -a | grep -c -w -- '-icanon'; {DEMO / 'stall'} --tty; echo over $?; cat")
    shell.expect("press a key.")
    shell.wait_for(True)
    os.write(shell.fd, b"\x03")
    shell.wait_for(False)
    os.close(shell.fd)
    os.waitpid(shell.pid, 0)
    for options in (["--tty"], ["--tty", "--json"]):
        result = call([str(DEMO / "stall"), *options])
        check(result.returncode == 2 and not result.stdout and "not a terminal" in result.stderr,
              str(result))


@test
def stall_waits_for_a_key_in_the_guest() -> None:
    session = Terminal()
    session.expect("baton:/$ ")
    session.type("TERM=dumb stall --tty --mode=aware\r")
    session.expect("press a key.")
    session.press("x", "Every ticker ticked")
    session.expect("baton:/$ ")
    session.type("\x03")  # a key too many may stand there
    session.expect("baton:/$ ")
    session.type("TERM=dumb stall --tty --mode=blocking\r")
    session.expect("press a key.")
    session.type("\x03")
    session.expect("baton:/$ ")
    session.type("echo $((40 + 2))\r")
    session.expect("echo $((40 + 2))")
    session.expect("42")
    session.type("poweroff\r")
    session.end()
