"""A session: bytes go between the guest's lines and us until QEMU ends, or is made to end."""
import argparse
import os
import select
import signal
import subprocess
import termios
import time

from launch import host, lines, monitor, turns, wire

SILENCE = 15  # seconds on the host before somebody at a terminal may wonder
GRACE = 10    # seconds for a kernel that was asked where it is


class Session:
    told_to_end = False  # by SIGALRM: as if the time were over, with the evidence of it

    def __init__(self, args: argparse.Namespace, console: lines.Line, second: lines.Line, stdin: lines.Input,
                 heard: wire.Wire, qemu: monitor.Monitor) -> None:
        self.args, self.console, self.second, self.stdin = args, console, second, stdin
        self.wire, self.monitor = heard, qemu
        self.process: subprocess.Popen | None = None
        self.started = time.monotonic()
        self.silence = self.started + SILENCE if os.isatty(2) else 0
        self.heard = self.tripled = False
        self.asked = False  # the time is over, and the kernel was asked where it is
        self.killed = False  # and QEMU had to be made to end
        self.where: list[str] = []  # the CPUs', where the kernel could not say it itself
        self.typing, self.keys = not stdin.feed, b""
        self.limit: float | None = None

    def run(self, process: subprocess.Popen, take_turns: bool) -> None:
        """Until it has ended, with the terminal raw meanwhile."""
        self.process = process
        saved = termios.tcgetattr(0) if self.stdin.terminal else None
        try:
            if take_turns:
                turns.start(process, self.monitor)
            if saved:
                lines.set_raw(saved)
            self._loop()
            process.wait(10)  # it has closed its lines
        except host.Ended as end:
            if end.number == signal.SIGINT:
                self._give_up()
            raise
        except subprocess.TimeoutExpired:
            pass
        finally:
            if saved:
                termios.tcsetattr(0, termios.TCSADRAIN, saved)
            process.kill()

    def _loop(self) -> None:
        self.limit = self._time_on_host()
        outputs, others = [self.console, self.second], [self.monitor]
        while outputs:
            reads = self.typing and self.console in outputs and len(self.keys) < 1024 or self.wire.hungry
            ready, writable, _ = select.select(outputs + others + ([0] if reads else []),
                                               [self.console.input] if self.keys and self.heard else [], [], 1.0)
            if not ready and self.process.poll() is not None:
                break  # it ended before it had opened them
            if self.monitor in ready:
                others = [self.monitor] if self.monitor.take() else []
                if self.monitor.reset:
                    self._triple_fault()
            self._say_if_silent()
            outputs = [line for line in outputs if line not in ready or self._take_output(line)]
            if 0 in ready:
                self._take_input()
            if writable and self.keys:
                self.keys = self.keys[os.write(self.console.input, self.keys[:16]):]
            if (Session.told_to_end or self.limit and time.monotonic() > self.limit) and self._time_is_over():
                return
        self.killed = self.asked

    def _time_on_host(self) -> float | None:
        """The guest ends itself in time; this is for one which cannot. Under icount it may be slow."""
        if not self.args.timeout:
            return None
        slow = self.args.icount and not self.args.linux
        return time.monotonic() + self.args.timeout * (20 if slow else 1) + (60 if slow else 30)

    def _take_output(self, line: lines.Line) -> bool:
        """False: nothing will come any more."""
        try:
            data = os.read(line.output, 65536)
        except BlockingIOError:
            return True  # select(2), BUGS: it may say ready where there is nothing to read
        if not data:
            return False
        self.heard = True  # the guest has set its serial ports up: nothing typed is lost
        if line is self.console:
            lines.output(data)
        else:
            self.wire.take(data)
        return True

    def _take_input(self) -> None:
        data = self.stdin.read(1024)
        if data is None:
            return
        if self.wire.hungry:
            self.wire.hungry = False
            os.write(self.second.input, wire.frame(data))
            return
        self.typing = bool(data)
        keys = self.stdin.typed(data) if self.stdin.terminal else data
        self.keys += keys or b"\4" * (not data)
        if self.stdin.quit:
            self._give_up()

    def _time_is_over(self) -> bool:
        """The kernel is asked to show where it is; the second time QEMU ends: True."""
        if self.asked:
            self.process.kill()
            self.killed = True
            return True
        Session.told_to_end, self.asked, self.limit = False, True, time.monotonic() + GRACE
        self.where = monitor.where(self.monitor, host.KERNEL)
        self.monitor.ask("inject-nmi")  # then the kernel panics and shows its stacks, if it can
        return False

    def _triple_fault(self) -> None:
        """The CPU could not deliver a fault. If we asked by an NMI where it is, that was it."""
        self.monitor.reset = False
        if self.args.gdb is not None:
            host.say("tools/run: a triple fault: gdb has the machine as the CPU left it")
            return
        if not self.asked:
            self.tripled, self.where = True, monitor.where(self.monitor, host.KERNEL)
        self.process.kill()

    def _say_if_silent(self) -> None:
        """To somebody who sits there and sees nothing."""
        if not self.heard and self.silence and time.monotonic() > self.silence and self.args.gdb is None:
            self.silence = 0
            host.say(f"tools/run: nothing from the kernel for {SILENCE} s; "
                     f"{'^A x' if self.stdin.terminal else '^C'} ends the machine and says where it is")

    def _give_up(self) -> None:
        """The user ends the machine; perhaps since nothing was to be seen."""
        if not self.heard:
            self.where = monitor.where(self.monitor, host.KERNEL)
            host.say("\n".join(["tools/run: ended before the kernel said anything", *self.where]))
        self.process.kill()
