import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from keras_filtergan.data.dataset import ImageDataset
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.errors import InputError


def parts(**changes):
    rng = np.random.default_rng(0)
    return {
        "name": "dots",
        "x_train": rng.integers(0, 256, (6, 4, 5, 1), dtype=np.uint8),
        "y_train": np.array([0, 1, 2, 0, 1, 2]),
        "x_test": rng.integers(0, 256, (3, 4, 5, 1), dtype=np.uint8),
        "y_test": np.array([2, 1, 0], np.uint8),
        "class_names": ["a", "b", "c"],
    } | changes


def test_well_formed_data_are_kept_with_their_types():
    given = parts()
    data = ImageDataset(**given)
    assert data.image_shape == (4, 5, 1)
    assert data.num_classes == 3
    assert data.class_names == ("a", "b", "c")
    assert data.x_train.dtype == np.uint8
    assert data.y_train.dtype == data.y_test.dtype == np.int32
    np.testing.assert_array_equal(data.x_train, given["x_train"])
    np.testing.assert_array_equal(data.y_test, [2, 1, 0])


def test_float64_pixels_become_float32():
    x = np.linspace(0, 1, 40).reshape(2, 4, 5, 1)
    data = ImageDataset(**parts(x_train=x, y_train=[0, 1], x_test=x, y_test=[1, 2]))
    assert data.x_train.dtype == np.float32
    np.testing.assert_allclose(data.x_train, x, atol=1e-7)


def test_arrays_are_read_only_and_the_callers_are_not():
    given = parts()
    data = ImageDataset(**given)
    with pytest.raises(ValueError, match="read-only"):
        data.x_train[0] = 0
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.name = "other"
    given["x_train"][0] = 0


def with_nan():
    x = np.zeros((6, 4, 5, 1), np.float32)
    x[3, 2, 1, 0] = np.nan
    return x


BAD = {
    "rank": (dict(x_train=np.zeros((6, 4, 5), np.uint8)), r"x_train: .*shape \(6, 4, 5\)"),
    "two channels": (dict(x_test=np.zeros((3, 4, 5, 2), np.uint8)), r"x_test: .*1 or 3 channels"),
    "channels first": (dict(x_train=np.zeros((6, 3, 8, 8), np.uint8)), "channels last"),
    "not an array": (dict(x_train="cat.png"), r"x_train: .*shape \(\)"),
    "negative integers": (
        dict(x_train=np.full((6, 4, 5, 1), -1)),
        "from 0 to 255, or to 65535, received -1 to",
    ),
    "large integers": (dict(x_train=np.full((6, 4, 5, 1), 70000)), "received 1 to 70000"),
    "whole numbers beside floats": (
        dict(x_train=np.zeros((6, 4, 5, 1), int), x_test=np.zeros((3, 4, 5, 1))),
        "Received: int64; convert the images of both splits alike",
    ),
    "objects": (dict(x_train=np.full((6, 4, 5, 1), None)), "Received: object"),
    "NaN": (dict(x_train=with_nan()), "Received: NaN pixels"),
    "a little too bright": (dict(x_train=np.full((6, 4, 5, 1), 1.0001)), "from 1.0001 to 1.0001"),
    "0..255 floats": (dict(x_train=np.full((6, 4, 5, 1), 255.0)), "from 255 to 255"),
    "negative": (dict(x_train=np.full((6, 4, 5, 1), -0.5)), "from -0.5 to -0.5"),
    "infinite": (dict(x_train=np.full((6, 4, 5, 1), np.inf)), "from inf to inf"),
    "no training image": (
        dict(x_train=np.zeros((0, 4, 5, 1), np.uint8), y_train=np.zeros(0, int)),
        "x_train: expected at least one image",
    ),
    "no test image": (
        dict(x_test=np.zeros((0, 4, 5, 1), np.uint8), y_test=np.zeros(0, int)),
        "x_test: expected at least one image",
    ),
    "empty image": (dict(x_train=np.zeros((6, 0, 5, 1), np.uint8)), "at least one pixel"),
    "other test shape": (dict(x_test=np.zeros((3, 4, 4, 1), np.uint8)), "one image shape"),
    "other test type": (dict(x_test=np.zeros((3, 4, 5, 1))), "uint8 and .* float32"),
    "float labels": (dict(y_train=np.zeros(6)), "y_train: expected integer .*float64"),
    "labels missing": (dict(y_train=np.zeros(5, int)), r"shape \(6,\)"),
    "one-hot labels": (dict(y_train=np.eye(3, dtype=int)[[0] * 6]), "argmax"),
    "one-hot floats": (
        dict(y_train=np.eye(3)[[0] * 6]),
        r"float64 of shape \(6, 3\); one-hot .*argmax",
    ),
    "label too high": (dict(y_test=np.array([0, 1, 3])), r"y_test: .*0\.\.2. Received: 0\.\.3"),
    "label negative": (dict(y_test=np.array([0, -1, 2])), r"Received: -1\.\.2"),
    "one class": (dict(class_names=["a"]), "two or more different class names"),
    "same name twice": (dict(class_names=["a", "b", "a"]), "3 names, 2 different"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_are_refused_in_one_line(case):
    changes, message = BAD[case]
    with pytest.raises(InputError, match=message) as caught:
        ImageDataset(**parts(**changes))
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("dots: ")


def test_the_fingerprint_follows_the_contents_only():
    data = ImageDataset(**parts())
    assert len(data.fingerprint) == 16
    same = ImageDataset(**parts(name="other", note="from elsewhere"))
    assert same.fingerprint == data.fingerprint
    one_pixel = parts()["x_test"].copy()
    one_pixel[0, 0, 0, 0] ^= 1
    other = [
        parts(x_test=one_pixel),
        parts(y_train=np.array([0, 1, 2, 0, 1, 1])),
        parts(class_names=["a", "b", "d"]),
        parts(x_train=parts()["x_train"].reshape(6, 5, 4, 1), x_test=one_pixel.reshape(3, 5, 4, 1)),
    ]
    prints = {ImageDataset(**each).fingerprint for each in other}
    assert len(prints | {data.fingerprint}) == 5


def test_the_fingerprint_sees_through_memory_layout():
    turned = np.asfortranarray(parts()["x_train"])
    assert ImageDataset(**parts(x_train=turned)).fingerprint == ImageDataset(**parts()).fingerprint


def test_every_pixel_value_scales_alike_in_numpy_and_tensorflow():
    import tensorflow as tf

    pixels = np.arange(256, dtype=np.uint8)
    expected = [np.float32(value / 255) for value in range(256)]  # exact quotient, rounded once
    for scaled in (to_unit_interval(pixels), to_unit_interval(tf.constant(pixels)).numpy()):
        assert scaled.dtype == np.float32
        np.testing.assert_array_equal(scaled, np.array(expected))


def test_unit_floats_are_left_alone():
    import tensorflow as tf

    pixels = np.array([0.0, 0.25, 1.0], np.float32)
    assert to_unit_interval(pixels) is pixels
    np.testing.assert_array_equal(to_unit_interval(tf.constant(pixels)).numpy(), pixels)


@pytest.mark.parametrize("images", [np.zeros(3, bool), [0, 255], None, "x"])
def test_other_types_cannot_be_scaled(images):
    with pytest.raises(InputError, match="array of bytes"):
        to_unit_interval(images)


@pytest.mark.parametrize("kind", ["int8", "int32", "int64", "uint16"])
def test_whole_numbers_are_bytes(kind):
    np.testing.assert_array_equal(to_unit_interval(np.array([0, 51], kind)), np.float32([0, 0.2]))


@pytest.mark.parametrize("kind", ["float16", "float64"])
def test_floats_become_single(kind):
    scaled = to_unit_interval(np.array([0.0, 0.25, 1.0], kind))
    assert scaled.dtype == np.float32
    np.testing.assert_array_equal(scaled, np.float32([0.0, 0.25, 1.0]))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.array([0.0, 255.0]), r"in \[0, 1\], received 0 to 255; give bytes as whole numbers"),
        (np.array([0.0, 1.01], "float32"), r"received 0 to 1\.01"),
        (np.array([-1.0, 1.0]), "received -1 to 1; scale them"),
        (np.array([0.5, np.nan]), "received NaN or infinity"),
        (np.array([0, 256]), "whole-number pixels from 0 to 255, received 0 to 256"),
        (np.array([-1, 3], "int8"), "received -1 to 3"),
    ],
)
def test_pixels_out_of_range_are_refused_by_numpy_and_tensorflow(images, message):
    import tensorflow as tf

    for given in (images, tf.constant(images)):
        with pytest.raises(InputError, match=message):
            to_unit_interval(given)


def test_in_a_graph_the_type_decides():
    import tensorflow as tf

    scale = tf.function(to_unit_interval)
    np.testing.assert_allclose(scale(tf.constant([0, 51], tf.uint8)), [0, 0.2], rtol=1e-6)
    np.testing.assert_array_equal(scale(tf.constant([0.0, 2.0])), [0.0, 2.0])


def test_the_data_package_opens_without_tensorflow():
    code = (
        "import sys, keras_filtergan.data as data; data.ImageDataset, data.load_dataset; "
        "data.training_stream; sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
