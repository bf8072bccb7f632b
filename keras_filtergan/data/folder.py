"""Image sets from a folder: one sub-folder of PNG or JPEG files a class."""

import io
import os
import warnings
from pathlib import Path

import numpy as np

from keras_filtergan.data.dataset import ImageDataset
from keras_filtergan.data.stratify import stratified_split
from keras_filtergan.errors import InputError
from keras_filtergan.guards.memory import check_memory
from keras_filtergan.guards.reading import read_plain_file

SUFFIXES = (".png", ".jpg", ".jpeg")
LARGEST_IMAGE = 2**28  # bytes of a file
SKIPPED = (".", "__MACOSX")  # hidden, and what unpacking a zip from a Mac leaves


def load_folder(path: str | Path) -> ImageDataset:
    """Loads an image set from class sub-folders of PNG and JPEG files.

    Two layouts are understood; class names are the sorted sub-folder names:

        digits/zero/a.png  digits/one/b.png               split 80/20 class by class
        digits/train/zero/a.png  digits/test/zero/b.png   the split as it stands

    The 80/20 split is a pure function of the sorted file names (see `stratified_split`). Hidden
    files and folders, files that are neither PNG nor JPEG, and whatever stands beside train/ and
    test/ are passed over.

    Raises:
        InputError: No class folders or images, an unreadable folder or file, images of different
            sizes or channels (both files named), train and test with different classes.

    Example:
        >>> load_folder("digits").class_names
        ('one', 'zero')
    """
    path = Path(path)
    folders = _class_folders(path)
    if {"train", "test"} <= set(folders):
        train, test = _class_folders(path / "train"), _class_folders(path / "test")
        if train != test:
            odd = ", ".join(sorted(set(train) ^ set(test)))
            raise InputError(
                f"{path}: expected the same class folders in train/ and test/. "
                f"Received: {odd} in only one of them; add or remove it."
            )
        names = train
        train_files, y_train = _labelled_files(path / "train", names)
        test_files, y_test = _labelled_files(path / "test", names)
        images = _decode_all(train_files + test_files)
        x_train, x_test = images[: len(y_train)], images[len(y_train) :]
    else:
        names = folders
        files, labels = _labelled_files(path, names)
        for index, name in enumerate(names):
            if np.count_nonzero(labels == index) < 2:
                raise InputError(
                    f"{path}: expected at least 2 images in each class, to split into train and "
                    f"test. Received: 1 in {name}; add images, or make train/ and test/ folders."
                )
        images = _decode_all(files)
        train_index, test_index = stratified_split(labels)
        x_train, y_train = images[train_index], labels[train_index]
        x_test, y_test = images[test_index], labels[test_index]
    name = path.resolve().name
    return ImageDataset(name, x_train, y_train, x_test, y_test, tuple(names), f"folder {name}")


def _entries(folder: Path) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(SKIPPED)]
    except OSError as error:
        raise InputError(
            f"Expected a readable folder. Received: {folder} ({error.strerror}); "
            "check its path and permissions."
        ) from error
    return sorted(visible, key=lambda entry: entry.name)


def _class_folders(folder: Path) -> list[str]:
    names = [entry.name for entry in _entries(folder) if _is_folder(entry)]
    if len(names) < 2:
        raise InputError(
            f"{folder}: expected two or more class sub-folders of PNG or JPEG images. "
            f"Received: {', '.join(names) or 'no sub-folder'}; put each class in its own folder."
        )
    return names


def _is_folder(entry: os.DirEntry) -> bool:
    if entry.is_symlink() and not os.path.exists(entry.path):
        raise InputError(
            f"Expected class folders of images. Received: {entry.path}, a link that leads nowhere; "
            "remove it."
        )
    return entry.is_dir()


def _labelled_files(folder: Path, names: list[str]) -> tuple[list[Path], np.ndarray]:
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(names):
        entries = [e for e in _entries(folder / name) if e.name.lower().endswith(SUFFIXES)]
        if not entries:
            raise InputError(
                f"{folder / name}: expected PNG or JPEG images in every class folder. "
                "Received: none; add images there or remove the folder."
            )
        files += [Path(entry.path) for entry in entries]
        labels += [label] * len(entries)
    return files, np.array(labels, np.int32)


def _decode_all(files: list[Path]) -> np.ndarray:
    """Decodes files of one size and channel count to `(n, height, width, channels)` uint8."""
    images = []
    for file in files:
        images.append(_decode(file))
        if len(images) == 1:
            size = 2 * len(files) * images[0].nbytes  # once more while they are stacked
            check_memory(size, f"{len(files):,} images like {file}", "take fewer or smaller ones")
        if images[-1].shape != images[0].shape:
            raise InputError(
                "Expected images of one size and channel count. Received: "
                f"{files[0]} {images[0].shape} and {file} {images[-1].shape}; "
                "resize or convert them to (height, width, channels) alike."
            )
    return np.stack(images)


def _check_size(file: Path, content: bytes) -> None:
    """Refuse a picture of a few bytes that unpacks to gigabytes, by its header."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(content)) as picture:
                width, height = picture.size
        except Image.DecompressionBombError:
            width, height = 2**20, 2**20
        except Exception:  # TensorFlow says what is wrong with it
            return
    check_memory(4 * width * height, f"the image {file}", "make it smaller or remove it")


def _decode(file: Path) -> np.ndarray:
    import tensorflow as tf  # 4 s to import: only when there is an image to decode

    try:
        content = read_plain_file(file, LARGEST_IMAGE)
        _check_size(file, content)
        image = tf.io.decode_image(content, expand_animations=False).numpy()
    except OSError as error:
        raise InputError(
            f"Expected a readable image file. Received: {file} ({error.strerror}); "
            "check its permissions."
        ) from error
    except tf.errors.InvalidArgumentError as error:
        raise InputError(
            f"Expected a PNG or JPEG image. Received: {file}, which cannot be decoded; "
            "replace or remove it."
        ) from error
    if image.shape[-1] not in (1, 3):
        raise InputError(
            f"Expected grey or colour images. Received: {file} with {image.shape[-1]} channels; "
            "save it without its alpha channel."
        )
    return image
