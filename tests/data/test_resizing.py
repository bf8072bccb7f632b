import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_filtergan.data import ImageDataset, load_dataset, training_stream
from keras_filtergan.data.decoding import storage
from keras_filtergan.data.decoding.image_size import check_size
from keras_filtergan.data.decoding.resizing import resized
from keras_filtergan.errors import InputError


def slope(height, width):
    """Brightness grows by 4 a column, in the middle of each pixel."""
    columns = 4 * (np.arange(width) + 0.5)
    return np.broadcast_to(columns[None, :, None], (height, width, 1))


def test_a_slope_stays_one_and_means_stay():
    """Bilinear interpolation is exact on a slope, away from the edges."""
    small = resized(slope(8, 40), (4, 10))
    inner = 16 * (np.arange(1, 9) + 0.5)
    np.testing.assert_allclose(small[:, 1:-1, 0], np.tile(inner, (4, 1)), rtol=1e-6)
    noise = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 1)).astype("uint8")
    halved = resized(noise, (4, 4))
    assert halved.dtype == np.uint8
    np.testing.assert_allclose(halved.mean((1, 2)), noise.mean((1, 2)), atol=6)
    assert halved.std() < noise.std() / 4  # smoothed, not every eighth pixel


def test_whole_numbers_are_rounded_and_stay_in_their_range():
    edge = np.zeros((4, 4, 1), "uint8")
    edge[:, 2:] = 255
    larger = resized(edge, (7, 9))
    assert (larger.dtype, larger.min(), larger.max()) == (np.uint8, 0, 255)
    exact = tf.image.resize(edge.astype("float64"), (7, 9), antialias=True).numpy()
    np.testing.assert_array_equal(larger, np.round(exact))
    assert resized(edge, (4, 4)) is edge
    assert resized(edge, None) is edge


def test_a_folder_of_several_sizes_becomes_one_of_one(tmp_path):
    for i, size in enumerate([(5, 4), (50, 40), (9, 9), (3, 17)]):
        for name in ("a", "b"):
            (tmp_path / name).mkdir(exist_ok=True)
            Image.new("L", size, 60 + i).save(tmp_path / name / f"{i}.png")
    with pytest.raises(InputError, match="`image_size` resizes them"):
        load_dataset(tmp_path)
    data = load_dataset(tmp_path, image_size=(6, 8))
    assert data.image_shape == (6, 8, 1)
    assert sorted(set(data.x_train.ravel()) | set(data.x_test.ravel())) == [60, 61, 62, 63]


def pixels(data):
    return np.concatenate([data.x_train, data.x_test])


def test_arrays_and_tfds_folders_are_resized_alike(tmp_path):
    x = np.random.default_rng(0).integers(0, 256, (8, 12, 12, 1)).astype("uint8")
    y = np.arange(8) % 2
    np.savez(tmp_path / "x.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    expected = resized(x, (6, 4))
    np.testing.assert_array_equal(
        load_dataset(tmp_path / "x.npz", image_size=(6, 4)).x_test, expected
    )
    sample = load_dataset("mnist_sample")
    small = load_dataset("mnist_sample", image_size=14)
    np.testing.assert_array_equal(small.y_train, sample.y_train)
    np.testing.assert_array_equal(small.x_train[:50], resized(sample.x_train[:50], (14, 14)))


@pytest.mark.parametrize("size", [0, -3, 2.5, "8", (1, 2, 3), (), (True, 8)])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(InputError, match="expected `image_size` as height and width"):
        check_size(size)


@pytest.mark.parametrize("kind", ["uint8", "float32"])
def test_batches_from_disk_are_those_from_memory(monkeypatch, kind):
    x = np.random.default_rng(0).integers(0, 256, (40, 6, 5, 1))
    x = x.astype("uint8") if kind == "uint8" else (x / 255).astype("float32")
    y, names = np.arange(40) % 2, ("a", "b")
    in_memory = ImageDataset("x", x, y, x, y, names)
    monkeypatch.setattr(storage, "MEMORY", 0)
    on_disk = ImageDataset("x", storage.taken(x, np.arange(40)), y, x, y, names)
    assert storage.is_on_disk(on_disk.x_train)
    assert not storage.is_on_disk(in_memory.x_train)
    batches = [
        training_stream(
            data.x_train,
            data.y_train,
            batch_size=8,
            latent_dim=2,
            noise_shape=(2,),
            seed=3,
            steps=7,
        )
        for data in (in_memory, on_disk)
    ]
    for one, other in zip(*batches, strict=True):
        for name in one:
            assert one[name].shape == other[name].shape
            np.testing.assert_array_equal(one[name], other[name])


def test_no_room_on_disk_is_said_before_it_is_full(monkeypatch):
    with pytest.raises(InputError, match=r"expected room for \d+\.\d GB of images in"):
        storage.empty_array((10**9, 224, 224, 3), "uint8")


STREAM = """
import sys
import numpy as np
from keras_filtergan.data import load_dataset, training_stream
from keras_filtergan.data.decoding import storage

storage.MEMORY = 2**24
data = load_dataset(sys.argv[1], image_size=224)
assert storage.is_on_disk(data.x_train), data.x_train.nbytes
data.fingerprint
for batch in training_stream(data.x_train, data.y_train, batch_size=16, latent_dim=2,
                             noise_shape=(2,), seed=0, steps=40):
    pass
status = open("/proc/self/status").read().split()
print(status[status.index("RssAnon:") + 1])
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    """At 224 pixels; what the system keeps of the file is not the process's own."""
    found = []
    for count in (150, 1500):
        folder = tmp_path / str(count)
        for name in ("a", "b"):
            (folder / name).mkdir(parents=True)
            for i in range(count):
                Image.new("RGB", (256, 256), (i % 256, 50, 90)).save(folder / name / f"{i}.png")
        command = [sys.executable, "-c", STREAM, str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ)
        found.append(int(done.stdout) / 1024)  # megabytes
    assert 3000 * 224 * 224 * 3 / 2**20 > 400  # what the larger set has
    assert found[1] < found[0] + 60
