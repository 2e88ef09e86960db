"""The outcome: what the end of QEMU, the log and init's last word mean, as a status and in words."""
import argparse
import os
import re
import shlex
import signal
import sys

from launch import host, monitor, session, wire
from ktracelib.untrusted import printable

POWEROFF, PANIC, RESTART, TIMEOUT, INIT_ENDED = 33, 35, 37, 39, 41  # QEMU's status for isa-debug-exit codes
QEMU_FAILED = 1
# By these words the grader knows what has happened.
PANICKED, TRIPLED = "the kernel panicked", "a triple fault"
TIME_OVER, NO_INIT = "timeout", "init, the first program, ended"
LAST_LINES = 15  # of the log, where none says more


class Outcome:
    def __init__(self, args: argparse.Namespace, log: wire.Log, taken: wire.Wire, ended: session.Session,
                 log_is_kept: bool) -> None:
        self.args, self.log, self.wire, self.session = args, log, taken, ended
        self.log_is_kept = log_is_kept
        self.machine_failed = self.restart = False

    def status(self, code: int) -> int:
        """Of tools/run, for QEMU's. It tells what has failed."""
        self.wire.end()
        self.log.close()
        if self.log.trouble:
            host.say(f"tools/run: the log is cut short: {self.log.trouble}")
        if self.args.gdb is not None and code < 0:
            return 0  # the debugger has ended it
        lines = self.log.lines()
        for line in lines:  # of options that are not taken as they are
            if re.match("(boot|trace|sched|inject): ", line):
                host.say(line)
        failed = self._failure(code, lines)
        if failed is not None:
            return failed
        if (self.args.command or self.args.replay) and self.wire.status is not None and code in (POWEROFF, 0):
            return self.wire.status
        if not self.args.command and (code == POWEROFF or code < 0):
            return 0
        if code == RESTART and not self.args.command:
            self.restart = True  # `reboot` in a session: start again
            return 0
        return self._fail(host.FAILED, self._end_of_machine(code),
                          [] if code in (POWEROFF, RESTART) else lines[-LAST_LINES:])

    def _failure(self, code: int, lines: list[str]) -> int | None:
        """One that the kernel, init or the monitor has told; None if there is none."""
        # Behind what another CPU had begun to write on that line, it may be.
        panics = [i for i, line in enumerate(lines) if "PANIC: " in line]
        over = [i for i, line in enumerate(lines) if "timeout: the guest" in line] + panics
        where = self.session.where
        if code == TIMEOUT or self.session.killed:
            return self._fail(124, f"{TIME_OVER}: {self.args.timeout} s of guest time are over",
                              lines[over[0]:] if over else lines[-LAST_LINES:] + where)
        if self.session.tripled:
            return self._fail(host.FAILED, f"{TRIPLED}: the CPU could not deliver a fault, and reset itself"
                              + self._look_closer(), lines[-LAST_LINES:] + where)
        if code == PANIC or panics and code <= 0 and not self.args.linux:
            return self._fail(125, PANICKED, lines[panics[0] if panics else -20:])
        if code == INIT_ENDED:
            told = [line for line in lines if re.search("init (crashed|ended): ", line)]
            told = [re.sub(r"run: error (\d+)$", lambda m: f"run: /init: {os.strerror(int(m[1]))}", line)
                    for line in told]
            return self._fail(128, NO_INIT, told)
        return None

    def _end_of_machine(self, code: int) -> str:
        """Why QEMU ended, where neither the kernel nor init has said it."""
        if code == POWEROFF:
            return "the guest was powered off before COMMAND had ended, so it has no status"
        if code == RESTART:
            return "the guest restarted"
        if code < 0:
            return f"QEMU ended with {code}: {signal.Signals(-code).name}"
        if code == QEMU_FAILED:
            return f"QEMU ended with {code}: it could not start, and says above why"
        if code:
            return f"QEMU ended with {code}, which is none of Baton's"
        return "QEMU ended with 0: " + ("gdb's kill, or a triple fault" if self.args.gdb is not None else
                                        "a triple fault (the CPU reset itself: a fault while it handled one)")

    def _fail(self, status: int, why: str, tail: list[str]) -> int:
        self.machine_failed = True
        for line in tail:
            host.say(printable(with_place(line.replace("\t", " "))))
        command = shlex.join(["tools/run"] + sys.argv[1:])
        log = f"\n  log: {os.path.relpath(self.log.name)}" if self.log_is_kept else ""
        host.say(f"tools/run: {why}{log}\n  again: {command}")
        return status

    def _look_closer(self) -> str:
        """The way to the same place in gdb."""
        known = {"--log", "--evidence", "--trace"}
        words = [word for i, word in enumerate(sys.argv[1:], 1) if not known & {word, sys.argv[i - 1]}]
        return f"\n  look: make gdb, then `kstart {shlex.join(words)}` and `continue`: it stops there"


def with_place(line: str) -> str:
    """A line of the kernel's backtrace with file and line of its address."""
    match = re.match(r"  #\d+ 0x([0-9a-f]+) ", line)
    if not match:
        return line
    address = int(match[1], 16) - (0 if "#0" in line else 1)
    return f"{line}  {monitor.place(host.KERNEL, address)[1]}"
