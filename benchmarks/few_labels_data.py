"""Few labels of new classes: which images teach, which choose, which judge."""

import dataclasses
from pathlib import Path

import numpy as np

from keras_filtergan.data import ImageDataset
from keras_filtergan.data.stratify import stratified_split
from keras_filtergan.errors import InputError

VALIDATION_SHARE = 1 / 6  # of the new classes' training images


@dataclasses.dataclass(frozen=True)
class NewClasses:
    """The images of the classes that the network has never seen, in three disjoint parts.

    Attributes:
        pool: images and labels `(n, h, w, c)`, `(n,)` from which the few are drawn.
        validation: training images too; whatever is chosen is chosen on them.
        test: all test images of these classes.
    """

    pool: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]


def halves(dataset: ImageDataset) -> tuple[ImageDataset, ImageDataset]:
    """The first and the second half of a set's classes, each numbered from 0.

    Raises:
        InputError: the number of classes is odd, or below 4.
    """
    count = dataset.num_classes
    if count % 2 or count < 4:
        raise InputError(
            f"expected an even number of classes from 4 on, {dataset.name} has {count}"
        )
    middle = count // 2
    return _of_classes(dataset, 0, middle), _of_classes(dataset, middle, count)


def _of_classes(dataset: ImageDataset, first: int, end: int) -> ImageDataset:
    arrays = {}
    for split in ("train", "test"):
        labels = getattr(dataset, f"y_{split}")
        rows = np.flatnonzero((labels >= first) & (labels < end))
        arrays |= {
            f"x_{split}": getattr(dataset, f"x_{split}")[rows],
            f"y_{split}": labels[rows] - first,
        }
    name = f"{dataset.name}-{first}to{end - 1}"
    return ImageDataset(name, **arrays, class_names=dataset.class_names[first:end])


def save_npz(dataset: ImageDataset, folder: Path) -> Path:
    """Write a set where `Settings.dataset` can name it; the same set gives the same path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{dataset.name}.npz"
    arrays = {
        f"{part}_{split}": getattr(dataset, f"{part}_{split}")
        for part in "xy"
        for split in ("train", "test")
    }
    np.savez(path, **arrays, class_names=np.array(dataset.class_names))
    return path


def new_classes(dataset: ImageDataset) -> NewClasses:
    """Split a set into pool, validation and test; the first two are its training images."""
    pool, validation = stratified_split(dataset.y_train, VALIDATION_SHARE)
    return NewClasses(
        (dataset.x_train[pool], dataset.y_train[pool]),
        (dataset.x_train[validation], dataset.y_train[validation]),
        (dataset.x_test, dataset.y_test),
    )


def balanced_subset(labels: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Numbers of `count` examples, as many of each class, drawn without replacement by seed.

    Of one seed, the smaller subset is part of the larger one.

    Raises:
        InputError: the classes cannot have equal shares, or one has too few examples.
    """
    classes = np.unique(labels)
    share, rest = divmod(count, len(classes))
    if rest or share < 1:
        raise InputError(f"expected a multiple of {len(classes)} classes, received {count} labels")
    chosen = []
    for label in classes:
        members = np.flatnonzero(labels == label)
        if len(members) < share:
            raise InputError(
                f"expected {share} examples of class {label}, there are {len(members)}"
            )
        order = np.random.default_rng([seed, int(label)]).permutation(len(members))
        chosen.append(members[order[:share]])
    return np.sort(np.concatenate(chosen))


def batches(count: int, batch_size: int, steps: int, seed: int) -> np.ndarray:
    """Which of `count` examples each step sees, `(steps, batch_size)`: shuffled pass after pass.

    A batch may hold an example more than once where there are fewer examples than places.
    """
    random = np.random.default_rng([seed, count])
    passes = -(-steps * batch_size // count)
    order = np.concatenate([random.permutation(count) for _ in range(passes)])
    return order[: steps * batch_size].reshape(steps, batch_size)
