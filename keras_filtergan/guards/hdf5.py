"""HDF5 files that hold arrays of their own and nothing else."""

import re
from collections.abc import Iterator

import h5py
import numpy as np

MOST_THINGS = 100_000  # groups and arrays of a file
DEEPEST = 50


def arrays_of(file: h5py.File) -> Iterator[tuple[str, h5py.Dataset]]:
    """All arrays of a file as Keras writes them, by their paths.

    A link may lead out of the file and a group into itself; an array may lie in another file, be
    never written, or unpack from a few bytes to any size.

    Raises:
        ValueError: there is such a thing, or an array of something else than numbers.
    """
    stack: list[tuple[str, h5py.Group]] = [("", file)]
    seen = 0
    while stack:
        place, group = stack.pop()
        for name in group:
            path = f"{place}/{name}".removeprefix("/")
            seen += 1
            if seen > MOST_THINGS or path.count("/") > DEEPEST:
                raise ValueError("it holds more than any network needs")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{path!r} is a link that leads elsewhere")
            held = group[name]
            if isinstance(held, h5py.Group):
                stack.append((path, held))
            elif isinstance(held, h5py.Dataset):
                _check_array(path, held)
                yield path, held


def check_state(file: h5py.File) -> None:
    """Refuse a state of training that could not have been saved: see `arrays_of`, or not finite.

    The slots of optimizers may be anything.

    Raises:
        ValueError: says what is wrong.
    """
    for path, array in arrays_of(file):
        if re.search(r"(^|/)\w*optimizer(/|$)", path) or array.dtype.kind != "f":
            continue
        if not np.isfinite(array[()]).all():
            raise ValueError(f"weight {path!r} is not finite")


def _check_array(path: str, held: h5py.Dataset) -> None:
    if held.dtype.kind not in "fiub":
        raise ValueError(f"{path!r} holds {held.dtype}, expected numbers")
    if held.external or held.is_virtual:
        raise ValueError(f"{path!r} is not held in the file")
    if held.chunks is not None:
        raise ValueError(f"{path!r} is held in chunks, which Keras does not write")
    if held.id.get_storage_size() != held.nbytes:
        raise ValueError(f"{path!r} is not held in the file")
