"""Work side by side, that ends when its user wants it to."""
import signal
from concurrent.futures import ThreadPoolExecutor

from launch.host import Ended


class Pool(ThreadPoolExecutor):
    """Who leaves it by an exception begins nothing of the rest. It waits for what runs, but where a signal
    ends us that, unlike ^C, the children do not get."""

    def __exit__(self, kind: type | None, error: BaseException | None, *more: object) -> None:
        self.shutdown(wait=not isinstance(error, Ended) or error.number == signal.SIGINT, cancel_futures=bool(kind))
