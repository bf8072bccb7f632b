import numpy as np
import pytest

from keras_filtergan.data import ImageDataset, to_unit_interval
from keras_filtergan.data.decoding import storage
from keras_filtergan.data.decoding.depth import to_depth
from keras_filtergan.data.stratify import mixed


def images(*values, kind="uint16"):
    return np.array(values, kind).reshape(-1, 1, 1, 1)


@pytest.mark.parametrize(
    ("high", "bits"), [(256, 10), (1023, 10), (1024, 12), (4095, 12), (16383, 14), (65535, 16)]
)
@pytest.mark.parametrize("kind", ["uint16", "int32", "int64"])
def test_as_many_bits_as_the_largest_number_needs(high, bits, kind):
    given = images(0, 1, high, kind=kind)
    [found], note = to_depth([given])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.ravel(), np.array([0, 1, high]) / (2**bits - 1), rtol=1e-6)
    assert note == f"pixels up to {high} read as {bits} bits"


def test_both_splits_are_read_alike():
    (train, test), _ = to_depth([images(5, 300), images(0, 4000)])
    np.testing.assert_allclose(train.ravel(), np.array([5, 300]) / 4095, rtol=1e-6)
    np.testing.assert_allclose(test.ravel(), np.array([0, 4000]) / 4095, rtol=1e-6)


@pytest.mark.parametrize("kind", ["uint8", "int64", "bool"])
def test_of_masks_one_is_white(kind):
    [found], note = to_depth([images(0, 1, 1, kind=kind)])
    assert found.dtype == np.uint8
    assert found.ravel().tolist() == [0, 255, 255]
    assert note == "pixels are 0 and 1 only: 1 read as white"


@pytest.mark.parametrize("kind", ["int16", "uint16", "int64"])
def test_whole_numbers_of_bytes_are_bytes(kind):
    [found], note = to_depth([images(0, 7, 200, kind=kind)])
    assert (found.dtype, note) == (np.uint8, "")
    assert found.ravel().tolist() == [0, 7, 200]


def test_bytes_stay_as_they_are_and_dark_ones_are_noted():
    bright, dark, black = (images(0, n, kind="uint8") for n in (32, 16, 0))
    found, note = to_depth([dark, bright])
    assert found[0] is dark
    assert found[1] is bright
    assert note == ""
    assert to_depth([dark])[1].startswith("no pixel is brighter than 16 of 255")
    assert to_depth([black])[1] == ""


def test_a_data_set_says_how_its_pixels_were_read():
    x, y, names = images(0, 4095, 2000), [0, 1, 1], ("a", "b")
    data = ImageDataset("deep", x, y, x, y, names, note="from a camera")
    assert data.note == "from a camera; pixels up to 4095 read as 12 bits"
    assert data.x_train.dtype == np.float32
    assert mixed(data).note == data.note  # once


def test_floats_that_resizing_left_outside_are_clipped():
    x = np.array([-1e-6, 0.5, 1.000001]).reshape(3, 1, 1, 1)
    data = ImageDataset("resized", x, [0, 1, 1], x, [0, 1, 1], ("a", "b"))
    assert data.x_train.ravel().tolist() == [0.0, 0.5, 1.0]
    np.testing.assert_array_equal(to_unit_interval(data.x_train), data.x_train)


def test_many_images_are_kept_in_a_file_that_nobody_sees(monkeypatch, tmp_path):
    monkeypatch.setattr(storage, "MEMORY", 100)
    monkeypatch.setattr(storage, "CHUNK", 64)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    x = np.arange(400, dtype="uint16").reshape(100, 2, 2, 1)
    y = np.repeat([0, 1], 50)  # class by class, so they are put into another order
    data = mixed(ImageDataset("many", x, y, x[::-1], y[::-1], ("a", "b")))
    assert storage.is_on_disk(data.x_train)
    assert list(tmp_path.iterdir()) == []
    assert data.x_train.nbytes == 1600
    np.testing.assert_array_equal(data.y_train[:4], [0, 1, 0, 1])
    rows = np.stack([np.arange(50), np.arange(50, 100)], axis=1).ravel()
    np.testing.assert_allclose(data.x_train, x[rows] / np.float32(1023), rtol=1e-6)
    with pytest.raises(ValueError, match="read-only"):
        data.x_train[0] = 0
