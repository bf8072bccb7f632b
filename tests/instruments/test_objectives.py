import classifiers
import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError
from keras_filtergan.instruments.maximize.objectives import (
    Activity,
    Combination,
    channel,
    class_logit,
    class_probability,
    layer,
    unit,
)


@pytest.fixture(scope="module")
def activity():
    generator = np.random.default_rng(0)
    layers = {
        "conv1": tf.constant(generator.normal(size=(4, 3, 5, 6)), tf.float32),
        "dense": tf.constant(generator.normal(size=(4, 7)), tf.float32),
    }
    return Activity(layers, tf.constant(generator.normal(size=(4, 3)), tf.float32))


def test_each_is_the_number_that_it_names(activity):
    maps, dense = (np.asarray(values, "float64") for values in activity.layers.values())
    logits = np.asarray(activity.logits, "float64")
    expected = {
        unit("conv1", 4, 2, 1): [image[2][1][4] for image in maps],
        channel("conv1", 4): [sum(p[4] for row in image for p in row) / 15 for image in maps],
        channel("dense", 6): dense[:, 6],
        layer("conv1"): [sum(v * v for v in image.ravel()) / 90 for image in maps],
        layer("dense"): [sum(v * v for v in row) / 7 for row in dense],
        class_logit(2): logits[:, 2],
        class_probability(1): [np.exp(row[1]) / sum(np.exp(row)) for row in logits],
    }
    for objective, values in expected.items():
        found = objective(activity)
        assert found.shape == (4,)
        np.testing.assert_allclose(found, values, rtol=1e-5, err_msg=str(objective))


def test_arithmetic_is_that_of_the_values(activity):
    a, b = channel("conv1", 0), class_logit(1)
    x, y = a(activity), b(activity)
    for objective, expected in (
        (a + b, x + y),
        (a - b, x - y),
        (-a, -x),
        (0.2 * a - 3 * b, 0.2 * x - 3 * y),
        (-(a - 2 * b) / 4, -(x - 2 * y) / 4),
        ((a + b) + (a - 2 * b), 2 * x - y),
        (np.float32(0.5) * a, 0.5 * x),
    ):
        np.testing.assert_allclose(objective(activity), expected, rtol=1e-5, atol=1e-6)


def test_equal_sums_are_equal_values_and_single_terms_no_sums():
    a, b = channel("conv1", 0), class_logit(1)
    assert (a + b) - b == a
    assert 2 * a - a == a
    assert a + a == 2 * a != a
    assert {a + b: 1}[a + b] == 1
    assert isinstance(a - b, Combination)


def test_names():
    assert (
        str(0.2 * channel("conv4", 3) - class_logit(7))
        == '0.2 * channel("conv4", 3) - class_logit(7)'
    )
    assert str(-2 * unit("a", 1, 2, 3) + layer("b")) == '-2 * unit("a", 1, 2, 3) + layer("b")'
    assert str(class_logit(np.int64(7))) == "class_logit(7)"
    assert str(-class_probability(0)) == "-class_probability(0)"


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        (unit("conv2", 0, 0, 0), "unknown layer 'conv2', expected one of: conv1, dense; did you"),
        (unit("conv1", 6, 0, 0), r"channel from 0 to 5 in unit\(\"conv1\", 6, 0, 0\)"),
        (unit("conv1", 0, 3, 0), "row from 0 to 2"),
        (unit("conv1", 0, 0, 5), "column from 0 to 4"),
        (unit("dense", 0, 0, 0), r"'dense' gives \(7,\); use channel\(\"dense\", n\)"),
        (channel("dense", 7), "channel from 0 to 6"),
        (class_logit(3), r"class from 0 to 2 in class_logit\(3\)"),
        (class_probability(99), "class from 0 to 2"),
        (class_logit(0) + layer("norm"), "unknown layer 'norm'"),
    ],
)
def test_what_the_network_does_not_have(objective, message, activity):
    with pytest.raises(InputError, match=message):
        objective(activity)


@pytest.mark.parametrize("number", [-1, 1.5, True, "2", None])
def test_numbers_that_count_nothing(number):
    for make in (class_logit, lambda n: channel("conv1", n), lambda n: unit("conv1", 0, n, 0)):
        with pytest.raises(InputError, match="expected a whole number from 0 on as"):
            make(number)
    with pytest.raises(InputError, match="a layer's path as layer of channel, received 3"):
        channel(3, 4)


def test_nothing_is_no_objective():
    a = class_logit(0)
    for nothing in (lambda: a - a, lambda: 0 * a, lambda: float("nan") * a, lambda: a * 1e308 * 10):
        with pytest.raises(InputError, match="finite and not all 0"):
            nothing()
    with pytest.raises(InputError, match="other than 0"):
        a / 0
    for odd in (lambda: a * a, lambda: a + 1, lambda: "2" * a, lambda: 1 - a):
        with pytest.raises(TypeError):
            odd()


@pytest.mark.parametrize("build", [classifiers.functional, classifiers.nested])
def test_of_a_network(build):
    """Logits are the network's answer, or its logarithm; kernels go where they belong."""
    model = classifiers.shaken(build(1))
    images = classifiers.images(1)
    target = FrozenTarget(model, 2)
    for kernels in (None, 1.5 * target.kernel):
        answer = np.asarray(target(images, kernels), "float64")
        log = answer if target.gives_logits else np.log(answer)
        found = Activity.of(target, images, kernels)
        np.testing.assert_allclose(found.logits, log, atol=1e-5)
        np.testing.assert_allclose(
            class_probability(0)(found) + class_probability(1)(found) + class_probability(2)(found),
            1,
            rtol=1e-5,
        )
