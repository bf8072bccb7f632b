"""Splitting a labelled set so that every class keeps its share.

The order is drawn from the raw output of PCG64, whose stream NumPy promises never to
change (`Generator.permutation` has no such promise): a split stays the same for years.
"""

import numpy as np

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
