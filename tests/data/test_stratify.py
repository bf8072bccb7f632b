import numpy as np
import pytest

from keras_filtergan.data.stratify import stratified_split
from keras_filtergan.errors import InputError

LABELS = np.array([0] * 10 + [2] * 5 + [1] * 2 + [0] * 15)


def test_every_class_keeps_its_share_and_no_example_is_lost():
    train, test = stratified_split(LABELS)
    assert sorted([*train, *test]) == list(range(len(LABELS)))
    assert {label: int(np.sum(LABELS[test] == label)) for label in (0, 1, 2)} == {0: 5, 1: 1, 2: 1}


def test_the_split_is_fixed_and_the_seed_changes_it():
    first, again, other = (stratified_split(LABELS, seed=seed)[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert list(first) != list(other)
    # Written down once: a split that moves would silently change everyone's test set.
    np.testing.assert_array_equal(first, EXPECTED)


EXPECTED = [2, 3, 10, 16, 18, 20, 27]


def test_a_class_is_sampled_evenly():
    hits = sum(np.isin(np.arange(20), stratified_split(np.zeros(20, int), seed=s)[1]) * 1
               for s in range(500))  # fmt: skip
    assert np.all(np.abs(hits - 100) < 5 * np.sqrt(500 * 0.2 * 0.8))


@pytest.mark.parametrize("fraction", [0.01, 0.99])
def test_both_sides_get_something(fraction):
    train, test = stratified_split(np.array([0, 0, 1, 1, 1]), fraction)
    for side in (train, test):
        assert set(np.array([0, 0, 1, 1, 1])[side]) == {0, 1}


@pytest.mark.parametrize(
    ("labels", "fraction", "message"),
    [([0, 0, 1], 0.2, "1 of class 1"), ([0, 0], 0.0, "Received: 0"), ([0, 0], 1.5, "between 0")],
)
def test_impossible_splits_are_refused(labels, fraction, message):
    with pytest.raises(InputError, match=message):
        stratified_split(np.array(labels), fraction)
