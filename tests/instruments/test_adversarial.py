import json
import types

import bare
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.cli import module_main
from keras_filtergan.data import ImageDataset
from keras_filtergan.errors import InputError
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.instruments.adversarial.attacker import Attacker
from keras_filtergan.instruments.adversarial.averages import (
    ACTIVATIONS,
    PROBABILITIES,
    REAL,
    mean_of_activations,
    mean_of_probabilities,
    with_kernels,
)
from keras_filtergan.instruments.adversarial.projected_gradient import (
    L2,
    NORMS,
    LInf,
    ProjectedGradient,
)
from keras_filtergan.instruments.adversarial.study import (
    Attack,
    adversarial_study,
)
from keras_filtergan.instruments.adversarial.summary import SINGLES
from keras_filtergan.instruments.specimen import Specimen


@pytest.fixture(scope="module")
def bare_words(tmp_path_factory, classifier, dataset):
    return bare.words_of(classifier, dataset, tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def linear_target():
    """A convolution and a read-out, nothing else: linear in the image."""
    keras.utils.set_random_seed(0)
    image = keras.Input((6, 6, 1))
    maps = keras.layers.Conv2D(3, 3, padding="same", name="conv")(image)
    model = keras.Model(image, keras.layers.Dense(4)(keras.layers.Flatten()(maps)))
    return FrozenTarget(model, "conv")


@pytest.fixture(scope="module")
def kernels(linear_target):
    noise = np.random.default_rng(0).normal(size=(5, *linear_target.kernel_shape))
    return linear_target.kernel + tf.constant(0.3 * noise, tf.float32)


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(1).uniform(0.3, 0.7, (12, 6, 6, 1)).astype("float32")


@pytest.fixture(scope="module")
def found(learned):
    return adversarial_study(
        learned, [L2(), LInf()], Attack(images=30, sets=3, singles=2, steps=10)
    )


@pytest.fixture(scope="module")
def target():
    """A small network that is not linear and gives no class more than its share."""
    keras.utils.set_random_seed(1)
    image = keras.Input((6, 6, 1))
    maps = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(image)
    read_out = keras.layers.Dense(3)
    model = keras.Model(image, read_out(keras.layers.Flatten()(maps)))
    noise = np.random.default_rng(0).uniform(size=(200, 6, 6, 1))
    read_out.bias.assign(-np.mean(model(noise), axis=0))
    return FrozenTarget(model, "conv")


@pytest.fixture(scope="module")
def learned(target):
    """It, with a generator, and images that it gets right."""
    generator = FilterGenerator(target.kernel_shape, latent_dim=2, **target.geometry)
    generator.build((None, 2))
    draw = np.random.default_rng(5)
    for weight in generator.trainable_variables:
        weight.assign(weight + 0.02 * draw.standard_normal(weight.shape))
    kernels = target.kernel

    def near(latents, training=False):
        return kernels + generator(latents)

    near.latent_dim = 2
    images = draw.uniform(size=(60, 6, 6, 1)).astype("float32")
    answers = np.argmax(target(images), axis=1)
    data = ImageDataset("answers", images, answers, images, answers, "abc")
    return Specimen(target, data, "small", types.SimpleNamespace(generator=near))


@pytest.mark.parametrize("norm", NORMS.values(), ids=NORMS)
@pytest.mark.parametrize("averaged", [False, True], ids=["real", "averaged"])
def test_a_linear_network_is_misled_at_the_distance_to_its_boundary(
    norm, averaged, linear_target, kernels, pictures
):
    """(f_i − f_j) / ‖w_i − w_j‖, of a weight matrix that is read off the whole network.

    That of averaged activations is the mean of the matrices under the kernel sets.
    """

    def matrix(kernel):
        offset = linear_target(tf.zeros([1, 6, 6, 1]), kernel)
        return (linear_target(tf.reshape(tf.eye(36), [36, 6, 6, 1]), kernel) - offset).numpy()

    scores = with_kernels(linear_target, linear_target.kernel)
    weights = matrix(None)
    if averaged:
        scores = mean_of_activations(linear_target, kernels)
        weights = np.mean([matrix(one) for one in kernels], axis=0)
    logits = scores(pictures).numpy()
    labels = np.argmax(logits, axis=1)
    order = {"l2": 2, "linf": 1}[norm.name]
    exact = np.min(
        [
            [
                (row[own] - row[j]) / np.linalg.norm(weights[:, own] - weights[:, j], order)
                if j != own
                else np.inf
                for j in range(4)
            ]
            for row, own in zip(logits, labels, strict=True)
        ],
        axis=1,
    )
    sizes, _ = Attacker(scores, ProjectedGradient(norm)).smallest_change(pictures, labels)
    near = exact < {"l2": 0.5, "linf": 0.25}[norm.name]
    assert near.sum() >= 5
    np.testing.assert_allclose(sizes[near], exact[near], rtol=0.03, atol=2e-3)


@pytest.fixture(scope="module")
def kernels_of(learned):
    return learned.kernel_sets(3)


def test_averages_are_those_of_a_loop(target, kernels_of, learned):
    images = tf.constant(learned.dataset.x_test[:5])
    features = target.features(images)
    maps = [target.activations(features, one) for one in kernels_of]
    np.testing.assert_allclose(
        mean_of_activations(target, kernels_of)(images),
        target.outputs(tf.add_n(maps) / len(maps), features),
        atol=1e-4,
    )
    probabilities = np.mean([tf.nn.softmax(target(images, one)) for one in kernels_of], axis=0)
    np.testing.assert_allclose(
        np.exp(mean_of_probabilities(target, kernels_of)(images)), probabilities, rtol=1e-4
    )


def test_the_gradient_goes_through_every_member(target, kernels_of, learned):
    """By finite differences of the mean of probabilities, taken apart."""
    image = tf.constant(learned.dataset.x_test[:1])
    direction = np.random.default_rng(0).normal(size=image.shape).astype("float32")
    with tf.GradientTape() as tape:
        tape.watch(image)
        score = mean_of_probabilities(target, kernels_of)(image)[0, 1]
    slope = np.sum(tape.gradient(score, image) * direction)

    def by_loop(x):
        return np.log(np.mean([tf.nn.softmax(target(x, one))[0, 1] for one in kernels_of]))

    step = 2e-3
    change = by_loop(image + step * direction) - by_loop(image - step * direction)
    assert slope == pytest.approx(change / (2 * step), rel=0.05, abs=1e-3)


def test_the_numbers(found):
    json.dumps(found.numbers)
    assert list(found.numbers["norms"]) == ["l2", "linf"]
    assert 15 < found.numbers["settings"]["clean_images"] <= 30
    for part in found.numbers["norms"].values():
        assert part["epsilons"][0] == 0
        assert list(part["networks"]) == [REAL, ACTIVATIONS, PROBABILITIES, SINGLES]
        assert part["networks"][REAL]["accuracy"][0] == 1
        assert part["networks"][REAL]["ratio_to_real"]["median"] == 1
        for name, row in part["networks"].items():
            assert np.all(np.diff(row["accuracy"]) <= 0)
            quartiles = row["smallest_change"]
            assert 0 < quartiles["lower_quartile"] <= quartiles["median"]
            assert row["ratio_to_real"]["low"] <= row["ratio_to_real"]["high"]
            assert part["transfer"][name][name] == row["accuracy"] or name == SINGLES
            # of all attacks together none is stronger
            assert np.all(np.array(part["transfer"]["any"][name]) <= row["accuracy"])


def test_smallest_changes_and_the_curve_agree(learned):
    """Nobody is misled below the smallest of the smallest changes, half at their median."""
    images, answers = learned.dataset.x_test, learned.dataset.y_test
    attacker = Attacker(
        with_kernels(learned.target, learned.target.kernel), ProjectedGradient(L2(), 10)
    )
    sizes = attacker.smallest_change(images, answers)[0]
    alone = Specimen(learned.target, learned.dataset, "alone")
    found = adversarial_study(
        alone, [L2()], Attack([0.99 * min(sizes), np.median(sizes)], 60, steps=10)
    )
    accuracies = found.numbers["norms"]["l2"]["networks"][REAL]["accuracy"]
    np.testing.assert_allclose(accuracies, [1, 1, 0.5], atol=0.04)


def test_the_figure(found):
    panels = [ax for ax in found.figure.axes if ax.lines]
    assert len(panels) == 2
    assert [len(ax.lines) for ax in panels] == [4, 4]
    assert len({(line.get_linestyle(), line.get_marker()) for line in panels[0].lines}) == 4
    tiles = [ax for ax in found.figure.axes if ax.images]
    assert len(tiles) == 4 * (len(tiles) // 4) > 0
    assert tiles[-1].get_title().split(", ")[0] in "abc"


def test_a_classifier_alone(learned):
    alone = Specimen(learned.target, learned.dataset, "alone")
    found = adversarial_study(alone, [LInf()], Attack(radii=[0.3, 0.1], images=6, steps=3))
    (part,) = found.numbers["norms"].values()
    assert part["epsilons"] == [0, 0.1, 0.3]
    assert list(part["networks"]) == [REAL]
    assert found.numbers["settings"]["kernel_sets"] == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"radii": [-0.1, 0.2]}, "finite ε of at least 0"),
        ({"radii": [np.inf]}, "finite ε"),
        ({"radii": []}, "finite ε"),
        ({"sets": 0, "singles": 0}, "at least one"),
        ({"sets": 2, "singles": 3}, "expected 1 to 2 single kernel sets"),
        ({"steps": 0}, "at least 1 step"),
    ],
)
def test_what_is_refused(learned, settings, message):
    with pytest.raises(InputError, match=message):
        adversarial_study(learned, [L2()], Attack(images=3, **settings))


def test_a_network_that_is_always_wrong(learned):
    data = learned.dataset
    labels = (data.y_test + 1) % 3
    wrong = ImageDataset("wrong", data.x_train, data.y_train, data.x_test, labels, "abc")
    with pytest.raises(InputError, match="they get none"):
        adversarial_study(Specimen(learned.target, wrong, "wrong"), [L2()], Attack(images=5))


def test_the_command(bare_words, tmp_path, capsys):
    out = tmp_path / "out"
    words = ["adversarial", *bare_words, "--out", str(out), "--images", "6", "--steps", "2"]
    assert module_main([*words, "--epsilons", "0.1"]) == 2
    assert "expected --norm beside --epsilons" in capsys.readouterr().err
    assert module_main([*words, "--norm", "l2", "--epsilons", "-1"]) == 2
    assert "finite ε of at least 0" in capsys.readouterr().err
    assert module_main([*words, "--norm", "l2", "--epsilons", "0.1", "1"]) == 0
    assert {path.name for path in out.iterdir()} == {"adversarial.json", "adversarial.png"}
    assert "real kernels" in capsys.readouterr().out
