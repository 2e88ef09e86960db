"""Work side by side, that ends when its user wants it to."""
from concurrent.futures import ThreadPoolExecutor


class Pool(ThreadPoolExecutor):
    """Who leaves it by an exception, ^C above all, waits for what runs, and begins nothing of the rest."""

    def __exit__(self, kind: type | None, *more: object) -> bool | None:
        if kind:
            self.shutdown(cancel_futures=True)
        return super().__exit__(kind, *more)
