"""Let the machine run to a place, from within a command."""
import gdb

from . import tasks


def register(name: str) -> int:
    return int(gdb.newest_frame().read_register(name)) & (1 << 64) - 1


def live() -> None:
    connection = gdb.selected_inferior().connection
    if connection is None or tasks.on_core():
        raise gdb.GdbError("this needs a machine that can run: `make gdb`")


class Point(gdb.Breakpoint):
    """A breakpoint of a command's own, silent; it stops where `wanted` says so."""

    def __init__(self, place: int | str) -> None:
        super().__init__(place if isinstance(place, str) else f"*{place:#x}", internal=True)
        self.silent = True

    def wanted(self) -> bool:
        return True

    def stop(self) -> bool:
        return self.wanted()


class OnThread(Point):
    """Stops one CPU there, not another."""

    def __init__(self, place: int, thread: int) -> None:
        super().__init__(place)
        self.cpu = thread

    def wanted(self) -> bool:
        return gdb.selected_thread().num == self.cpu


def run_to(point: Point, place: int, what: str) -> None:
    """Continue until `point` stops at `place`; the error says that `what` did not come."""
    try:
        gdb.execute("continue", to_string=True)
        if register("rip") != place:
            raise gdb.GdbError(f"the machine stopped before {what} came")
    except gdb.error:
        raise gdb.GdbError(f"the machine ended before {what} came") from None
    finally:
        if point.is_valid():
            point.delete()


def go_to(place: int, what: str) -> None:
    """The same for this CPU, any time."""
    run_to(OnThread(place, gdb.selected_thread().num), place, what)
