"""Standard descriptors that are open, from the import on: where 0, 1 or 2 is closed, the next file that is
opened would be taken for it. It comes before all else: libraries keep files open (libffi does, of ctypes)."""
import os

for _fd in range(3):
    try:
        os.fstat(_fd)
    except OSError:
        os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: _fd
