import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.errors import InputError
from keras_filtergan.images.parametrizations import Pixels
from keras_filtergan.images.priors import MultiscaleEdge, NoPrior
from keras_filtergan.instruments.maximize.ascent import PRIORS, Ascent, ascend, start_near, survey
from keras_filtergan.instruments.maximize.objectives import (
    Activity,
    channel,
    class_logit,
    class_probability,
    layer,
    unit,
)
from keras_filtergan.instruments.maximize.transforms import RandomViews

OBJECTIVES = [class_logit(1), channel("conv2", 2) - 0.5 * class_probability(0), layer("conv4")]
QUICK = Ascent(steps=12)
STILL = RandomViews(jitter=0, scale=1, rotation=0)


@pytest.fixture(scope="module")
def kernels(target):
    noise = 0.1 * np.random.default_rng(0).normal(size=(2, *target.kernel_shape))
    return tf.concat([target.kernel[None], target.kernel + noise.astype("float32")], axis=0)


@pytest.fixture(scope="module")
def start():
    return np.random.default_rng(1).uniform(size=(12, 12, 1)).astype("float32")


@pytest.fixture(scope="module")
def found(target, kernels, start):
    return ascend(target, OBJECTIVES, kernels, start, QUICK)


def by_hand(target, objective, image, kernels):
    """The objective of one image, by the network itself."""
    return float(objective(Activity.of(target, image[None], kernels))[0])


def test_every_value_is_that_of_its_image_under_its_kernels(target, kernels, start, found):
    assert found.images.shape == (3, 3, 12, 12, 1)
    assert found.images.min() >= 0
    assert found.images.max() <= 1
    for i, objective in enumerate(OBJECTIVES):
        for k in range(3):
            end = by_hand(target, objective, found.images[i, k], kernels[k])
            assert found.end[i, k] == pytest.approx(end, rel=1e-4, abs=1e-5)
            assert found.start[i, k] == pytest.approx(
                by_hand(target, objective, start, kernels[k]), rel=1e-4, abs=1e-5
            )


def test_all_rise(found):
    assert np.all(found.end > found.start)


@pytest.mark.parametrize(
    ("prior", "rate"), [("none", 0.01), ("multiscale_edge", 50.0), ("total_variation", 50.0)]
)
def test_never_worse_than_the_start(target, kernels, start, prior, rate):
    """Not even by steps that throw the image about, and a prior that would like it flat."""
    how = Ascent(prior=PRIORS[prior], steps=4, learning_rate=rate)
    found = ascend(target, OBJECTIVES, kernels, start, how)
    assert np.all(found.end >= found.start - 1e-6)


def test_a_linear_objective_ends_at_the_corner_of_the_box(target):
    """The mean of a channel of conv1 is linear in the pixels: its best image is known."""
    objective = channel("conv1", 0)
    image = tf.zeros([1, 12, 12, 1]) + 0.5
    with tf.GradientTape() as tape:
        tape.watch(image)
        value = objective(Activity.of(target, image))
    slope = tape.gradient(value, image)[0].numpy()
    corner = (slope > 0).astype("float32")
    how = Ascent(NoPrior(), Pixels(), STILL, steps=150, learning_rate=0.1)
    # a layer before the cut does not depend on the kernels
    best = ascend(target, [objective], target.kernel[None], image[0].numpy(), how)
    np.testing.assert_allclose(best.images[0, 0], corner, atol=1e-3)
    expected = float(value[0]) + np.sum(slope * (corner - 0.5))
    assert best.end[0, 0] == pytest.approx(expected, rel=1e-4)


def test_the_film_goes_from_the_start_to_the_images(found, start):
    assert len(found.film) == 13  # a frame a step, there are fewer than 40
    for row in found.film[0].reshape(-1, 12, 12, 1):
        np.testing.assert_allclose(row, start, atol=1e-6)
    np.testing.assert_array_equal(found.film[-1], found.images)


def test_alone_as_in_company(target, kernels, start, found):
    alone = ascend(target, OBJECTIVES[1:2], kernels[2:], start, QUICK)
    np.testing.assert_allclose(alone.images[0, 0], found.images[1, 2], atol=2e-3)
    assert alone.end[0, 0] == pytest.approx(found.end[1, 2], rel=1e-3)


def test_a_spread_weighs_against_the_prior(target, start):
    """f / 2 − h is what f − 2 h is: the same images, the same values."""
    how = [Ascent(MultiscaleEdge(weight), Pixels(), STILL, 20) for weight in (1e4, 2e4, 0.0)]
    args = target, [1000 * class_logit(1)], target.kernel[None], np.full_like(start, 0.5)
    halved, double = ascend(*args, how[0], [2.0]), ascend(*args, how[1], [1.0])
    np.testing.assert_allclose(halved.images, double.images, atol=0.02)
    assert halved.end == pytest.approx(double.end, rel=0.01)
    free = ascend(*args, how[2])
    edges = [MultiscaleEdge()(found.images[0]).numpy() for found in (halved, free)]
    assert edges[0] < 0.8 * edges[1]


def test_a_survey_is_every_value_by_itself(target, dataset):
    values = survey(target, OBJECTIVES, dataset.x_test[:7])
    assert values.shape == (3, 7)
    for i, objective in enumerate(OBJECTIVES):
        for n in (0, 6):
            image = (dataset.x_test[n] / 255).astype("float32")
            expected = by_hand(target, objective, image, None)
            assert values[i, n] == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_a_start_near_an_image():
    image = np.full((12, 12, 1), 0.5)
    near = start_near(image, seed=3)
    assert 0.005 < np.abs(near - image).mean() < 0.012
    np.testing.assert_array_equal(near, start_near(image, seed=3))
    assert np.any(near != start_near(image, seed=4))
    assert start_near(np.zeros((12, 12, 1))).min() == 0


@pytest.mark.parametrize(
    ("objectives", "start", "spread", "message"),
    [
        ([], np.zeros((12, 12, 1)), None, "at least one objective"),
        ([unit("conv9", 0, 0, 0)], np.zeros((12, 12, 1)), None, "unknown layer 'conv9'"),
        ([class_logit(3)], np.zeros((12, 12, 1)), None, "class from 0 to 2"),
        ([class_logit(0)], np.zeros((12, 11, 1)), None, "expected a start"),
        ([class_logit(0)], np.full((12, 12, 1), 1.5), None, "in \\[0, 1\\]"),
        ([class_logit(0)], np.full((12, 12, 1), np.nan), None, "in \\[0, 1\\]"),
        ([class_logit(0)], np.zeros((12, 12, 1)), [0.0], "a spread above 0"),
        ([class_logit(0)], np.zeros((12, 12, 1)), [1.0, 2.0], "a spread above 0"),
    ],
)
def test_what_cannot_be_sought(target, objectives, start, spread, message):
    with pytest.raises(InputError, match=message):
        ascend(target, objectives, target.kernel[None], start, QUICK, spread)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"steps": 0}, "at least 1 step"), ({"learning_rate": 0.0}, "learning rate > 0")],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(InputError, match=message):
        Ascent(**settings)
