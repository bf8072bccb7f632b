"""Files that nobody ever sees half of, and what may be written into them."""

import contextlib
import errno
import hashlib
import json
import math
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_filtergan.errors import InputError

if TYPE_CHECKING:
    import keras

ASIDE = ".kfg-"  # begins the name of what is not finished; then the process and its machine
DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
LONGEST_NAME = 120  # letters of a part of a file's name; what is around it needs some as well


@contextlib.contextmanager
def in_one_step(path: Path) -> Iterator[Path]:
    """A path to write to instead: a reader of `path` sees the old file, the new one or none.

    What was written is on the disk before it gets its name, so a power cut leaves no empty file
    either. The ending is kept, for libraries that go by it. If the body fails, nothing is left.

    Raises:
        OSError: there is no space; the message names `path`, whatever library met it.

    Example:
        >>> with in_one_step(Path("kernels.npy")) as aside:
        ...     np.save(aside, kernels)
    """
    with all_in_one_step([path]) as [aside]:
        yield aside


@contextlib.contextmanager
def all_in_one_step(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """The same for files of one folder that belong together: none has its name before all are done.

    They are renamed in their order, so the last one is the sign that all are there.

    Args:
        paths: of one folder, which exists.
    """
    folder = paths[0].parent
    remove_leftovers(folder)
    asides = [aside_of(path) for path in paths]
    try:
        with naming_full_disk(paths[0]):
            yield asides
            for aside in asides:
                _sync(aside)
            for aside, path in zip(asides, paths, strict=True):
                os.replace(aside, path)
            _sync(folder)
    finally:
        for aside in asides:
            aside.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_in_one_step(path: Path) -> Iterator[Path]:
    """An empty folder to fill instead, which then takes the place of `path`; see `in_one_step`.

    Args:
        path: of the folder; those above are made if needed. What is there goes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path.parent)
    aside = aside_of(path)
    try:
        with naming_full_disk(path):
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir()
            yield aside
            for one in (*sorted(aside.rglob("*")), aside):
                _sync(one)
            if path.exists():
                shutil.rmtree(path)
            os.replace(aside, path)
            _sync(path.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextlib.contextmanager
def naming_full_disk(path: Path) -> Iterator[None]:
    """Turn every way to say that there is no space into one, with the path.

    Raises:
        OSError: with `errno` ENOSPC, in the place of what h5py, TensorFlow or a zip has raised.
    """
    try:
        yield
    except Exception as error:
        if not is_disk_full(error):
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error


def is_disk_full(error: BaseException) -> bool:
    """Whether an error, or one that it came from, says that there is no space to write to."""
    held: BaseException | None = error
    texts = [os.strerror(number) for number in DISK_FULL]
    while held is not None:
        if isinstance(held, OSError) and held.errno in DISK_FULL:
            return True
        if any(text in str(held) for text in texts):
            return True
        held = held.__cause__ or held.__context__
    return False


def aside_of(path: Path) -> Path:
    """Where this process writes what shall become `path`."""
    name = path.name if len(path.name) <= LONGEST_NAME else path.name[-LONGEST_NAME:]
    return path.with_name(f"{ASIDE}{os.getpid()}-{_host()}-{name}")


def remove_leftovers(folder: Path) -> None:
    """Remove what processes of this machine had not finished in a folder when they died.

    What a process writes that still runs, or runs elsewhere, stays; so does what cannot be removed.
    """
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(folder)):
            owner = owner_of_leftover(entry.name)
            if owner is not None and not is_running(owner):
                _remove(Path(entry.path))


def owner_of_leftover(name: str) -> int | None:
    """The process of this machine that was writing a file aside; `None` for any other name."""
    found = re.fullmatch(rf"{re.escape(ASIDE)}(\d+)-([^-]*)-.*", name)
    if found:
        return int(found[1]) if found[2] == _host() else None
    found = re.fullmatch(r"\.(\d+)-.+\.(?:json|jsonl|keras|png)", name)  # as version 0.1 did
    return int(found[1]) if found else None


def is_running(pid: int) -> bool:
    """Whether this machine has a process of that number."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # it is somebody else's
        return True
    return True


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step."""
    with in_one_step(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file in one step.

    Raises:
        ValueError: NaN or infinity, which JSON does not have; see `plain`.
    """
    write_text(path, as_json(content))


def as_json(content: dict[str, Any]) -> str:
    """The text of a JSON file."""
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def save_together(writers: dict[Path, Callable[[Path], object]]) -> None:
    """Write files of one folder that belong together; see `all_in_one_step`.

    Args:
        writers: each file → what writes it, given the path to write to instead.
    """
    with all_in_one_step(list(writers)) as asides:
        for write, aside in zip(writers.values(), asides, strict=True):
            write(aside)


def save_model(model: "keras.Model", path: Path) -> None:
    """Save a `.keras` file in one step."""
    with in_one_step(path) as aside:
        model.save(aside)


def plain(value: Any) -> Any:
    """What JSON can hold of numbers and of dicts, lists and arrays of them.

    Returns:
        The same without NumPy's types, and `None` for every number that is not finite.

    Example:
        >>> plain({"mean": np.float32(0.5), "ratios": np.array([1.0, np.nan])})
        {'mean': 0.5, 'ratios': [1.0, None]}
    """
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # an array or a number of NumPy's
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def file_name(text: object) -> str:
    """A text spelled so that it can be part of a file's name, or be one.

    It never says `.` or `..`, begins with no dot (such files are hidden) and is never empty. What
    is cut away from a long one makes no two the same that are not.

    Example:
        >>> file_name("backbone/block 3"), file_name(".."), file_name("")
        ('backbone-block_3', '_', '_')
    """
    spelled = re.sub(r"[^\w.,+=()-]+", "_", str(text).replace("/", "-"))
    spelled = re.sub(r"^\.+", "_", spelled) or "_"
    if len(spelled.encode()) <= LONGEST_NAME:
        return spelled
    rest = hashlib.sha256(str(text).encode(errors="surrogatepass")).hexdigest()[:8]
    start = spelled.encode()[: LONGEST_NAME - 9].decode(errors="ignore")
    return f"{start}-{rest}"


def check_writable(path: Path) -> None:
    """Try to write where the path will be; leaves nothing.

    Raises:
        InputError: it cannot be written.
    """
    nearest = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    try:
        with tempfile.TemporaryDirectory(dir=nearest):
            pass
    except OSError as error:
        raise InputError(
            f"cannot write to {str(path)!r} ({error.strerror}); choose another folder"
        ) from None


def _host() -> str:
    """The name of this machine, as it stands in names of files."""
    return re.sub(r"[^\w.]+", "_", socket.gethostname())[:40]


def _sync(path: Path) -> None:
    """Through to the disk, as far as the file system does so (folders: not everywhere)."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        if path.is_dir():
            return
        raise
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno in (*DISK_FULL, errno.EIO):
            raise
    finally:
        os.close(handle)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
