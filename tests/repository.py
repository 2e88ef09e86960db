"""What people expect in a repository: what its documents name is there, its workflows call what exists,
and what a release attaches works by itself."""
import json
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from driver import HANG, ROOT, Failed, Skipped, call, check, test

sys.path.insert(0, str(ROOT / "tools"))
from launch.monitor import Monitor  # noqa: E402


@test
def contributors_are_sent_to_what_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    helps = call(["make", "help"]).stdout
    for target in re.findall(r"`make ([\w.-]+)|^    make ([\w-]+)", text, re.M):
        check(f"make {''.join(target)}" in helps, f"`make {''.join(target)}` is not in make help")
    for name in re.findall(r"[`( ]((?:kernel|user|labs|tests|tools|docs|\.\w+)/[\w./-]*\w)", text):
        if "NAME" not in name and "/N/" not in name and not name.startswith("build/"):
            check((ROOT / name).exists(), f"there is no {name}")


@test
def workflows_run_what_exists() -> None:
    commands = []
    for path in sorted((ROOT / ".github/workflows").glob("*.yml")):
        text = path.read_text()
        check("\t" not in text and text.startswith("#"), f"{path.name}: tabs, or no word on what it is for")
        commands += re.findall(r"(?:^|\s|&& )((?:\.ci|tools)/[\w-]+)", text)
    container = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())
    check((ROOT / ".devcontainer" / container["build"]["dockerfile"]).exists(), "no Dockerfile")
    commands += re.findall(r"(?:^|&& )(tools/\w+)", container["postCreateCommand"])
    check({".ci/run", ".ci/weekly", ".ci/release", "tools/setup"} <= set(commands), f"{commands}")
    for command in commands:
        check((ROOT / command).stat().st_mode & 0o111, f"{command} cannot be run")


def screen_shows(monitor: Monitor, qemu: subprocess.Popen, text: str) -> None:
    lines: list[str] = []
    end = time.monotonic() + HANG
    while not any(line.startswith(text) for line in lines):
        check(time.monotonic() < end and qemu.poll() is None, "\n".join(lines))
        monitor.wait(0.2)
        lines = monitor.screen() if monitor.socket else []


@test
def the_iso_boots_in_any_qemu() -> None:
    """`-cdrom baton.iso`, and nothing that tools/run adds: it is used with screen and keyboard."""
    with tempfile.TemporaryDirectory() as directory:
        made = call(["tools/mkiso", f"{directory}/baton.iso", "build/baton.elf", "build/initramfs.cpio",
                     "iso/grub.cfg"])
        if made.returncode == 3:
            raise Skipped("no GRUB here: tools/setup run")
        monitor = Monitor(directory)
        with subprocess.Popen(["qemu-system-x86_64", "-cdrom", "baton.iso", "-display", "none", "-qmp",
                               "unix:qmp"], cwd=directory, stdin=subprocess.DEVNULL) as qemu:
            try:
                screen_shows(monitor, qemu, "baton:/$")
                for at, key in enumerate("poweroff", 1):  # each is seen before the next: none is lost
                    monitor.ask("human-monitor-command", **{"command-line": f"sendkey {key} 20"})
                    screen_shows(monitor, qemu, "baton:/$ poweroff"[:9 + at])
                monitor.ask("human-monitor-command", **{"command-line": "sendkey ret 20"})
                check(qemu.wait(HANG) == 0, "its power is not off")
            except subprocess.TimeoutExpired:
                raise Failed("poweroff did not end QEMU") from None
            finally:
                qemu.kill()
        monitor.close()
