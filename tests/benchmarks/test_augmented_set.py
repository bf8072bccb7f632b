"""What stands beside `augment`, and the table of both."""

import augmented_set
import numpy as np


def test_shifted_images_are_the_originals_moved_by_up_to_two_pixels_in_every_direction():
    images = np.zeros((40, 9, 9, 1), "uint8")
    images[:, 3:6, 4] = np.arange(1, 41)[:, None, None]  # far from the edge: a roll is a move
    moved, labels = augmented_set.shifted(images, np.arange(40), draws=10, seed=0)
    np.testing.assert_array_equal(labels, np.repeat(np.arange(40), 10))
    ways = [(y, x) for y in range(-2, 3) for x in range(-2, 3)]
    seen = set()
    for image, label in zip(moved, labels, strict=True):
        rolled = [np.array_equal(np.roll(images[label], way, (0, 1)), image) for way in ways]
        assert sum(rolled) == 1
        seen.add(ways[rolled.index(True)])
    assert seen == set(ways)


def test_the_table_has_paired_differences_in_points():
    accuracy = {"images": [0.8, 0.9], "shifted": [0.82, 0.91]}
    row = {"labels": 50, "learned_from": {"images": 50, "shifted": 150}, "accuracy": accuracy}
    *_, alone, shifted = augmented_set.table([row]).splitlines()
    assert alone == "| 50 | images | 50 | 0.8500 | – |"
    assert shifted == "| 50 | shifted | 150 | 0.8650 | +1.50 ± 0.71 |"  # 2 and 1 points
