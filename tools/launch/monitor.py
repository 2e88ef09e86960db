"""QEMU's monitor, for tools/run: is the machine stopped by a triple fault, and where are its CPUs?

QEMU connects to a socket of ours when it starts and sends an event when the guest resets itself, which
Baton asks another device for: so it is a triple fault. The machine is then still there to be asked.
"""
import json
import os
import re
import select
import socket
import subprocess
from typing import NamedTuple

from launch import host

PATIENCE = 2  # seconds for an answer: a QEMU that hangs has none
SCREEN, SCREEN_SIZE, ROWS = 0xb8000, 0x8000, 25  # letters and their colours; the shown rows are the last ones


class Place(NamedTuple):
    """Where a CPU is, by `info registers`."""

    cpu: int
    rip: int
    cr2: int
    halted: bool


class Monitor:
    def __init__(self, directory: str) -> None:
        self.directory = directory
        self.listener = socket.socket(socket.AF_UNIX)
        at = os.open(directory, os.O_PATH)
        try:
            self.listener.bind(f"/proc/self/fd/{at}/qmp")  # a socket's name has only 108 bytes
        finally:
            os.close(at)
        self.listener.listen(1)
        self.socket: socket.socket | None = None
        self.reset = False
        self.pending, self.sent = b"", 0

    def fileno(self) -> int:
        return (self.socket or self.listener).fileno()

    def close(self) -> None:
        for one in (self.socket, self.listener):
            if one:
                one.close()

    def take(self) -> bool:
        """What has come, when there is something. False: nothing will come any more."""
        try:
            if self.socket is None:
                self.socket = self.listener.accept()[0]
                self.socket.settimeout(PATIENCE)
                self._send("qmp_capabilities")
                return True
            return self._receive()
        except OSError:
            return False

    def wait(self, seconds: float) -> None:
        """For something to come."""
        if select.select([self], [], [], seconds)[0]:
            self.take()

    def _send(self, command: str, **arguments: object) -> int:
        self.sent += 1
        text = json.dumps({"execute": command, "arguments": arguments, "id": self.sent})
        self.socket.sendall(text.encode() + b"\n")
        return self.sent

    def _receive(self) -> bool:
        data = self.socket.recv(65536)
        self.pending += data
        *lines, self.pending = self.pending.split(b"\n")
        self.answers = [json.loads(line) for line in lines]
        for answer in self.answers:
            if answer.get("event") == "SHUTDOWN" and answer["data"]["reason"] == "guest-reset":
                self.reset = True
            elif answer.get("event") == "SHUTDOWN" and answer["data"]["reason"] == "guest-shutdown":
                self._send("quit")  # its status is the guest's; before version 10 it has gone by itself
        return bool(data)

    def ask(self, command: str, **arguments: object) -> object:
        """The answer, or None from a QEMU that is not there or does not answer."""
        try:
            if self.socket is None:
                return None
            number = self._send(command, **arguments)
            while self._receive():
                for answer in self.answers:
                    if answer.get("id") == number:
                        return answer.get("return")
        except (OSError, ValueError):
            pass
        return None

    def places(self) -> list[Place]:
        text = str(self.ask("human-monitor-command", **{"command-line": "info registers -a"})).replace("\r", "")
        found = []
        for cpu, part in re.findall(r"CPU#(\d+)\n(.*?)(?=CPU#|\Z)", text, re.S):
            values = dict(re.findall(r"\b(R?IP|EIP|CR2|HLT)=([0-9a-f]+)", part))
            found.append(Place(int(cpu), int(values.get("RIP") or values.get("EIP", "0"), 16),
                               int(values.get("CR2", "0"), 16), values.get("HLT") == "1"))
        return found

    def screen(self) -> list[str]:
        """What is on the text screen: of a firmware or a boot loader, which say nothing elsewhere."""
        self.ask("pmemsave", val=SCREEN, size=SCREEN_SIZE, filename="screen")
        try:
            with open(f"{self.directory}/screen", "rb") as f:
                text = f.read()[::2].decode("latin-1")
        except OSError:
            return []
        lines = [re.sub("[^ -~]+", "", text[i:i + 80]).strip() for i in range(0, len(text), 80)]
        return [line for line in lines if line][-ROWS:]


def place(kernel: str, address: int) -> tuple[str, str]:
    """Function, and file and line, of an address; "??" is what the kernel's file does not know."""
    try:
        found = subprocess.run(["addr2line", "-f", "-e", kernel, hex(address)], capture_output=True,
                               text=True).stdout
    except FileNotFoundError:
        return "??", "??"
    name, _, at = re.sub(r" \(discriminator \d+\)", "", found).strip().partition("\n")
    at = re.sub(r"((?:[^/]+/)+)/?\1", r"\1", at)  # nasm names the folder twice
    return name, os.path.relpath(at, host.ROOT) if at.startswith(host.ROOT) else at


def where(monitor: Monitor, kernel: str) -> list[str]:
    """Each CPU's place, one a line, and the screen where none is in the kernel."""
    lines, inside = [], False
    for cpu in monitor.places():
        name, at = place(kernel, cpu.rip)
        known = not at.startswith("??")
        inside |= known
        lines.append(f"  CPU {cpu.cpu} is at 0x{cpu.rip:x} {f'{name} {at}' if known else '(not in the kernel)'}"
                     f"{', halted' if cpu.halted else ''}; cr2 0x{cpu.cr2:x}")
    if lines and not inside:
        lines += [f"  on the screen: {line}" for line in monitor.screen()]
    return lines
