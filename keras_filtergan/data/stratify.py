"""Classes kept in their shares: in a split, and in the first n images of a set.

A split is drawn from the raw output of PCG64, whose stream NumPy promises never to change
(`Generator.permutation` has no such promise): it stays the same for years.
"""

import dataclasses

import numpy as np

from keras_filtergan.data.dataset import ImageDataset
from keras_filtergan.data.decoding.storage import taken
from keras_filtergan.errors import InputError


def stratified_split(
    labels: np.ndarray, test_fraction: float = 0.2, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Chooses which examples train and which test, class by class.

    Of the n examples of a class, `round(test_fraction * n)` test, though always at least one
    tests and at least one trains. A pure function of its arguments.

    Args:
        labels: Class indices `(n,)`, integers.
        test_fraction: Share of every class that tests, in (0, 1).
        seed: Non-negative integer; another seed gives another split.

    Returns:
        `(train, test)`: two disjoint, ascending index arrays that cover 0..n-1.

    Raises:
        InputError: When a class has one example only, so that it cannot be split.

    Example:
        >>> train, test = stratified_split(np.array([0] * 10 + [1] * 5))
        >>> len(train), len(test)
        (12, 3)
    """
    if not 0.0 < test_fraction < 1.0:
        raise InputError(f"Expected test_fraction between 0 and 1. Received: {test_fraction}.")
    chosen = []
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < 2:
            raise InputError(
                f"Expected at least 2 examples of each class to split into train and test. "
                f"Received: 1 of class {label}; add examples, or provide a test set."
            )
        bits = np.random.PCG64([seed, int(label)]).random_raw(len(members))
        count = min(max(round(test_fraction * len(members)), 1), len(members) - 1)
        chosen.append(members[np.argsort(bits, kind="stable")[:count]])
    test = np.sort(np.concatenate(chosen))
    return np.setdiff1d(np.arange(len(labels)), test), test


def mixed(dataset: ImageDataset) -> ImageDataset:
    """The set with each split in an order whose first images hold all classes.

    Metrics and instruments look at the first n images. Of a split that comes class by class (as
    from a folder of class folders) these would be of one class, so `interleaved_by_class` puts it
    into another order. A split that is mixed keeps its order.

    Example:
        >>> mixed(ImageDataset("dots", x, [0, 0, 0, 1, 1, 1], x, [0, 1] * 3, ("a", "b"))).y_train
        array([0, 1, 0, 1, 0, 1], dtype=int32)
    """
    changes = {}
    for split in ("train", "test"):
        images, labels = getattr(dataset, f"x_{split}"), getattr(dataset, f"y_{split}")
        if is_by_class(labels):
            order = interleaved_by_class(labels)
            changes |= {f"x_{split}": taken(images, order), f"y_{split}": labels[order]}
    return dataclasses.replace(dataset, **changes) if changes else dataset


def is_by_class(labels: np.ndarray) -> bool:
    """Whether neighbours share their class much more often than in a random order.

    Args:
        labels: class indices `(n,)`.

    Returns:
        True if every class is one block, or if the class changes less than half as often as the
        shares of the classes let expect.

    Example:
        >>> is_by_class(np.array([2, 2, 2, 0, 0, 0])), is_by_class(np.array([2, 0, 0, 2, 0, 2]))
        (True, False)
    """
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    expected = (len(labels) - 1) * (1 - np.sum(shares**2))
    changes = np.count_nonzero(np.diff(labels))
    return bool(changes == len(shares) - 1 or changes < expected / 2)


def interleaved_by_class(labels: np.ndarray) -> np.ndarray:
    """The order in which every class is spread evenly, its own images staying in their order.

    Args:
        labels: class indices `(n,)`.

    Returns:
        A permutation of 0..n-1, a pure function of the labels.

    Example:
        >>> interleaved_by_class(np.array([0, 0, 0, 0, 1, 1]))
        array([0, 4, 1, 2, 5, 3])
    """
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    return np.lexsort((labels, place))
