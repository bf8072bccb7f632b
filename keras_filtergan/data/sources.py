"""One name to one image set: the bundled sample, a file, a folder or TensorFlow Datasets."""

import dataclasses
import difflib
import os
import re
from pathlib import Path

from keras_filtergan.data.dataset import ImageDataset
from keras_filtergan.data.decoding.image_size import Size, check_size
from keras_filtergan.data.stratify import mixed
from keras_filtergan.errors import InputError

BUNDLED = "mnist_sample"
BUNDLED_FOLDER = Path(__file__).parent / BUNDLED / "1.0.0"
BUNDLED_NOTE = (
    "stratified sample of MNIST (1,000 training and 200 test images a digit); "
    "for all 70,000 images: `dataset` mnist"
)


def load_dataset(
    name: str | Path,
    data_dir: str | Path | None = None,
    image_size: int | tuple[int, int] | None = None,
) -> ImageDataset:
    """Loads the image set of that name.

    In this order, `name` is

    1. `"mnist_sample"`: the bundled set, always there, no network;
    2. the name of a TFDS set, registered or prepared in `data_dir`, with `/config` and `:version`
       where wanted;
    3. a path: a `.npz` file, a folder of class sub-folders, or a prepared TFDS folder: that of a
       version, or the one above, of which the latest version is taken.

    A folder that shares its name with a TFDS set is meant by `./name`. Images that come class by
    class, as from class folders, are interleaved so that any first n of them hold all classes (see
    `data.stratify.mixed`); numbers of test images count in that order.

    Args:
        name: Name or path.
        data_dir: Folder of prepared TFDS sets; default `$TFDS_DATA_DIR`, else TFDS's own.
        image_size: Height and width, or one number for both, to which images are resized when they
            are read; default as they are.

    Raises:
        InputError: Unknown name (the nearest names are given), missing or unreadable path, no
            network for a set that is not there, or contents that make no image set.

    Example:
        >>> data = load_dataset("mnist_sample")
        >>> data.x_train.shape, data.x_test.shape
        ((10000, 28, 28, 1), (2000, 28, 28, 1))
    """
    name = os.fspath(name)
    if not name.strip():
        raise InputError(
            f"Expected the name of an image set or a path. Received: {name!r}; try {BUNDLED}."
        )
    return mixed(_load(name, data_dir, check_size(image_size)))


def absolute_source(name: str | Path, data_dir: str | Path | None = None) -> str:
    """The same name, or the absolute path if it is one: what other working directories understand.

    Args:
        name: as of `load_dataset`; one that stands for nothing comes back as it is.
        data_dir: as of `load_dataset`.

    Example:
        >>> absolute_source("mnist"), absolute_source("./digits.npz")
        ('mnist', '/.../digits.npz')
    """
    name = os.fspath(name)
    path = os.path.abspath(os.path.expanduser(name))
    if name == BUNDLED or not os.path.exists(path):
        return name
    if not _is_plainly_a_path(name):
        from keras_filtergan.data import tfds

        if _set_name(name) in tfds.known_tfds_names(data_dir):
            return name
    return path


def _load(name: str, data_dir: str | Path | None, image_size: Size | None) -> ImageDataset:
    if name == BUNDLED:
        return _load_bundled(image_size)
    if not _is_plainly_a_path(name):
        from keras_filtergan.data import tfds

        known = tfds.known_tfds_names(data_dir)
        if _set_name(name) in known:
            return tfds.load_tfds(name, data_dir, image_size)
        if not os.path.lexists(name) and "/" not in name:
            raise _unknown(name, known)
    return _load_path(Path(name).expanduser(), image_size)


def _set_name(name: str) -> str:
    """A TFDS name without its configuration and version."""
    return re.split("[/:]", name)[0]


def _is_plainly_a_path(name: str) -> bool:
    return name.startswith((".", "~", os.sep)) or name.endswith(".npz")


def _load_bundled(image_size: Size | None) -> ImageDataset:
    from keras_filtergan.data import tfds

    if not BUNDLED_FOLDER.is_dir():
        raise InputError(
            f"Expected the bundled images in {BUNDLED_FOLDER}. Received: no such folder; "
            "install the package again, or run tools/make_mnist_sample.py."
        )
    data = tfds.load_tfds_directory(BUNDLED_FOLDER, BUNDLED, image_size)
    return dataclasses.replace(data, note=BUNDLED_NOTE)


def _load_path(path: Path, image_size: Size | None) -> ImageDataset:
    if not os.path.exists(path):  # Path.exists raises where a parent is unreadable
        raise InputError(
            "Expected a .npz file, a folder of class folders, or a TFDS name. "
            f"Received: {path}, which does not exist or cannot be reached; check the path."
        )
    if path.suffix == ".npz":
        from keras_filtergan.data.npz import load_npz

        return load_npz(path, image_size)
    if not os.path.isdir(path):
        raise InputError(
            f"Expected a .npz file or a folder of class folders. Received: the file {path}; "
            "save arrays as .npz, or images in one sub-folder a class."
        )
    prepared = _prepared(path)
    if prepared:
        from keras_filtergan.data import tfds

        return tfds.load_tfds_directory(prepared, prepared.resolve().parent.name, image_size)
    from keras_filtergan.data.folder import load_folder

    return load_folder(path, image_size)


def _prepared(path: Path) -> Path | None:
    """The TFDS folder that a path means, if any: itself, or its latest version."""
    if os.path.exists(path / "dataset_info.json"):
        return path
    versions = [
        info.parent
        for info in path.glob("*/dataset_info.json")
        if re.fullmatch(r"\d+\.\d+\.\d+", info.parent.name)
    ]
    return max(versions, key=lambda one: [*map(int, one.name.split("."))], default=None)


def _unknown(name: str, known: list[str]) -> InputError:
    near = difflib.get_close_matches(name, [BUNDLED, *known], n=3)
    advice = f"did you mean {', '.join(near)}?" if near else f"try {BUNDLED}, mnist or cifar10."
    return InputError(
        "Expected mnist_sample, a TFDS name, a .npz file or a folder. "
        f"Received: {name!r}, which is none of them; {advice}"
    )
