"""Being asked to stop: Ctrl-C, and the SIGTERM of schedulers and containers."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

STOPS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(KeyboardInterrupt):
    """Somebody asked to stop, and what was under way has come to its end.

    A kind of `KeyboardInterrupt`, so that nothing takes it for an error.

    Attributes:
        signum: the signal that arrived.
    """

    def __init__(self, message: str = "", signum: int = signal.SIGINT):
        super().__init__(message)
        self.signum = signum


def exit_code(stop: KeyboardInterrupt) -> int:
    """What a process ends with that was stopped: 128 and the signal's number, 130 or 143."""
    return 128 + getattr(stop, "signum", signal.SIGINT)


@contextlib.contextmanager
def termination_as_interruption() -> Iterator[None]:
    """Within, SIGTERM raises `Interrupted` as Ctrl-C raises `KeyboardInterrupt`."""

    def stop(signum: int, frame: FrameType | None) -> None:
        raise Interrupted(signum=signum)

    with _handled((signal.SIGTERM,), stop):
        yield


class StopRequest:
    """Within, a signal to stop is noted and nothing else, until there is a good moment.

    The second such signal acts at once. Outside the main thread there are no signals and nothing is
    ever noted.

    Attributes:
        signum: of the signal that arrived, `None` before.

    Example:
        >>> with StopRequest() as request:
        ...     print(bool(request))
        False
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self._handlers = contextlib.ExitStack()

    def __bool__(self) -> bool:
        return self.signum is not None

    def __enter__(self) -> "StopRequest":
        self._handlers.enter_context(_handled(STOPS, self._note))
        return self

    def __exit__(self, *exception: object) -> None:
        self._handlers.close()

    def _note(self, signum: int, frame: FrameType | None) -> None:
        self.signum = signum
        self._handlers.close()


@contextlib.contextmanager
def _handled(signals: tuple[int, ...], handler: Any) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what signals do
        return
    before = {signum: signal.signal(signum, handler) for signum in signals}
    try:
        yield
    finally:
        for signum, previous in before.items():
            signal.signal(signum, previous)
