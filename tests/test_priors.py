import dataclasses

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from keras_filtergan.errors import InputError
from keras_filtergan.images.priors import (
    PRIORS,
    WALK_TOTAL_VARIATION,
    MultiscaleEdge,
    NoPrior,
    TotalVariation,
    get_prior,
)

ALL = [TotalVariation(), TotalVariation(beta=2.0), TotalVariation(beta=3.0), MultiscaleEdge()]


def some_images(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(size=shape)


def total_variation_by_loop(image: np.ndarray, beta: float) -> float:
    h, w, c = image.shape
    total = 0.0
    for k in range(c):
        for i in range(h):
            for j in range(w):
                dx = image[i, j + 1, k] - image[i, j, k] if j + 1 < w else 0.0
                dy = image[i + 1, j, k] - image[i, j, k] if i + 1 < h else 0.0
                total += (dx**2 + dy**2) ** (beta / 2)
    return total / (h * w * c)


@pytest.mark.parametrize("beta", [1.0, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("channels", [1, 3])
def test_total_variation_is_that_of_a_loop(beta, channels):
    images = some_images(3, 6, 5, channels)
    prior = TotalVariation(beta=beta, tv_weight=0.7, norm_weight=0.0)
    expected = [0.7 * total_variation_by_loop(image, beta) for image in images]
    # below 2, a slope is rounded off by at most (10⁻⁶)^{β/2}
    tolerance = 0.0 if beta >= 2 else 1e-6 ** (beta / 2)
    np.testing.assert_allclose(prior(tf.constant(images)), expected, rtol=1e-9, atol=tolerance)


def test_numbers_worked_out_by_hand():
    image = tf.constant([[0.0, 1.0], [0.5, 0.5]])[None, :, :, None]
    tv = TotalVariation(beta=2.0, tv_weight=1.0, norm_weight=0.0)
    # slopes: (0,0): 1² + 0.5²; (0,1): 0.5² down; (1,0): 0; (1,1): past both borders
    assert tv(image).numpy() == pytest.approx([1.5 / 4])
    norm = TotalVariation(tv_weight=0.0, alpha=2.0, norm_weight=2.0)
    assert norm(image).numpy() == pytest.approx([2 * (1 + 0.25 + 0.25) / 4])
    centred = TotalVariation(tv_weight=0.0, alpha=2.0, norm_weight=2.0, centre=0.5)
    assert centred(image).numpy() == pytest.approx([2 * (0.25 + 0.25) / 4])


def test_excess_is_that_of_each_pixel_over_the_reference_around_it():
    images, reference = some_images(2, 6, 5, 3), some_images(2, 6, 5, 3, seed=1) ** 3
    prior = TotalVariation(beta=2.0, tv_weight=0.7, alpha=2.0, norm_weight=0.3)

    def density(image):
        dx, dy = np.zeros_like(image), np.zeros_like(image)
        dx[:, :-1], dy[:-1] = np.diff(image, axis=1), np.diff(image, axis=0)
        return 0.7 * (dx**2 + dy**2) + 0.3 * image**2

    for image, other, found in zip(
        images, reference, prior.excess(images, reference).numpy(), strict=True
    ):
        allowed = scipy.ndimage.maximum_filter(density(other), size=(3, 3, 1), mode="nearest")
        expected = np.mean(np.maximum(density(image) - allowed, 0.0))
        assert 0 < expected < np.mean(density(image))
        assert found == pytest.approx(expected, rel=1e-6)


def test_a_fainter_stroke_buys_no_noise():
    stroke = np.zeros((1, 12, 12, 1), "float32")
    stroke[0, 3:9, 3] = 1.0
    fainter, noisy = 0.5 * stroke, 0.5 * stroke
    noisy[0, ::2, 8::2] = 0.05
    prior = WALK_TOTAL_VARIATION
    assert prior(noisy) < prior(stroke)
    assert prior.excess(fainter, stroke) == 0.0
    assert prior.excess(noisy, stroke) > 0.01


@pytest.mark.parametrize("prior", [*ALL, NoPrior()])
def test_an_image_has_no_excess_over_itself(prior):
    images = tf.constant(some_images(2, 12, 12, 1))
    np.testing.assert_allclose(prior.excess(images, images), 0.0, atol=1e-9)


def test_the_excess_of_edges_is_that_of_their_sum():
    plain, rough = 0.5 * np.ones((1, 12, 12, 1)), some_images(1, 12, 12, 1)
    prior = MultiscaleEdge()
    expected = float(prior(rough)[0] - prior(plain)[0])
    assert float(prior.excess(rough, plain)[0]) == pytest.approx(expected)
    assert float(prior.excess(plain, rough)[0]) == 0.0


def multiscale_edge_by_scipy(image: np.ndarray) -> float:
    total = 0.0
    for k in range(image.shape[-1]):
        plane = image[..., k]
        while min(plane.shape) > 5:
            blurred = scipy.ndimage.gaussian_filter(plane, sigma=1.0, radius=2, mode="reflect")
            total += np.sum((plane - blurred) ** 2)
            h, w = plane.shape
            plane = np.array(
                [
                    [plane[i : i + 2, j : j + 2].mean() for j in range(0, w, 2)]
                    for i in range(0, h, 2)
                ]
            )
    return total / image.size


@pytest.mark.parametrize("shape", [(28, 28, 1), (13, 10, 3), (6, 11, 1)])
def test_multiscale_edge_is_that_of_scipy(shape):
    images = some_images(2, *shape)
    expected = [1.5 * multiscale_edge_by_scipy(image) for image in images]
    np.testing.assert_allclose(MultiscaleEdge(weight=1.5)(tf.constant(images)), expected, rtol=1e-6)


def test_multiscale_edge_sees_waves_that_one_scale_does_not():
    wave = 0.5 + 0.5 * np.sin(2 * np.pi * np.arange(32) / 16)
    slow = np.broadcast_to(wave[None, :, None], (32, 32, 1))[None]
    one_scale = np.mean(
        (slow - scipy.ndimage.gaussian_filter(slow, (0, 1, 1, 0), radius=(0, 2, 2, 0))) ** 2
    )
    assert MultiscaleEdge()(tf.constant(slow)).numpy()[0] > 3 * one_scale


def test_images_of_at_most_five_pixels_have_no_scale():
    assert np.all(MultiscaleEdge()(some_images(2, 5, 9, 1)).numpy() == 0.0)


@pytest.mark.parametrize("prior", ALL, ids=repr)
@pytest.mark.parametrize("grey", [0.0, 0.3, 1.0])
def test_a_flat_image_is_a_minimum_with_a_gradient(prior, grey):
    if isinstance(prior, TotalVariation):
        prior = dataclasses.replace(prior, norm_weight=0.0)
    images = tf.fill([2, 12, 12, 3], tf.constant(grey, tf.float64))
    with tf.GradientTape() as tape:
        tape.watch(images)
        penalty = prior(images)
    np.testing.assert_allclose(penalty, 0.0, atol=1e-12)
    np.testing.assert_allclose(tape.gradient(penalty, images), 0.0, atol=1e-7)


def test_a_black_background_is_not_greyed():
    black = tf.zeros([1, 8, 8, 1])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(black)
        default, grey = TotalVariation()(black), TotalVariation(centre=0.5)(black)
    assert np.all(tape.gradient(default, black).numpy() == 0.0)
    assert np.all(tape.gradient(grey, black).numpy() < 0.0)  # a descent would lift every pixel


@pytest.mark.parametrize("prior", ALL, ids=repr)
def test_gradient_is_that_of_finite_differences(prior):
    images, direction = some_images(2, 9, 8, 3), some_images(2, 9, 8, 3, seed=1) - 0.5
    with tf.GradientTape() as tape:
        x = tf.constant(images)
        tape.watch(x)
        penalty = prior(x)
    slope = np.sum(tape.gradient(penalty, x).numpy() * direction, axis=(1, 2, 3))
    step = 1e-5
    up, down = prior(images + step * direction), prior(images - step * direction)
    np.testing.assert_allclose(slope, (up - down).numpy() / (2 * step), rtol=1e-5)


@pytest.mark.parametrize("prior", [*ALL, NoPrior()], ids=repr)
def test_penalties_are_not_negative_and_each_image_has_its_own(prior):
    images = some_images(4, 14, 14, 3).astype("float32")
    together = prior(images).numpy()
    alone = [prior(image[None]).numpy()[0] for image in images]
    assert together.shape == (4,)
    assert np.all(together >= 0)
    np.testing.assert_allclose(together, alone, rtol=1e-5)


@pytest.mark.parametrize("prior", [TotalVariation(), MultiscaleEdge()], ids=repr)
def test_a_weight_means_the_same_for_any_size(prior):
    # noise is alike everywhere, so a larger piece of it costs the same a pixel
    small = prior(some_images(20, 16, 16, 1)).numpy().mean()
    large = prior(some_images(5, 64, 64, 3)).numpy().mean()
    assert large == pytest.approx(small, rel=0.15)


def test_names_settings_and_equality():
    for name, kind in PRIORS.items():
        prior = get_prior(name)
        assert type(prior) is kind
        assert prior.name == name
        assert kind(**prior.get_config()) == prior
    assert TotalVariation(beta=1.5).get_config()["beta"] == 1.5


@pytest.mark.parametrize("name", ["total_variatoin", "", None])
def test_an_unknown_name_lists_those_there_are(name):
    with pytest.raises(InputError, match="total_variation, multiscale_edge, none"):
        get_prior(name)


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(InputError, match="did you mean 'multiscale_edge'"):
        get_prior("multiscale")


@pytest.mark.parametrize(
    "settings",
    [
        {"beta": 0.0},
        {"beta": float("nan")},
        {"beta": "2"},
        {"alpha": 0.5},
        {"tv_weight": -1.0},
        {"norm_weight": float("inf")},
        {"centre": 1.5},
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(settings):
    (name,) = settings
    with pytest.raises(InputError, match=f"expected a finite {name} .*received"):
        TotalVariation(**settings)


def test_a_negative_edge_weight_is_refused():
    with pytest.raises(InputError, match="weight ≥ 0, received weight=-1"):
        MultiscaleEdge(weight=-1)
