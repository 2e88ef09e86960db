"""Load Baton's commands into gdb: `gdb -nx -x tools/gdb/load.py build/baton.elf [CORE]`.

`make gdb` does it, and connects to QEMU. `help kernel` lists the commands.
"""
import os
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]

import baton.load  # noqa: E402,F401
