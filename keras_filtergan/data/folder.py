"""Image sets from a folder: one sub-folder of PNG or JPEG files a class."""

from collections import Counter
from pathlib import Path

import numpy as np

from keras_filtergan.data.dataset import ImageDataset
from keras_filtergan.data.decoding.image_file import decode_files
from keras_filtergan.data.decoding.image_size import Size
from keras_filtergan.data.decoding.layout import (
    class_folders,
    image_files,
    listed,
    split_folders,
)
from keras_filtergan.data.stratify import stratified_split
from keras_filtergan.errors import InputError


def load_folder(path: str | Path, image_size: Size | None = None) -> ImageDataset:
    """Loads an image set from class sub-folders of PNG and JPEG files.

    Two layouts are understood; class names are the sorted sub-folder names:

        digits/zero/a.png  digits/one/b.png               split 80/20 class by class
        digits/train/zero/a.png  digits/test/zero/b.png   the split as it stands

    `test/` may be called `val/` or `validation/`, in upper or lower case; of a test and a
    validation folder the first is taken. The 80/20 split is a pure function of the sorted file
    names (see `stratified_split`). Passed over are hidden files and folders, files that are neither
    PNG nor JPEG, and whatever stands beside train/ and test/. The note of the set says what was
    passed over or converted.

    Args:
        path: Of the folder.
        image_size: `(height, width)` to bring the images to, which then may be of any size.

    Raises:
        InputError: No class folders or images, an unreadable folder or file, images of different
            sizes or channels (both files named), train and test with different classes.

    Example:
        >>> load_folder("digits").class_names
        ('one', 'zero')
    """
    path = Path(path)
    splits = split_folders(path)
    passed_over, converted = Counter[str](), Counter[str]()
    if splits is None:
        names, remark = class_folders(path), ""
        files, labels = _labelled_files(path, names, passed_over)
        for index, name in enumerate(names):
            if np.count_nonzero(labels == index) < 2:
                raise InputError(
                    f"{path}: expected at least 2 images in each class, to split into train and "
                    f"test. Received: 1 in {name}; add images, or make train/ and test/ folders."
                )
        rows = stratified_split(labels)
    else:
        *parts, remark = splits
        names = _common_classes(path, *parts)
        found = [_labelled_files(path / part, names, passed_over) for part in parts]
        files = [file for files, _ in found for file in files]
        labels = np.concatenate([labels for _, labels in found])
        count = len(found[0][0])
        rows = np.arange(count), np.arange(count, len(files))
    x_train, x_test = decode_files(files, rows, converted, image_size)
    name = path.resolve().name
    remarks = [
        f"folder {name}",
        remark,
        f"files of other kinds passed over: {listed(passed_over)}" if passed_over else "",
        f"files converted: {listed(converted)}" if converted else "",
    ]
    return ImageDataset(
        name,
        x_train,
        labels[rows[0]],
        x_test,
        labels[rows[1]],
        tuple(names),
        "; ".join(filter(None, remarks)),
    )


def _common_classes(path: Path, train: str, test: str) -> list[str]:
    """The classes of both folders."""
    of_train, of_test = class_folders(path / train), class_folders(path / test)
    if of_train != of_test:
        odd = ", ".join(sorted(set(of_train) ^ set(of_test)))
        raise InputError(
            f"{path}: expected the same class folders in {train}/ and {test}/. "
            f"Received: {odd} in only one of them; add or remove it."
        )
    return of_train


def _labelled_files(
    folder: Path, names: list[str], passed_over: Counter[str]
) -> tuple[list[Path], np.ndarray]:
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(names):
        found = image_files(folder / name, passed_over)
        files += found
        labels += [label] * len(found)
    return files, np.array(labels, np.int32)
