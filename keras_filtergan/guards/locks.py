"""One process at a time: locks that say who holds them, and that go when their owner dies."""

import contextlib
import datetime
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from keras_filtergan.errors import InputError
from keras_filtergan.files import is_running
from keras_filtergan.guards.records import parse_record

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

OWNER = {"host": str, "pid": int, "since": str}
LOOK_AGAIN = 0.5  # seconds


class Busy(InputError):
    """Another process holds the lock; the message says which, where and since when."""


@contextlib.contextmanager
def locked(
    path: Path,
    what: str,
    advice: str = "wait for it",
    wait: bool = False,
    say: Callable[[str], None] = print,
) -> Iterator[None]:
    """Hold a lock while the body runs.

    The operating system holds it (`flock`) and lets go of it when the process ends, however it
    ends. The file says who the owner is; one that a dead owner has left is told of and taken. Where
    the file system has no locks, what the file says has to do.

    Args:
        path: of the lock's file, in a folder that exists.
        what: is locked, for the messages.
        advice: what the user can do, for the message.
        wait: until the other process is done, instead of giving up.
        say: takes a line when an owner has died, and when there is something to wait for.

    Raises:
        Busy: another process holds it.

    Example:
        >>> with locked(Path("first.lock"), "the first run"):
        ...     print(Path("first.lock").exists())
        True
    """
    told = False
    while True:
        try:
            handle, dead = _take(path)
            break
        except _Held as held:
            line = f"{what} is worked on by {held}"
            if not wait:
                raise Busy(f"{line}; {advice}") from None
            if not told:
                say(f"{line}; waiting for it")
                told = True
            time.sleep(LOOK_AGAIN)
    if dead:
        say(f"{what} was worked on by {dead}, which has ended without finishing; going on")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # before it is let go: nobody else can have taken it
        os.close(handle)


class _Held(Exception):
    """Who holds a lock."""


def _take(path: Path) -> tuple[int, str | None]:
    """An open, locked file with our name in it; and the dead owner who had left it, if any."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            is_locked = _lock(handle)
            owner = _owner(handle)
            if is_locked is False or (is_locked is None and owner and _may_live(owner)):
                raise _Held(_described(owner))
            if not _is_still(handle, path):  # its owner has just removed it
                os.close(handle)
                continue
            _sign(handle)
        except BaseException:
            with contextlib.suppress(OSError):
                os.close(handle)
            raise
        return handle, _described(owner) if owner else None


def _lock(handle: int) -> bool | None:
    """Whether it is ours now; `None` where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_still(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def _owner(handle: int) -> dict[str, Any] | None:
    try:
        return parse_record(os.pread(handle, 1000, 0), OWNER)
    except ValueError:  # empty, or its owner writes it just now
        return None


def _may_live(owner: dict[str, Any]) -> bool:
    return owner["host"] != socket.gethostname() or is_running(owner["pid"])


def _described(owner: dict[str, Any] | None) -> str:
    if owner is None:
        return "another process"
    return f"process {owner['pid']} on {owner['host'][:60]} since {owner['since'][:30]}"


def _sign(handle: int) -> None:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    owner = {"host": socket.gethostname(), "pid": os.getpid(), "since": now}
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(owner).encode(), 0)
    os.fsync(handle)
