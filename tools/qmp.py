"""Commands for a QEMU that runs in a folder: its socket for machines, qmp."""
import json
import os
import socket


def ask(directory: str, command: str) -> None:
    """OSError where there is no such socket, or no answer."""
    at = os.open(directory, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as qmp:
            qmp.settimeout(5)
            qmp.connect(f"/proc/self/fd/{at}/qmp")  # a socket's name has only 108 bytes
            for execute in ("qmp_capabilities", command):
                qmp.recv(4096)
                qmp.sendall(json.dumps({"execute": execute}).encode() + b"\n")
            qmp.recv(4096)
    finally:
        os.close(at)
