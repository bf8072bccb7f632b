import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from keras_filtergan.errors import InputError
from keras_filtergan.images.parametrizations import (
    PARAMETRIZATIONS,
    Deformation,
    Fourier,
    Pixels,
    clip_inward,
    get_parametrization,
)

ALL = [Pixels(), Fourier(), Deformation(grid=4)]
SIZES = [(28, 28, 1), (9, 12, 3), (7, 5, 3), (6, 1, 1)]


def some_images(*shape: int, seed: int = 0) -> np.ndarray:
    images = np.random.default_rng(seed).uniform(size=shape).astype("float32")
    images[:, : shape[1] // 3] = 0.0  # a background of exactly 0, and some pure white
    images[:, -1:] = 1.0
    return images


def disturbed(parameters, scale: float, seed: int = 0):
    """All free parameters moved by Gaussian noise; what is held fixed, the start, stays."""
    rng = np.random.default_rng(seed)
    free = parameters if len(parameters) == 1 else parameters[:-1]
    moved = [p + tf.constant(rng.normal(scale=scale, size=p.shape), tf.float32) for p in free]
    return (*moved, *parameters[len(free) :])


@pytest.mark.parametrize("parametrization", ALL, ids=repr)
@pytest.mark.parametrize("shape", SIZES, ids=str)
def test_parameters_of_images_decode_to_exactly_these_images(parametrization, shape):
    images = some_images(3, *shape)
    parameters = parametrization.init(images)
    np.testing.assert_array_equal(parametrization.decode(parameters), images)
    projected = parametrization.decode(parametrization.project(parameters))
    np.testing.assert_array_equal(projected, images)


@pytest.mark.parametrize("parametrization", ALL, ids=repr)
@pytest.mark.parametrize("shape", SIZES, ids=str)
def test_any_parameters_decode_to_images_in_range(parametrization, shape):
    parameters = disturbed(parametrization.init(some_images(3, *shape)), scale=2.0)
    images = parametrization.decode(parameters).numpy()
    assert images.shape == (3, *shape)
    assert images.min() == 0.0
    assert images.max() == 1.0


@pytest.mark.parametrize("parametrization", ALL, ids=repr)
@pytest.mark.parametrize("grey", [0.0, 1.0])
def test_black_and_white_can_be_left(parametrization, grey):
    parameters = parametrization.init(tf.fill([2, 9, 12, 3], grey))
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        distance = tf.reduce_sum(tf.square(parametrization.decode(parameters) - 0.5))
    gradients = tape.gradient(distance, parameters, unconnected_gradients="zero")
    moved = tuple(p - 1e-3 * g for p, g in zip(parameters, gradients, strict=True))
    after = tf.reduce_sum(tf.square(parametrization.decode(moved) - 0.5))
    assert after < distance - 1e-3


@pytest.mark.parametrize("parametrization", [Fourier(), Deformation(grid=4)], ids=repr)
def test_the_start_image_is_held_fixed(parametrization):
    parameters = disturbed(parametrization.init(some_images(2, 8, 8, 1)), scale=0.01)
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        images = parametrization.decode(parameters)
    gradients = tape.gradient(images, parameters)
    assert gradients[-1] is None
    assert all(np.any(gradient.numpy()) for gradient in gradients[:-1])


def test_clip_stops_only_what_leads_further_out():
    values = tf.constant([-0.1, -0.1, 0.0, 0.0, 0.5, 1.0, 1.0, 1.1, 1.1])
    upstream = tf.constant([1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0, 1.0, -1.0])
    with tf.GradientTape() as tape:
        tape.watch(values)
        clipped = clip_inward(values)
    gradient = tape.gradient(clipped, values, output_gradients=upstream)
    np.testing.assert_allclose(clipped, [0, 0, 0, 0, 0.5, 1, 1, 1, 1])
    # a descent goes against the gradient: -0.1 with gradient 1 would move further out
    np.testing.assert_array_equal(gradient, [0, -1, 1, -1, 1, 1, -1, 1, 0])


def test_free_pixels_are_projected_to_the_range():
    pixels = (tf.constant([-0.5, 0.25, 1.5])[None, :, None, None],)
    (projected,) = Pixels().project(pixels)
    np.testing.assert_array_equal(projected.numpy().ravel(), [0.0, 0.25, 1.0])


@pytest.mark.parametrize(("h", "w"), [(8, 8), (7, 9), (6, 5)])
def test_a_fourier_coefficient_is_a_wave(h, w):
    ky, kx = 2, 1
    coefficients = np.zeros((1, 1, h, w // 2 + 1, 2), "float32")
    coefficients[0, 0, ky, kx] = 0.01, 0.02  # of the cosine, of minus the sine
    start = np.full((1, h, w, 1), 0.5, "float32")
    change = Fourier().decode((tf.constant(coefficients), tf.constant(start))).numpy() - start
    y, x = np.mgrid[:h, :w]
    phase = 2 * np.pi * (ky * y / h + kx * x / w)
    wave = 0.01 * np.cos(phase) - 0.02 * np.sin(phase)
    amplitude = np.sum(change[0, ..., 0] * wave) / np.sum(wave**2)
    assert amplitude > 0
    np.testing.assert_allclose(change[0, ..., 0], amplitude * wave, atol=1e-6)


def amplitude_of(kx: int, decay: float) -> float:
    coefficients = np.zeros((1, 1, 16, 9, 2), "float32")
    coefficients[0, 0, 0, kx, 0] = 0.01
    start = tf.fill([1, 16, 16, 1], 0.5)
    return np.abs(Fourier(decay).decode((tf.constant(coefficients), start)) - start).max()


@pytest.mark.parametrize("decay", [0.0, 1.0, 2.0])
def test_amplitudes_fall_with_the_frequency(decay):
    assert amplitude_of(1, decay) / amplitude_of(4, decay) == pytest.approx(4.0**decay, rel=1e-3)


@pytest.mark.parametrize("shape", [(16, 16, 1), (15, 17, 1), (12, 13, 3)], ids=str)
@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_fourier_steps_of_unit_size_are_pixel_steps_of_unit_size(shape, decay):
    parameters = Fourier(decay).init(np.full((2000, *shape), 0.5, "float32"))
    images = Fourier(decay).decode(disturbed(parameters, scale=0.02)).numpy()
    assert (images - 0.5).std() == pytest.approx(0.02, rel=0.03)


def test_a_grey_change_is_the_same_in_all_colours():
    coefficients = np.zeros((1, 3, 6, 4, 2), "float32")
    coefficients[0, 0] = 0.01  # the first axis is brightness
    start = tf.fill([1, 6, 6, 3], 0.5)
    images = Fourier().decode((tf.constant(coefficients), start)).numpy()
    np.testing.assert_allclose(images[..., 1:], images[..., :2], atol=1e-6)
    coefficients = np.zeros((1, 3, 6, 4, 2), "float32")
    coefficients[0, 1:] = 0.01  # the others leave the brightness as it is
    images = Fourier().decode((tf.constant(coefficients), start)).numpy()
    np.testing.assert_allclose(images.mean(axis=-1), 0.5, atol=1e-6)
    assert images.std() > 1e-3


@pytest.mark.parametrize("shape", [(12, 9, 1), (8, 8, 3)], ids=str)
def test_a_deformation_is_that_of_scipy(shape):
    h, w, c = shape
    rng = np.random.default_rng(0)
    image = rng.uniform(0.3, 0.6, size=shape).astype("float32")
    lattice = rng.normal(scale=0.5, size=(1, 5, 5, 2)).astype("float32")
    gain, offset = (rng.normal(scale=0.1, size=(1, 1, 1, c)).astype("float32") for _ in range(2))
    parameters = tuple(tf.constant(p) for p in (lattice, gain, offset, image[None]))
    found = Deformation(grid=5).decode(parameters).numpy()[0]
    nodes = np.meshgrid(np.linspace(0, 4, h), np.linspace(0, 4, w), indexing="ij")
    field = [
        0.2
        * max(h, w)
        * scipy.ndimage.map_coordinates(
            lattice[0, ..., k], nodes, order=3, prefilter=False, mode="nearest"
        )
        for k in range(2)
    ]
    place = np.mgrid[:h, :w] + np.stack(field)
    for k in range(c):
        bent = scipy.ndimage.map_coordinates(image[..., k], place, order=1, mode="nearest")
        expected = bent * (1 + gain[0, 0, 0, k]) + offset[0, 0, 0, k]
        np.testing.assert_allclose(found[..., k], expected, atol=1e-5)


def test_a_constant_lattice_is_a_shift():
    image = some_images(1, 10, 10, 1)
    lattice, gain, offset, start = Deformation().init(image)
    shift = tf.constant([0.0, 2.0 / (0.2 * 10)])  # two pixels to the left
    shifted = Deformation().decode((lattice + shift, gain, offset, start)).numpy()
    np.testing.assert_allclose(shifted[:, :, :-2], image[:, :, 2:], atol=1e-5)


def test_gradient_of_the_lattice_is_that_of_finite_differences():
    smooth = scipy.ndimage.gaussian_filter(some_images(1, 16, 16, 1), (0, 2, 2, 0))
    deformation = Deformation(grid=4)
    parameters = disturbed(deformation.init(smooth), scale=0.02)
    weights = np.random.default_rng(1).normal(size=smooth.shape)
    with tf.GradientTape() as tape:
        tape.watch(parameters)
        value = tf.reduce_sum(deformation.decode(parameters) * weights)
    direction = np.random.default_rng(2).normal(size=(1, 4, 4, 2)).astype("float32")
    slope = np.sum(tape.gradient(value, parameters)[0] * direction)

    def value_at(step):
        images = deformation.decode((parameters[0] + step * direction, *parameters[1:])).numpy()
        return np.sum(images.astype("float64") * weights)

    assert slope == pytest.approx((value_at(1e-3) - value_at(-1e-3)) / 2e-3, rel=0.02)


def test_names_settings_and_equality():
    for name, kind in PARAMETRIZATIONS.items():
        parametrization = get_parametrization(name)
        assert type(parametrization) is kind
        assert parametrization.name == name
        assert kind(**parametrization.get_config()) == parametrization
    assert Deformation(grid=5).get_config() == {"grid": 5}


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(InputError, match="pixels, fourier, deformation; did you mean 'fourier'"):
        get_parametrization("furier")


@pytest.mark.parametrize("grid", [1, 2.5, "7", None])
def test_a_lattice_needs_two_points_a_side(grid):
    with pytest.raises(InputError, match=f"whole number ≥ 2 as grid, received grid={grid!r}"):
        Deformation(grid=grid)


@pytest.mark.parametrize("decay", [-1.0, float("nan"), float("inf"), "1"])
def test_a_decay_is_finite_and_not_negative(decay):
    with pytest.raises(InputError, match="finite decay ≥ 0, received"):
        Fourier(decay=decay)


@pytest.mark.parametrize("parametrization", ALL, ids=repr)
def test_one_image_without_a_batch_is_refused(parametrization):
    with pytest.raises(InputError, match=r"expected images \(m, h, w, c\), received"):
        parametrization.init(np.zeros((8, 8, 1), "float32"))
