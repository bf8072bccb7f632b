"""Where in a folder the images are: classes, splits, and what stands beside them."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from keras_filtergan.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg")
SKIPPED = (".", "__MACOSX")  # hidden, and what unpacking a zip from a Mac leaves
TRAIN = ("train", "training")
TEST = ("test", "testing")
VALIDATION = ("val", "valid", "validation")


def split_folders(path: Path) -> tuple[str, str, str] | None:
    """Names of the folders for training and testing, and what to say of them.

    `train/` with `test/`, `val/` or `validation/`, in upper or lower case; where there is a test
    and a validation folder, the test folder is taken.

    Returns:
        `None` where the folders are classes.

    Raises:
        InputError: two folders for one purpose, such as `train/` and `Train/`.

    Example:
        >>> split_folders(Path("digits")) is None     # digits/one, digits/zero
        True
    """
    folders = sub_folders(path)
    train, test, validation = (_of_purpose(path, folders, n) for n in (TRAIN, TEST, VALIDATION))
    if train and test:
        over = f"test images are those of {test}/, {validation}/ is passed over"
        return train, test, over if validation else ""
    if train and validation:
        return train, validation, f"test images are those of {validation}/"
    return None


def class_folders(path: Path) -> list[str]:
    """Names of the class folders, sorted.

    Raises:
        InputError: fewer than two, or an unreadable folder.

    Example:
        >>> class_folders(Path("digits"))
        ['one', 'zero']
    """
    names = sub_folders(path)
    if len(names) < 2:
        advice = "put each class in its own folder"
        if names and names[0].lower() in TRAIN:
            advice = f"add a test/ folder beside it, or give {path / names[0]} to have it split"
        raise InputError(
            f"{path}: expected two or more class sub-folders of PNG or JPEG images. "
            f"Received: {', '.join(names) or 'no sub-folder'}; {advice}."
        )
    return names


def image_files(folder: Path, passed_over: Counter[str]) -> list[Path]:
    """The PNG and JPEG files of a class, sorted; others are counted by their suffix.

    Raises:
        InputError: there is none, or the folder is unreadable.

    Example:
        >>> [file.name for file in image_files(Path("digits/one"), Counter())][:2]
        ['0.png', '1.png']
    """
    found, others = [], Counter[str]()
    for entry in _entries(folder):
        if entry.name.lower().endswith(SUFFIXES):
            found.append(Path(entry.path))
        elif os.path.isfile(entry.path):
            others[Path(entry.name).suffix.lower() or "without suffix"] += 1
    if not found:
        received = f"files of other kinds, {listed(others)}" if others else "none"
        raise InputError(
            f"{folder}: expected PNG or JPEG images in every class folder. "
            f"Received: {received}; add images there, convert them, or remove the folder."
        )
    passed_over.update(others)
    return found


def listed(counts: Mapping[str, int]) -> str:
    """Counts in words, the largest first.

    Example:
        >>> listed({".txt": 1, ".webp": 12})
        '12 .webp, 1 .txt'
    """
    order = sorted(counts, key=lambda name: (-counts[name], name))
    return ", ".join(f"{counts[name]} {name}" for name in order)


def sub_folders(path: Path) -> list[str]:
    """Names of the visible folders in a folder, sorted.

    Raises:
        InputError: an unreadable folder, or a link in it that leads nowhere.
    """
    return [entry.name for entry in _entries(path) if _is_folder(entry)]


def _is_folder(entry: os.DirEntry) -> bool:
    if entry.is_symlink() and not os.path.exists(entry.path):
        raise InputError(
            f"Expected class folders of images. Received: {entry.path}, a link that leads nowhere; "
            "remove it."
        )
    return entry.is_dir()


def _of_purpose(path: Path, folders: list[str], names: tuple[str, ...]) -> str | None:
    found = [folder for folder in folders if folder.lower() in names]
    if len(found) > 1:
        raise InputError(
            f"{path}: expected one folder {names[0]}/. Received: {', '.join(found)}; "
            "remove or rename one."
        )
    return found[0] if found else None


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
