"""What holds from the first import on: this module comes before all others.

Standard descriptors are open: where 0, 1 or 2 is closed, the next file that is opened would be taken for
it, and libraries keep files open (libffi does, of ctypes). And ^C ends a tool that has not begun yet
without a word: a traceback through half of its imports tells nobody anything (host.handle_ends).
"""
import os
import signal

for _fd in range(3):
    try:
        os.fstat(_fd)
    except OSError:
        os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: _fd
if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored, as nohup(1) has it
    signal.signal(signal.SIGINT, signal.SIG_DFL)
