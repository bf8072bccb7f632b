import dataclasses

import numpy as np
import pytest

from keras_filtergan.data import ImageDataset, load_dataset
from keras_filtergan.data.stratify import interleaved_by_class, is_by_class, mixed

SIZES = {0: 50, 3: 20, 1: 5}  # in blocks, not in the order of the classes; class 2 has none
BLOCKS = np.repeat(list(SIZES), list(SIZES.values()))


def test_each_beginning_holds_every_class_by_its_share():
    order = interleaved_by_class(BLOCKS)
    np.testing.assert_array_equal(np.sort(order), np.arange(75))
    for n in range(1, 76):
        for label, size in SIZES.items():
            count = np.count_nonzero(BLOCKS[order[:n]] == label)
            assert abs(count - n * size / 75) <= 1.5
    for label in SIZES:  # images of a class stay in their order
        members = order[BLOCKS[order] == label]
        np.testing.assert_array_equal(members, np.sort(members))


def test_blocks_are_told_from_a_random_order():
    assert is_by_class(BLOCKS)
    assert is_by_class(np.sort(BLOCKS))
    assert is_by_class(np.concatenate([BLOCKS, BLOCKS]))  # two files, one behind the other
    for seed in range(20):
        assert not is_by_class(np.random.default_rng(seed).permutation(BLOCKS))
    assert is_by_class(np.array([1, 1, 0, 0]))  # of so few a random order might look like this
    for lone in (np.zeros(10, int), np.arange(10)):  # nothing to deal out
        np.testing.assert_array_equal(interleaved_by_class(lone), np.arange(10))


def a_set(y_train, y_test):
    def images(labels):
        return np.stack([np.full((2, 2, 1), 10 * i, "uint8") for i in range(len(labels))])

    return ImageDataset("set", images(y_train), y_train, images(y_test), y_test, tuple("abcd"))


def test_images_go_with_their_labels():
    labels = np.repeat([0, 1, 2, 3], 5)
    data = mixed(a_set(labels, labels))
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert set(y[:4]) == {0, 1, 2, 3}
        np.testing.assert_array_equal(labels[x[:, 0, 0, 0] // 10], y)


def test_a_mixed_split_keeps_its_order():
    random = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, 3], 5))
    data = a_set(random, random)
    assert mixed(data) is data
    half = mixed(dataclasses.replace(data, x_test=data.x_test, y_test=np.sort(random)))
    np.testing.assert_array_equal(half.y_train, random)
    assert set(half.y_test[:4]) == {0, 1, 2, 3}


@pytest.mark.parametrize("form", ["folder", "npz"])
def test_the_first_images_of_a_sorted_set_are_of_all_classes(tmp_path, form):
    import tensorflow as tf

    labels = np.repeat([0, 1, 2], 10)
    pixels = np.arange(30, dtype="uint8")[:, None, None, None] * np.ones((1, 4, 4, 1), "uint8")
    if form == "npz":
        arrays = {"x_train": pixels, "y_train": labels, "x_test": pixels, "y_test": labels}
        np.savez(tmp_path / "set.npz", **arrays)
        data = load_dataset(tmp_path / "set.npz")
    else:
        for i, (image, label) in enumerate(zip(pixels, labels, strict=True)):
            place = tmp_path / "set" / "abc"[label] / f"{i:02}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(tf.io.encode_png(image).numpy())
        data = load_dataset(tmp_path / "set")
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert set(y[:3]) == {0, 1, 2}
        np.testing.assert_array_equal(x[:, 0, 0, 0] // 10, y)
