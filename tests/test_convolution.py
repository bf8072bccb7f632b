import numpy as np
import pytest
import tensorflow as tf
from convolutions import ALL, DILATED, KINDS, STRIDED, draw, draw_for, expected_of, with_gradients
from loops import loop

from keras_filtergan import processor
from keras_filtergan.convolution import convolve, form_of
from keras_filtergan.errors import InputError

pytestmark = pytest.mark.onednn

CASES = [
    ((1, 1), "same", (1, 1)),
    ((1, 1), "valid", (1, 1)),
    ((2, 2), "same", (1, 1)),
    ((2, 1), "valid", (1, 1)),
    ((1, 1), "same", (2, 3)),
    ((1, 1), "valid", (3, 1)),
]


@pytest.fixture(scope="module", params=KINDS)
def data(request):
    return draw(*KINDS[request.param])


@pytest.mark.parametrize(("strides", "padding", "dilations"), CASES)
def test_equals_a_loop(data, strides, padding, dilations):
    images, kernels = data
    maps = convolve(images, kernels, strides, padding, dilations)
    expected = loop(images, kernels, strides, padding, dilations)
    np.testing.assert_allclose(maps, expected, atol=1e-5)


@pytest.mark.parametrize(("strides", "padding", "dilations"), CASES)
def test_gradients_equal_those_of_single_convolutions(data, strides, padding, dilations):
    """The map is bilinear: against weights v, d/dk is found by convolving with unit kernels."""
    images, kernels = map(tf.constant, data)
    with tf.GradientTape() as tape:
        tape.watch([images, kernels])
        maps = convolve(images, kernels, strides, padding, dilations)
        weights = tf.constant(np.random.default_rng(1).normal(size=maps.shape), tf.float32)
        value = tf.reduce_sum(maps * weights)
    d_images, d_kernels = tape.gradient(value, [images, kernels])
    # Euler: a bilinear form equals its gradient in either argument times that argument.
    np.testing.assert_allclose(tf.reduce_sum(d_images * images), value, rtol=1e-4)
    np.testing.assert_allclose(tf.reduce_sum(d_kernels * kernels), value, rtol=1e-4)
    generator = np.random.default_rng(2)
    for _ in range(5):  # single entries, against the loop with that entry alone
        entry = tuple(generator.integers(kernels.shape))
        unit = np.zeros(kernels.shape)
        unit[entry] = 1.0
        expected = np.sum(loop(data[0], unit, strides, padding, dilations) * weights.numpy())
        np.testing.assert_allclose(d_kernels.numpy()[entry], expected, atol=1e-4)
        entry = tuple(generator.integers(images.shape))
        unit = np.zeros(images.shape)
        unit[entry] = 1.0
        expected = np.sum(loop(unit, data[1], strides, padding, dilations) * weights.numpy())
        np.testing.assert_allclose(d_images.numpy()[entry], expected, atol=1e-4)


def test_a_shared_kernel_set_is_the_same_set_for_each(data):
    images, kernels = data
    shared = convolve(images, kernels[0], (2, 1), "same", (1, 1))
    each = convolve(images, np.stack([kernels[0]] * 3), (2, 1), "same", (1, 1))
    np.testing.assert_allclose(shared, each, atol=1e-5)


def test_example_i_sees_only_kernel_set_i(data):
    images, kernels = data
    changed = kernels.copy()
    changed[1] += 1.0
    difference = np.abs(convolve(images, kernels) - convolve(images, changed)).max(axis=(1, 2, 3))
    assert difference[0] == 0
    assert difference[1] > 1
    assert difference[2] == 0


@pytest.mark.parametrize("size", [(7, 8), (None, None)])
@pytest.mark.parametrize(("strides", "padding", "dilations"), CASES)
def test_batch_and_image_size_may_be_unknown(data, size, strides, padding, dilations):
    images, kernels = data
    spec = [tf.TensorSpec([None, *size, images.shape[-1]])]

    @tf.function(input_signature=[*spec, tf.TensorSpec([None, *kernels.shape[1:]])])
    def in_graph(x, k):
        with tf.GradientTape() as tape:
            tape.watch([x, k])
            maps = convolve(x, k, strides, padding, dilations)
            value = tf.reduce_sum(tf.square(maps))
        return maps, tape.gradient(value, [x, k])

    maps, (d_images, d_kernels) = in_graph(images, kernels)
    expected = convolve(images, kernels, strides, padding, dilations)
    np.testing.assert_allclose(maps, expected, atol=1e-5)
    np.testing.assert_allclose(np.sum(d_images * images), 2 * np.sum(maps**2), rtol=1e-4)
    np.testing.assert_allclose(np.sum(d_kernels * kernels), 2 * np.sum(maps**2), rtol=1e-4)
    static = in_graph.get_concrete_function().structured_outputs[0].shape
    assert static[-1] == kernels.shape[-1]
    if size == (7, 8):  # what is known stays known
        assert static[1:] == maps.shape[1:]


def test_sizes_that_vary_in_a_stream_and_in_a_saved_model(tmp_path):
    _, kernels = draw(2, 2, 4)
    sizes = [(7, 8), (5, 5), (6, 9)]
    images = [np.random.default_rng(1).normal(size=(2, *s, 2)).astype("float32") for s in sizes]
    spec = tf.TensorSpec([2, None, None, 2])
    stream = tf.data.Dataset.from_generator(lambda: iter(images), output_signature=spec)
    module = tf.Module()
    module.convolve = tf.function(lambda x: convolve(x, kernels[:2]), input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path))
    loaded = tf.saved_model.load(str(tmp_path))
    for x, maps in zip(images, stream.map(module.convolve), strict=True):
        expected = loop(x, kernels[:2], (1, 1), "same", (1, 1))
        np.testing.assert_allclose(maps, expected, atol=1e-5)
        np.testing.assert_allclose(loaded.convolve(x), expected, atol=1e-5)


@pytest.mark.parametrize(("cin", "depth", "cout"), [(3, 2, 4), (4, 2, 5), (2, 4, 4)])
def test_channels_that_only_fit_when_folded_are_refused(cin, depth, cout):
    images, kernels = draw(cin, depth, cout)
    with pytest.raises(InputError, match=f"{cin} channels, received .*{depth}, {cout}"):
        convolve(images[:2], kernels[:2])


WAYS = {
    "eager": lambda function: function,
    "graph": tf.function,
}


EVERY = [
    *((*case, "eager", geometry) for case in ALL for geometry in (STRIDED, DILATED)),
    *((*case, "graph", STRIDED) for case in ALL[::3]),
]


@pytest.mark.parametrize(("form", "kind", "shared", "way", "geometry"), EVERY)
def test_every_form_equals_the_loops_with_both_gradients(form, kind, shared, way, geometry):
    data = draw_for(kind, shared, geometry)

    found = WAYS[way](with_gradients(form, geometry))(*map(tf.constant, data))
    for one, other in zip(found, expected_of(*data, geometry), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("first", ["images", "kernels"])
@pytest.mark.parametrize(("form", "kind", "shared"), ALL)
def test_second_derivatives(form, kind, shared, first):
    """The map is bilinear: Σ (d/dk) · v has the derivative in x that Σ maps has with kernels v."""
    images, kernels, upstream = draw_for(kind, shared, DILATED)
    x, k = tf.constant(images), tf.constant(kernels)
    rng = np.random.default_rng(2)
    given = (x, k) if first == "images" else (k, x)
    along = rng.normal(size=given[0].shape).astype("float32")
    with tf.GradientTape() as outer:
        outer.watch(given[1])
        with tf.GradientTape() as inner:
            inner.watch(given[0])
            maps = convolve(x, k, *DILATED, form=form)
        value = tf.reduce_sum(inner.gradient(maps, given[0], upstream) * along)
    found = outer.gradient(value, given[1])
    if first == "images":
        expected = expected_of(along, kernels, upstream, DILATED)[2]
    else:
        expected = expected_of(images, along, upstream, DILATED)[1]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=5e-5)


@pytest.mark.parametrize(("dtype", "error"), [("float16", 0.02), ("bfloat16", 0.1)])
@pytest.mark.parametrize(("form", "kind", "shared"), ALL[::3])
def test_half_precision(form, kind, shared, dtype, error):
    data = draw_for(kind, shared, STRIDED)
    images, kernels, upstream = (tf.cast(array, dtype) for array in data)
    with tf.GradientTape() as tape:
        tape.watch([images, kernels])
        maps = convolve(images, kernels, *STRIDED, form=form)
    found = maps, *tape.gradient(maps, [images, kernels], upstream)
    for one, other in zip(found, expected_of(*data, STRIDED), strict=True):
        assert one.dtype == dtype
        np.testing.assert_allclose(
            tf.cast(one, "float32"), other, atol=error * np.abs(other).max(), rtol=error
        )


@pytest.mark.parametrize(
    ("images", "kernels", "strides", "form"),
    [
        ((64, 28, 28, 1), (3, 3, 1, 16), 1, "conv2d"),
        ((64, 28, 28, 1), (64, 3, 3, 1, 16), 1, "patches"),  # too many outputs of one channel
        ((64, 28, 28, 1), (64, 5, 5, 1, 1), 1, "depthwise"),
        ((64, 28, 28, 1), (64, 5, 5, 1, 4), (2, 2), "depthwise"),
        ((64, 28, 28, 1), (64, 5, 5, 1, 5), 1, "patches"),
        ((64, 28, 28, 1), (64, 5, 5, 1, 1), (1, 2), "patches"),  # TensorFlow wants equal strides
        ((64, 28, 28, 8), (5, 5, 1, 8), (1, 2), "conv2d"),
        ((64, 28, 28, 8), (5, 5, 1, 16), 1, "depthwise"),
        ((64, 7, 7, 15), (64, 3, 3, 15, 8), 1, "patches"),
        ((64, 7, 7, 16), (64, 3, 3, 16, 8), 1, "taps"),
        ((64, 7, 7, 32), (64, 3, 3, 8, 8), 1, "patches"),  # of four groups
        ((None, None, None, 64), (None, 3, 3, 64, 64), 2, "taps"),
    ],
)
def test_which_form_is_taken(monkeypatch, images, kernels, strides, form):
    monkeypatch.setattr(processor, "has_gpu", lambda: True)
    assert form_of(images, kernels, strides) == form


@pytest.mark.parametrize("size", [(None, 7, 7, 32), (129, 7, 7, 32), (64, None, 7, 32)])
def test_products_where_single_convolutions_would_be_many_or_unknown(monkeypatch, size):
    monkeypatch.setattr(processor, "onednn_is_on", lambda: False)
    assert form_of(size, (*size[:1], 3, 3, 32, 32)) == "taps"


@pytest.mark.parametrize(
    ("images", "kernels", "strides", "off", "on"),
    [
        ((64, 28, 28, 1), (64, 3, 3, 1, 16), 1, "patches", "patches"),
        ((64, 7, 7, 32), (64, 3, 3, 32, 32), 1, "singly", "taps"),
        ((64, 14, 14, 32), (64, 3, 3, 32, 32), 2, "singly", "taps"),
        ((64, 7, 7, 32), (64, 3, 3, 32, 32), 2, "taps", "taps"),  # a quarter of the places
        ((64, 14, 14, 64), (64, 3, 3, 64, 64), 1, "singly", "taps"),
        ((32, 32, 32, 64), (32, 3, 3, 64, 64), 1, "singly", "singly"),
        ((64, 32, 32, 128), (64, 3, 3, 32, 128), 1, "taps", "taps"),  # of four groups
    ],
)
def test_which_form_is_taken_with_onednn_off_and_on(monkeypatch, images, kernels, strides, off, on):
    for is_on, form in ((False, off), (True, on)):
        monkeypatch.setattr(processor, "onednn_is_on", lambda is_on=is_on: is_on)
        assert form_of(images, kernels, strides) == form


@pytest.mark.parametrize(
    ("form", "kind", "shared", "strides"),
    [
        ("conv2d", "plain", False, 1),
        ("patches", "plain", True, 1),
        ("taps", "plain", True, 1),
        ("singly", "plain", True, 1),
        ("depthwise", "plain", False, 1),
        ("depthwise", "grouped", True, 1),
        ("depthwise", "depthwise", False, (1, 2)),
        ("grouped", "plain", False, 1),
    ],
)
def test_a_form_that_cannot_compute_it_is_refused(form, kind, shared, strides):
    images, kernels = draw(*KINDS[kind])
    with pytest.raises(InputError, match=f"one of .*, received {form!r}"):
        convolve(images, kernels[0] if shared else kernels, strides, form=form)


@pytest.mark.parametrize("padding", ["SAME", "causal", None])
def test_unknown_paddings_are_refused(padding):
    images, kernels = draw(2, 2, 4)
    with pytest.raises(InputError, match="padding 'same' or 'valid'"):
        convolve(images, kernels, padding=padding)
