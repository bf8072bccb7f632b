"""Image sets from one `.npz` file of four arrays."""

import zipfile
from pathlib import Path

import numpy as np

from keras_filtergan.data.dataset import ImageDataset
from keras_filtergan.data.decoding.image_size import Size
from keras_filtergan.data.decoding.resizing import resized
from keras_filtergan.errors import InputError
from keras_filtergan.guards.archives import array_bytes
from keras_filtergan.guards.memory import check_memory
from keras_filtergan.guards.reading import check_plain_file, refusing

ARRAYS = ("x_train", "y_train", "x_test", "y_test")


def load_npz(path: str | Path, image_size: Size | None = None) -> ImageDataset:
    """Loads an image set from `x_train`, `y_train`, `x_test`, `y_test` in a `.npz` file.

    Grey images `(n, height, width)` get a channel axis and labels `(n, 1)` lose theirs (the
    form of `keras.datasets.cifar10`). A fifth array of strings, `class_names`, is optional;
    without it the classes are called "0", "1", ….

    Pickled objects are never loaded: a file from elsewhere cannot run code here.

    Args:
        path: Of the file.
        image_size: `(height, width)` to bring the images to.

    Raises:
        InputError: Unreadable or broken file, missing array, or contents that `ImageDataset`
            refuses.

    Example:
        >>> np.savez("dots.npz", x_train=x, y_train=y, x_test=x_test, y_test=y_test)
        >>> load_npz("dots.npz").name
        'dots'
    """
    path = Path(path)
    arrays = _read(path)
    for split in ("train", "test"):
        if arrays[f"x_{split}"].ndim == 3:
            arrays[f"x_{split}"] = arrays[f"x_{split}"][..., np.newaxis]
        if arrays[f"y_{split}"].ndim == 2 and arrays[f"y_{split}"].shape[1] == 1:
            arrays[f"y_{split}"] = arrays[f"y_{split}"][:, 0]
        if arrays[f"x_{split}"].ndim == 4 and arrays[f"x_{split}"].dtype.kind in "biuf":
            arrays[f"x_{split}"] = resized(arrays[f"x_{split}"], image_size)
    names = arrays.pop("class_names", None)
    if names is None:
        names = _numbered_classes(arrays["y_train"], arrays["y_test"], path)
    elif names.ndim != 1 or names.dtype.kind != "U":
        raise InputError(
            f"{path}: expected class_names as a list of strings. Received: {names.dtype} of shape "
            f"{names.shape}; save it as np.array(['cat', 'dog'])."
        )
    return ImageDataset(path.stem, **arrays, class_names=tuple(names), note=f"from {path.name}")


def _read(path: Path) -> dict[str, np.ndarray]:
    key = None

    def refusal(reason: str) -> str:
        where = f"array {key} in {path}" if key else str(path)
        return (
            f"Expected a readable .npz file of plain arrays. Received: {where} ({reason}); "
            "write it again with np.savez."
        )

    with refusing(refusal):
        check_plain_file(path)
        size = 2 * array_bytes(path, (*ARRAYS, "class_names")) if zipfile.is_zipfile(path) else 0
        check_memory(size, f"the arrays of {path}", "take fewer or smaller images")
        with path.open("rb") as stream:  # np.load(path) leaves a broken file open
            file = np.load(stream, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise InputError(
                    f"{path}: expected a .npz file with arrays {', '.join(ARRAYS)}. "
                    "Received: a single array; save it with np.savez."
                )
            missing = [name for name in ARRAYS if name not in file.files]
            if missing:
                raise InputError(
                    f"{path}: expected arrays {', '.join(ARRAYS)}. Received: "
                    f"{', '.join(file.files) or 'no array'}; add {', '.join(missing)}."
                )
            arrays = {}
            for key in (*ARRAYS, "class_names"):  # read now: np.load only opens the file
                if key in file.files:
                    arrays[key] = file[key]
                    if not isinstance(arrays[key], np.ndarray):
                        raise ValueError("not an array")
            return arrays


def _numbered_classes(y_train: np.ndarray, y_test: np.ndarray, path: Path) -> tuple[str, ...]:
    """Names "0" to the largest label; `ImageDataset` judges everything else about labels."""
    count, largest = y_train.size + y_test.size, 1
    for labels in (y_train, y_test):
        if labels.size and np.issubdtype(labels.dtype, np.integer):
            largest = max(largest, int(labels.max()))
    if largest >= max(count, 2):
        raise InputError(
            f"{path}: expected class indices 0, 1, 2, …. Received: a label of {largest} among only "
            f"{count} images; number the classes from 0."
        )
    return tuple(str(index) for index in range(largest + 1))
