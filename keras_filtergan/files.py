"""Files that nobody ever sees half of, and what may be written into them."""

import contextlib
import json
import math
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_filtergan.errors import InputError

if TYPE_CHECKING:
    import keras
    from matplotlib.figure import Figure


@contextlib.contextmanager
def in_one_step(path: Path) -> Iterator[Path]:
    """A path to write to instead: a reader of `path` sees the old file, the new one or none.

    The ending is kept, for libraries that go by it. If the body fails, nothing is left.

    Example:
        >>> with in_one_step(Path("kernels.npy")) as aside:
        ...     np.save(aside, kernels)
    """
    aside = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield aside
        os.replace(aside, path)
    finally:
        aside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step, and through to the disk."""
    with in_one_step(path) as aside, open(aside, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON file in one step.

    Raises:
        ValueError: NaN or infinity, which JSON does not have; see `plain`.
    """
    write_text(path, json.dumps(content, indent=2, allow_nan=False) + "\n")


def save_figure(figure: "Figure", path: Path) -> None:
    """Save a picture in one step."""
    with in_one_step(path) as aside:
        figure.savefig(aside, dpi=130)


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
    """A text spelled so that it can be part of a file's name.

    Example:
        >>> file_name("backbone/block 3")
        'backbone-block_3'
    """
    return re.sub(r"[^\w.,+=()-]+", "_", str(text).replace("/", "-"))


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
