"""Files from elsewhere: plain files only, of bounded size, with errors of one kind."""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator

from keras_filtergan.errors import InputError
from keras_filtergan.guards.causes import cause_of

LARGEST_FILE = 2**40  # bytes of what is read piece by piece


@contextlib.contextmanager
def refusing(message: Callable[[str], str]) -> Iterator[None]:
    """Turn whatever a library raises about a file into an `InputError` of one line.

    A damaged archive, picture or HDF5 file raises almost anything. An `InputError` of the body goes
    through as it is, and so does an interruption.

    Args:
        message: the reason, in a few words → the line.

    Example:
        >>> with refusing(lambda reason: f"'none.npz' is damaged ({reason})"):
        ...     open("none.npz")
        Traceback (most recent call last):
            ...
        InputError: 'none.npz' is damaged (No such file or directory)
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(message(reason_of(error))) from error


def reason_of(error: BaseException) -> str:
    """What an error says, in a few words; its kind if it says nothing."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, MemoryError):
        return "too little memory"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return cause_of(error) or type(error).__name__


def check_plain_file(path: str | os.PathLike, largest: int = LARGEST_FILE) -> int:
    """Refuse what is no plain file: a pipe would block for ever, a device may never end.

    Args:
        path: links are followed.
        largest: bytes that it may have.

    Returns:
        Its size in bytes.

    Raises:
        InputError: it is not there, no plain file, or larger.
    """
    with refusing(lambda reason: f"expected a readable file, received {str(path)!r} ({reason})"):
        status = os.stat(path)
    _check_status(path, status, largest)
    return status.st_size


def read_plain_file(path: str | os.PathLike, largest: int) -> bytes:
    """The content of a plain file of at most so many bytes.

    What is checked is what is read, even if somebody puts something else in its place meanwhile.

    Args:
        path: links are followed.
        largest: bytes that it may have.

    Raises:
        InputError: it cannot be read, is no plain file, or is larger.
        FileNotFoundError: there is none, for callers that know what this means.
    """
    try:
        # Without O_NONBLOCK, opening a pipe waits for somebody who writes into it.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(
            f"expected a readable file, received {str(path)!r} ({reason_of(error)})"
        ) from None
    try:
        _check_status(path, os.fstat(handle), largest)
    except BaseException:
        os.close(handle)
        raise
    with (
        open(handle, "rb") as file,
        refusing(lambda reason: f"cannot read {str(path)!r} ({reason})"),
    ):
        content = file.read(largest + 1)
    if len(content) > largest:  # it grew
        raise _too_large(path, len(content), largest)
    return content


def _check_status(path: str | os.PathLike, status: os.stat_result, largest: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        kinds = {
            stat.S_IFDIR: "a folder",
            stat.S_IFIFO: "a pipe",
            stat.S_IFCHR: "a device",
            stat.S_IFBLK: "a device",
            stat.S_IFSOCK: "a socket",
        }
        kind = kinds.get(stat.S_IFMT(status.st_mode), "something else")
        raise InputError(f"expected a plain file, {str(path)!r} is {kind}; remove it")
    if status.st_size > largest:
        raise _too_large(path, status.st_size, largest)


def _too_large(path: str | os.PathLike, size: int, largest: int) -> InputError:
    return InputError(
        f"expected a file of at most {largest:,} bytes, {str(path)!r} has {size:,}; "
        "it is not what it should be"
    )
