"""Recorded runs: QEMU's record/replay, for tools/run --record and --replay.

A recording is a folder: the log of what came from outside, the kernel and the initramfs as they
were, an image whose one use is to hold the snapshot of the start, and the QEMU command.
"""
import json
import os
import shutil
import subprocess

from launch import host
from launch.host import LaunchError

COMMAND, LOG, SNAPSHOTS, KERNEL, INITRD = "qemu.json", "replay.bin", "start.qcow2", "kernel", "initrd"


def _quoted(path: str) -> str:
    """In an option with commas between its parts."""
    return path.replace(",", ",,")


def _icount(mode: str, folder: str) -> list[str]:
    """In addition to an earlier -icount: what is said last holds."""
    return ["-icount", f"rr={mode},rrfile={_quoted(folder)}/{LOG},rrsnapshot=start"]


def recorded(command: list[str], directory: str, folder: str, nonce: str) -> list[str]:
    """The command that records what `command`, which has -kernel, -initrd and -icount, would do. Its
    files are in `directory`."""
    os.makedirs(folder, exist_ok=True)
    folder = os.path.abspath(folder)
    try:
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", f"{folder}/{SNAPSHOTS}", "1G"],
                       check=True)
    except FileNotFoundError:
        raise LaunchError("--record needs qemu-img: tools/setup test") from None
    except subprocess.CalledProcessError:  # it has told why
        raise LaunchError(f"--record {folder}: no image for the snapshot could be made there") from None
    command = list(command)
    for name in (KERNEL, INITRD):
        shutil.copyfile(f"{directory}/{name}", f"{folder}/{name}")
    command += _icount("record", folder)
    command += ["-drive", f"file={_quoted(folder)}/{SNAPSHOTS},if=none,id=snapshots", "-net", "none"]
    # To go back, QEMU resets its devices and holds the replay's mutex meanwhile. One of them, a part
    # of the APIC for old Windows (kvmvapic), then waits for the CPU's thread, which may be waiting
    # for that mutex: with four replays side by side, one step back in twenty never returned.
    command += ["-global", "apic.vapic=off"]
    shutil.copyfile(host.KERNEL, f"{folder}/baton.elf")
    with open(f"{folder}/{COMMAND}", "w") as f:
        json.dump({"nonce": nonce, "command": command}, f)
    return command


def replayed(folder: str, directory: str) -> tuple[list[str], str]:
    """The command that replays a recording, run in `directory`, and its nonce."""
    folder = os.path.abspath(folder)
    try:
        with open(f"{folder}/{COMMAND}") as f:
            saved = json.load(f)
        for name in (KERNEL, INITRD):
            os.symlink(f"{folder}/{name}", f"{directory}/{name}")
    except FileNotFoundError:
        raise LaunchError(f"{folder} has no recording: make record CMD='...'") from None
    return saved["command"] + _icount("replay", folder), saved["nonce"]
