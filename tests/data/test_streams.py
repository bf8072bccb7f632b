import itertools
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.data import image_stream, number_stream, steps_per_epoch, training_stream
from keras_filtergan.errors import InputError

COUNT = 10
# Image i is filled with the value i, so that a batch tells which images it holds.
IMAGES = np.broadcast_to(
    np.arange(COUNT, dtype=np.uint8)[:, None, None, None], (COUNT, 4, 5, 1)
).copy()
LABELS = np.arange(COUNT) % 3
NOISES = ("noise_real", "noise_fake", "noise_code")


def make(images=IMAGES, labels=LABELS, **changes):
    settings = {"batch_size": 3, "latent_dim": 4, "noise_shape": (2, 3, 5), "seed": 7} | changes
    return training_stream(images, labels, **settings)


def take(stream, count):
    return list(itertools.islice(stream.as_numpy_iterator(), count))


def identities(images):
    return np.rint(images[:, 0, 0, 0] * 255).astype(int).tolist()


def test_batches_have_the_promised_shapes_types_and_ranges():
    stream = make()
    expected = {
        "image": ((3, 4, 5, 1), "float32"),
        "label": ((3,), "int32"),
        "latent": ((3, 4), "float32"),
        "noise_real": ((3, 2, 3, 5), "float32"),
        "noise_fake": ((3, 2, 3, 5), "float32"),
        "noise_code": ((3, 2, 3, 5), "float32"),
    }
    # Static shapes: distribution reads the batch size from them.
    spec = {key: (tuple(s.shape), s.dtype.name) for key, s in stream.element_spec.items()}
    assert spec == expected
    batch = take(stream, 1)[0]
    assert {key: (value.shape, value.dtype.name) for key, value in batch.items()} == expected


def test_images_are_scaled_and_keep_their_labels():
    for batch in take(make(), 6):
        index = identities(batch["image"])
        np.testing.assert_array_equal(batch["image"], (IMAGES[index] / 255).astype(np.float32))
        np.testing.assert_array_equal(batch["label"], LABELS[index])


@pytest.mark.parametrize("start", [0, 4])
def test_numbers_are_those_of_the_images_in_the_image_stream(start):
    numbers = take(number_stream(COUNT, 3, seed=7, start_step=start, steps=8), 9)
    images = take(image_stream(IMAGES, LABELS, 3, seed=7, start_step=start, steps=8), 9)
    assert [index.tolist() for index in numbers] == [identities(batch) for batch, _ in images]
    assert numbers[0].dtype == np.int64
    assert len(numbers) == 8


def test_numbers_of_more_images_than_there_are_are_refused():
    with pytest.raises(InputError, match="Received: batch_size=11"):
        number_stream(COUNT, 11, seed=0)
    with pytest.raises(InputError, match="seed=-1"):
        number_stream(COUNT, 3, seed=-1)


def test_unit_floats_pass_unchanged():
    images = np.random.default_rng(0).random((COUNT, 4, 5, 3), np.float32)
    batch = take(make(images), 1)[0]
    known = {image.tobytes() for image in images}
    assert all(image.tobytes() in known for image in batch["image"])


def test_each_image_comes_once_an_epoch_and_the_remainder_changes():
    batches = take(make(), 3 * 40)
    left_out = set()
    orders = set()
    for epoch in range(40):
        seen = [identities(b["image"]) for b in batches[3 * epoch : 3 * epoch + 3]]
        flat = list(itertools.chain(*seen))
        assert len(set(flat)) == 9
        left_out |= set(range(COUNT)) - set(flat)
        orders.add(tuple(flat))
    assert len(orders) == 40
    assert len(left_out) >= 8  # of 10: no image is left out for good


def test_the_orders_are_uniform():
    """Chi-square of (place, image) over 800 epochs; degrees of freedom 81, so 81 ± 13."""
    counts = np.zeros((COUNT, COUNT))
    stream = image_stream(IMAGES, LABELS, batch_size=COUNT, seed=1, steps=800)
    for images, _ in stream.as_numpy_iterator():
        counts[np.arange(COUNT), identities(images)] += 1
    assert ((counts - 80) ** 2 / 80).sum() < 81 + 5 * 13


@pytest.mark.parametrize("start", [1, 2, 3, 7, 100])
def test_step_k_is_the_same_from_wherever_the_stream_began(start):
    whole = take(make(), start + 4)[start:]
    for batch, resumed in zip(whole, take(make(start_step=start), 4), strict=True):
        for key, value in batch.items():
            np.testing.assert_array_equal(value, resumed[key], strict=True)


def test_seeds_and_steps_give_other_numbers_everywhere():
    batches = [*take(make(), 4), *take(make(seed=8), 4)]
    for key in ("latent", *NOISES):
        assert len({batch[key].tobytes() for batch in batches}) == 8
    assert [identities(b["image"]) for b in batches[:3]] != [
        identities(b["image"]) for b in batches[4:7]
    ]


@pytest.mark.parametrize("seed", [0, 2**63 - 1, np.int64(5)])
def test_any_seed_of_63_bits_will_do(seed):
    assert np.all(np.isfinite(take(make(seed=seed), 1)[0]["latent"]))


def test_latents_and_noises_are_standard_normal_and_independent():
    shape = (4, 5, 6)  # 120 numbers an example, like the latent
    batches = take(make(latent_dim=120, noise_shape=shape), 60)
    draws = {
        key: np.stack([b[key].reshape(3, 120) for b in batches]) for key in ("latent", *NOISES)
    }
    total = 60 * 3 * 120
    bound = 5 / np.sqrt(total)  # five standard errors
    for values in draws.values():
        assert abs(values.mean()) < bound
        assert abs(values.var() - 1) < bound * np.sqrt(2)
        assert abs((np.abs(values) < 0.6744898).mean() - 0.5) < bound / 2  # the normal quartile
        assert abs(np.mean(values[1:] * values[:-1])) < bound * 1.1  # successive steps
        assert abs(np.mean(values[:, 1:] * values[:, :-1])) < bound * 1.3  # examples of a batch
    for one, other in itertools.combinations(draws.values(), 2):
        assert abs(np.mean(one * other)) < bound
        assert not np.intersect1d(one[:5], other[:5]).size > 20  # floats collide now and then
    neighbour = np.stack([b["latent"] for b in take(make(latent_dim=120, seed=8), 60)])
    assert abs(np.mean(neighbour * draws["latent"])) < bound


def test_image_and_training_streams_share_their_order():
    pairs = take(image_stream(IMAGES, LABELS, 3, 7), 5)
    for (images, labels), batch in zip(pairs, take(make(), 5), strict=True):
        np.testing.assert_array_equal(images, batch["image"], strict=True)
        np.testing.assert_array_equal(labels, batch["label"], strict=True)


def windows(image, shift):
    """All windows of an image in a mirrored frame, by their corner: NumPy's own padding."""
    framed = np.pad(image, [(shift, shift), (shift, shift), (0, 0)], "reflect")
    h, w = image.shape[:2]
    sides = range(2 * shift + 1)
    return {(i, j): framed[i : i + h, j : j + w] for i, j in itertools.product(sides, sides)}


def test_shifted_images_are_windows_of_their_mirrored_frame_each_as_often_as_another():
    images = np.random.default_rng(0).uniform(size=(4, 5, 6, 3)).astype("float32")
    stream = image_stream(images, np.arange(4), 4, seed=3, shift=2)
    corners = []
    for batch, labels in take(stream, 100):
        for image, label in zip(batch, labels, strict=True):
            found = [
                corner
                for corner, window in windows(images[label], 2).items()
                if np.array_equal(window, image)
            ]
            assert len(found) == 1
            corners += found
    for axis in (0, 1):
        counts = np.bincount(np.array(corners)[:, axis], minlength=5)
        assert np.sum((counts - 80) ** 2 / 80) < 18.5  # chi-square, 4 degrees of freedom: p 0.001
    assert abs(np.corrcoef(np.array(corners).T)[0, 1]) < 0.17  # 3.3 standard errors


def test_shifts_change_neither_order_nor_labels_and_are_the_same_from_any_start():
    plain = take(image_stream(IMAGES, LABELS, 3, seed=7), 6)
    moved = take(image_stream(IMAGES, LABELS, 3, seed=7, shift=1), 6)
    for (images, labels), (others, same) in zip(plain, moved, strict=True):
        np.testing.assert_array_equal(labels, same)
        np.testing.assert_array_equal(images, others)  # of one value each
    later = take(image_stream(IMAGES, LABELS, 3, seed=7, shift=1, start_step=4), 2)
    for (images, _), (others, _) in zip(moved[4:], later, strict=True):
        np.testing.assert_array_equal(images, others)


def test_a_shift_as_large_as_the_images_is_refused():
    with pytest.raises(InputError, match=r"below the sides.*shift=4"):
        image_stream(IMAGES, LABELS, 3, seed=7, shift=4)


def test_a_whole_set_may_be_one_batch():
    batches = take(image_stream(IMAGES, LABELS, COUNT, 0), 2)
    assert all(sorted(identities(images)) == list(range(COUNT)) for images, _ in batches)


def test_length_is_as_asked():
    assert make().cardinality().numpy() == tf.data.INFINITE_CARDINALITY
    limited = make(start_step=5, steps=4)
    assert limited.cardinality().numpy() == 4
    assert len(take(limited, 10)) == 4


def test_steps_per_epoch_drops_the_remainder():
    assert [steps_per_epoch(10, m) for m in (1, 3, 5, 6, 10)] == [10, 3, 2, 1, 1]


TWO_REPLICAS = """
import itertools, sys
import numpy as np, tensorflow as tf
from keras_filtergan.data import training_stream
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
images = np.random.default_rng(0).integers(0, 256, (10, 4, 5, 1), dtype=np.uint8)
stream = training_stream(
    images, np.arange(10), batch_size=4, latent_dim=3, noise_shape=(2, 2, 2), seed=7
)
shared = strategy.experimental_distribute_dataset(stream)
for batch, whole in itertools.islice(zip(shared, stream), 3):
    for key, value in whole.items():
        parts = [part.numpy() for part in strategy.experimental_local_results(batch[key])]
        assert [len(part) for part in parts] == [2, 2], key
        np.testing.assert_array_equal(np.concatenate(parts), value.numpy())
print("equal")
"""


@pytest.mark.slow
def test_the_shares_of_two_replicas_make_up_the_batch():
    """In a process of its own, since devices can be made only before TensorFlow starts."""
    command = [sys.executable, "-c", TWO_REPLICAS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "equal\n", done.stderr


BAD = {
    "no batch": (dict(batch_size=0), "batch_size=0"),
    "more than there are": (dict(batch_size=11), "up to the number of images, 10"),
    "half a batch": (dict(batch_size=2.5), "batch_size=2.5"),
    "true is no number": (dict(batch_size=True), "batch_size=True"),
    "no latent": (dict(latent_dim=0), "latent_dim=0"),
    "latent as text": (dict(latent_dim="8"), "latent_dim='8'"),
    "noise of no size": (dict(noise_shape=(7, 0, 3)), "noise_shape=0"),
    "noise of unknown size": (dict(noise_shape=(None, 7, 3)), "noise_shape=None"),
    "noise as a number": (dict(noise_shape=7), "noise_shape=7"),
    "noise as text": (dict(noise_shape="777"), "noise_shape='777'"),
    "negative seed": (dict(seed=-1), "seed=-1"),
    "seed too large": (dict(seed=2**63), "seed="),
    "negative start": (dict(start_step=-1), "start_step=-1"),
    "no steps": (dict(steps=0), "steps=0"),
    "labels missing": (dict(labels=LABELS[:9]), r"labels \(9,\)"),
    "labels of floats": (dict(labels=LABELS / 2), "Received: float64"),
    "images of rank 3": (dict(images=IMAGES[..., 0]), r"images \(10, 4, 5\)"),
    "images of texts": (dict(images=IMAGES.astype(str)), "array of bytes"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arguments_are_refused_in_one_line(case):
    changes, message = BAD[case]
    with pytest.raises(InputError, match=message) as caught:
        make(**changes)
    assert "\n" not in str(caught.value)
