import gc
import weakref

import numpy as np
import oracles
import pytest
import tensorflow as tf

from keras_filtergan.evaluation import evaluate, frozen_view
from keras_filtergan.evaluation.frozen_view import FrozenView, remembered, table

IMAGES = np.random.default_rng(0).uniform(size=(10, 3, 4, 1)).astype("float32")


def sums(images):
    """Two things of different shape and type that are easy to know of each image."""
    return [tf.reduce_sum(images, [1, 2, 3]), tf.cast(images[:, 0] > 0.5, tf.uint8)]


def test_a_table_holds_every_image_whatever_the_chunks(monkeypatch):
    for chunk in (1, 4, 10, 256):
        monkeypatch.setattr(frozen_view, "CHUNK", chunk)
        total, bright = table(sums, IMAGES)
        np.testing.assert_allclose(total, IMAGES.sum((1, 2, 3)), rtol=1e-6)
        np.testing.assert_array_equal(bright, IMAGES[:, 0] > 0.5)
        assert (total.dtype, bright.dtype) == (np.float32, np.uint8)


@pytest.mark.parametrize(("memory", "computed"), [(10 * 8, False), (10 * 8 - 1, True)])
def test_what_fits_is_computed_once_and_what_does_not_each_time(memory, computed):
    calls = []  # one image: a float of 4 bytes and 4 pixels of one byte

    def compute(images):
        calls.append(len(images))
        return sums(images)

    look_up = remembered(compute, IMAGES, memory)
    made = len(calls)
    rows = np.array([7, 0, 7])
    total, bright = look_up(rows)
    np.testing.assert_allclose(total, IMAGES[rows].sum((1, 2, 3)), rtol=1e-6)
    np.testing.assert_array_equal(bright, IMAGES[rows, 0] > 0.5)
    assert calls[made:] == ([3] if computed else [])
    assert max(calls[:made]) == (1 if computed else 10)


def test_what_enters_the_suffix_is_the_activation_under_the_given_kernels(subject):
    kernels = subject.kernel_sets(1)[0]
    (maps,) = subject.view.enter_suffix(subject.dataset.x_test, kernels)
    expected = oracles.activations(subject, kernels)
    np.testing.assert_allclose(maps, expected, rtol=1e-4, atol=1e-4)


def test_a_view_goes_with_its_last_subject(target, dataset):
    view = FrozenView(target, dataset)
    view.predict(view.features, target.kernel)
    view.activate(view.features, target.kernel)
    view.enter_suffix(dataset.x_test[:2], target.kernel)
    gone = weakref.ref(view)
    gc.disable()  # without a cycle, counting references is enough
    try:
        del view
        assert gone() is None
    finally:
        gc.enable()


def test_a_whole_card_with_other_kernels_evaluates_the_prefix_once(subject, monkeypatch):
    seen = []
    features = subject.target.features
    monkeypatch.setattr(
        subject.target, "features", lambda images: seen.append(len(images)) or features(images)
    )
    names = ["swapped_accuracy", "activation_variation", "activation_bias"]
    first = evaluate(subject, names)
    assert sum(seen) == 40
    evaluate(subject.with_kernels(lambda z: 2 * subject.kernels(z)), names)
    assert sum(seen) == 40
    assert evaluate(subject, names) == first
