"""What holds for any input, tried on those that hypothesis thinks of."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from loops import loop

from keras_filtergan.convolution import convolve
from keras_filtergan.data import image_stream, number_stream
from keras_filtergan.data.stratify import stratified_split
from keras_filtergan.errors import InputError
from keras_filtergan.files import file_name
from keras_filtergan.guards.memory import parse_size, shown

FEW = settings(max_examples=15, deadline=None)
MANY = settings(max_examples=100, deadline=None)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=60), st.integers(0, 5))
@MANY
def test_a_split_keeps_every_class_on_both_sides(labels, seed):
    labels = np.array(labels)
    if min(np.unique(labels, return_counts=True)[1]) < 2:
        with pytest.raises(InputError):
            stratified_split(labels, seed=seed)
        return
    train, test = stratified_split(labels, seed=seed)
    assert sorted([*train, *test]) == list(range(len(labels)))
    assert set(labels[train]) == set(labels[test]) == set(labels)
    for label in set(labels):
        of_class = np.sum(labels == label)
        assert abs(np.sum(labels[test] == label) - 0.2 * of_class) <= max(0.5, 1 - 0.2 * of_class)


@given(st.data())
@FEW
def test_a_stream_from_a_step_is_the_rest_of_the_stream(data):
    count = data.draw(st.integers(1, 12))
    batch, seed = data.draw(st.integers(1, count)), data.draw(st.integers(0, 2**40))
    start, steps = data.draw(st.integers(0, 9)), data.draw(st.integers(1, 5))
    whole = [*number_stream(count, batch, seed, steps=start + steps).as_numpy_iterator()]
    rest = [*number_stream(count, batch, seed, start, steps).as_numpy_iterator()]
    np.testing.assert_array_equal(whole[start:], rest)
    epoch = count // batch
    for first in range(0, len(whole) - epoch + 1, epoch):
        seen = np.concatenate(whole[first : first + epoch])
        assert len(set(seen)) == len(seen)  # each image at most once an epoch


@given(st.integers(0, 2**31 - 1), st.integers(0, 6), st.integers(0, 3))
@FEW
def test_shifted_batches_depend_on_the_step_alone(seed, start, shift):
    images = np.random.default_rng(seed).integers(0, 255, (7, 5, 6, 1), "uint8")
    streams = [
        image_stream(images, np.arange(7), 3, seed, first, start + 1 - first, shift)
        for first in (0, start)
    ]
    (one, labels), (other, same) = ([*stream.as_numpy_iterator()][-1] for stream in streams)
    np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(labels, same)
    if not shift:
        np.testing.assert_allclose(one, images[labels] / 255, atol=1e-6)


@given(st.data())
@FEW
def test_a_convolution_is_its_loop(data):
    draw = data.draw
    m, h, w = draw(st.integers(1, 3)), draw(st.integers(3, 7)), draw(st.integers(3, 7))
    kh, kw = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    cin, cout = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    strides = draw(st.sampled_from([(1, 1), (2, 2), (1, 2)]))
    padding = draw(st.sampled_from(["same", "valid"]))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    images = rng.normal(size=(m, h, w, cin)).astype("float32")
    kernels = rng.normal(size=(m, kh, kw, cin, cout)).astype("float32")
    found = convolve(tf.constant(images), tf.constant(kernels), strides=strides, padding=padding)
    wanted = loop(images, kernels, strides, padding, (1, 1))
    np.testing.assert_allclose(found, wanted, atol=1e-4, rtol=1e-4)


@given(st.text(max_size=300))
@MANY
def test_any_text_names_a_file_in_its_folder(text):
    name = file_name(text)
    assert name
    assert "/" not in name
    assert "\0" not in name
    assert not name.startswith(".")
    assert len(name.encode()) <= 120
    assert file_name(name) == name


@given(st.integers(1, 2**50))
@MANY
def test_sizes_are_read_as_they_are_shown(size):
    text = shown(size).replace(",", "").replace(" bytes", "")
    assert parse_size(text) == pytest.approx(size, rel=0.06)
