"""The protocol of `benchmarks/few_labels.py`: who learns from what, and that nothing else moves."""

import dataclasses
import importlib
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_filtergan.data import ImageDataset, load_dataset, to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.gan.transformation import ImageTransformation
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.layers import GeneratedConv2D

few_labels = importlib.import_module("few_labels")
conditions = importlib.import_module("few_labels_conditions")
data = importlib.import_module("few_labels_data")
training = importlib.import_module("few_labels_training")

Condition = conditions.Condition
STEPS = 3


def numbered_images(count: int, first: int, channels: int = 1) -> np.ndarray:
    """Images that can be told apart: each holds its own number."""
    numbers = np.arange(first, first + count)
    images = np.zeros((count, 12, 12, channels), "uint8")
    images[:, 0, 0, 0], images[:, 0, 1, 0] = numbers // 256, numbers % 256
    return images


def number_of(images: np.ndarray) -> list[int]:
    return (images[:, 0, 0, 0].astype(int) * 256 + images[:, 0, 1, 0]).tolist()


@pytest.fixture
def six_classes() -> ImageDataset:
    y_train, y_test = np.arange(600) % 6, np.arange(60) % 6
    images = numbered_images(600, 0, 3), numbered_images(60, 600, 3)
    return ImageDataset("colour", images[0], y_train, images[1], y_test, tuple("abcdef"))


@pytest.fixture
def generator(target) -> FilterGenerator:
    generator = FilterGenerator(target.kernel_shape, latent_dim=3, **target.geometry)
    generator.build((None, 3))
    random = np.random.default_rng(5)
    for weight in generator.weights:  # as if trained
        weight.assign(0.3 * random.standard_normal(weight.shape))
    generator.bias.assign(target.bias)
    return generator


@pytest.fixture
def transformation() -> ImageTransformation:
    transformation = ImageTransformation(latent_dim=3)
    last = transformation.strengths.layers[-1].kernel
    last.assign(0.1 * np.random.default_rng(6).standard_normal(last.shape))
    return transformation


@pytest.fixture
def transfer(target, generator, transformation):
    def make(condition, **changes):
        draw = conditions.kernel_draws(condition, target, generator, noise_scale=0.05)
        augmentation = conditions.ImageAugmentation(condition, transformation)
        arguments = {"steps": STEPS, "learning_rate": 1e-2, **changes}
        return training.Transfer(target, condition, draw, augmentation, **arguments)

    return make


def learn(transfer, dataset, count=24, seed=0) -> list[np.ndarray]:
    rows = data.balanced_subset(dataset.y_train, count, seed)
    order = data.batches(count, training.BATCH_SIZE, transfer.steps, seed)
    transfer.learn(dataset.x_train[rows], dataset.y_train[rows], order, seed)
    return [variable.numpy() for variable in transfer.suffix.variables]


def test_halves_hold_the_images_of_their_classes(six_classes):
    old, new = data.halves(six_classes)
    assert (old.class_names, new.class_names) == (("a", "b", "c"), ("d", "e", "f"))
    for half, shift in ((old, 0), (new, 3)):
        for split, first in (("train", 0), ("test", 600)):
            numbers = np.array(number_of(getattr(half, f"x_{split}")))
            # image number n has the class n % 6, in both splits
            assert ((numbers - first) % 6 - shift == getattr(half, f"y_{split}")).all()
    assert len(old.x_train) + len(new.x_train) == 600


def test_halves_refuse_an_odd_number_of_classes(dataset):
    with pytest.raises(InputError, match="even number of classes"):
        data.halves(dataset)


def test_a_saved_half_is_found_by_its_path(six_classes, tmp_path):
    half, _ = data.halves(six_classes)
    found = load_dataset(data.save_npz(half, tmp_path))
    assert found.fingerprint == half.fingerprint
    assert found.name == half.name == "colour-0to2"


def test_pool_validation_and_test_share_no_image(six_classes):
    _, new = data.halves(six_classes)
    parts = data.new_classes(new)
    pool, validation, test = (
        set(number_of(part[0])) for part in (parts.pool, parts.validation, parts.test)
    )
    assert not pool & validation | pool & test | validation & test
    assert pool | validation == set(number_of(new.x_train))
    assert test == set(number_of(new.x_test))
    assert len(validation) == 3 * round(100 / 6)


@pytest.mark.parametrize("count", [5, 50, 200])
def test_subsets_are_balanced_without_repetition(count):
    labels = np.random.default_rng(0).integers(0, 5, 1000)
    rows = data.balanced_subset(labels, count, seed=3)
    assert len(set(rows.tolist())) == count
    assert np.bincount(labels[rows]).tolist() == [count // 5] * 5


def test_subsets_belong_to_their_seed_and_grow():
    labels = np.arange(500) % 5
    subset = {(n, s): set(data.balanced_subset(labels, n, s)) for n in (20, 50) for s in (0, 1)}
    assert subset[20, 0] == set(data.balanced_subset(labels, 20, 0))
    assert subset[20, 0] != subset[20, 1]
    assert subset[20, 0] < subset[50, 0]


def test_subsets_that_cannot_be_balanced_are_refused():
    labels = np.arange(50) % 5
    with pytest.raises(InputError, match="multiple of 5 classes"):
        data.balanced_subset(labels, 52, 0)
    with pytest.raises(InputError, match="expected 11 examples of class 0, there are 10"):
        data.balanced_subset(labels, 55, 0)


def test_every_pass_shows_each_example_once():
    order = data.batches(count=10, batch_size=4, steps=7, seed=1)
    assert order.shape == (7, 4)
    flat = order.ravel()
    assert sorted(flat[:10]) == sorted(flat[10:20]) == list(range(10))
    assert flat[:10].tolist() != flat[10:20].tolist()


def test_new_suffixes_know_nothing_and_start_from_their_seed(target):
    first, again, other = (training.new_suffix(target, seed).weights for seed in (0, 0, 1))
    kernels = [w.path.endswith("kernel") for w in first]
    assert sum(kernels) == 2  # conv5 and the read-out
    for a, b, c, old, is_kernel in zip(
        first, again, other, target.suffix.weights, kernels, strict=True
    ):
        assert np.array_equal(a, b)
        assert not np.array_equal(a, old) or not np.any(old)
        assert np.array_equal(a, c) != is_kernel


ALL = [
    Condition("real"),
    Condition("images", images=1.0),
    Condition("transformed", transformed=1.0),
    Condition("generated", "generated", strength=1.5, share=0.5),
    Condition("both", "generated", images=1.0),
    Condition("noise", "noise"),
    Condition("random", "random"),
    Condition("one", "fixed random"),
]


@pytest.mark.parametrize("condition", ALL, ids=lambda condition: condition.title)
def test_learning_moves_the_suffix_alone_and_can_be_repeated(
    condition, transfer, target, generator, transformation, dataset
):
    frozen = [*target.classifier.variables, *generator.variables, *transformation.variables]
    before = [variable.numpy() for variable in frozen]
    learner = transfer(condition)
    first = learn(learner, dataset)
    learn(learner, dataset, count=48, seed=1)
    again = learn(learner, dataset)
    assert all(map(np.array_equal, before, [variable.numpy() for variable in frozen]))
    assert all(map(np.array_equal, first, again))
    assert not np.array_equal(first[0], training.new_suffix(target, 0).variables[0])
    assert learner._fit.experimental_get_tracing_count() == 1


def test_learning_learns(transfer, target, dataset):
    learner = transfer(Condition("real"), steps=60)
    learn(learner, dataset)
    features = [f.numpy() for f in target.features(to_unit_interval(dataset.x_test))]
    assert learner.accuracy(features, dataset.y_test, target.kernel[None]) > 0.9


def test_accuracy_is_that_of_the_averaged_answers(transfer, target, dataset):
    learner = transfer(Condition("generated", "generated"))
    learn(learner, dataset)
    images = to_unit_interval(dataset.x_test)
    features = target.features(images)
    sets = learner.inferences()["vote"]
    votes = 0.0
    for kernels in sets.numpy():
        learner._settle(learner.clean, kernels)
        maps = tf.nn.conv2d(features[0], kernels, 1, "SAME") + target.bias
        votes += keras.ops.softmax(learner.suffix(target.layer.activation(maps))).numpy()
    expected = np.mean(votes.argmax(axis=1) == dataset.y_test)
    found = learner.accuracy([f.numpy() for f in features], dataset.y_test, sets)
    assert found == pytest.approx(expected)


def test_a_test_takes_the_statistics_of_the_unchanged_images(transfer, target, dataset):
    learner = transfer(Condition("", "generated", images=1.0))
    learn(learner, dataset, count=24)
    kernels = learner.inferences()["mean"][0]
    learner._settle(learner.clean, kernels)
    rows = data.balanced_subset(dataset.y_train, 24, 0)
    clean = target.features(to_unit_interval(dataset.x_train[rows]))
    maps = target.activations(clean, kernels)
    first = next(x for x in learner.suffix.layers if "norm" in x.name)
    np.testing.assert_allclose(first.moving_mean, np.mean(maps, axis=(0, 1, 2)), atol=1e-5)
    np.testing.assert_allclose(first.moving_variance, np.var(maps, axis=(0, 1, 2)), rtol=1e-4)
    # all later ones as well: on these images it is the same whether statistics are kept or taken
    kept, taken = (learner.suffix(maps, training=training) for training in (False, True))
    np.testing.assert_allclose(kept, taken, atol=1e-4)
    assert {x.momentum for x in learner.suffix.layers if "norm" in x.name} == {0.9}


def test_fine_tuning_starts_from_the_trained_suffix_but_for_its_read_out(transfer, target):
    learner = transfer(Condition("real"), fine_tune=True)
    learner._forget(0)
    fresh = training.new_suffix(target, 0)
    *kept, kernel, bias = learner.suffix.weights
    assert all(map(np.array_equal, kept, target.suffix.weights[:-2]))
    assert np.array_equal(kernel, fresh.weights[-2])
    assert np.array_equal(bias, fresh.weights[-1])


def test_the_mean_inference_is_that_of_generated_conv2d(transfer, target, generator, dataset):
    learner = transfer(Condition("generated", "generated", strength=2.0))
    key = tf.constant(training.INFERENCE_KEY, tf.int64)
    latents = 2.0 * tf.random.stateless_normal((training.LATENTS, 3), key, alg="philox")
    layer = GeneratedConv2D(generator, latents=latents.numpy())
    features = target.features(to_unit_interval(dataset.x_test))
    found = target.activations(features, learner.inferences()["mean"][0])
    np.testing.assert_allclose(found, layer(features[0]), atol=1e-5)


def test_noise_has_its_scale_and_random_kernels_the_real_norms(target, generator):
    def drawn(condition, scale=0.05):
        draw = conditions.kernel_draws(condition, target, generator, scale)
        return draw(tf.constant([0, 7], tf.int64), 300).numpy()

    real = target.kernel.numpy()
    noise = drawn(Condition("", "noise", strength=3.0)) - real
    assert noise.std() == pytest.approx(0.15, rel=0.01)
    assert np.abs(noise.mean()) < 0.001
    random = drawn(Condition("", "random"))
    norms = np.sqrt(np.square(random).sum(axis=(1, 2, 3)))
    np.testing.assert_allclose(norms, 300 * [np.linalg.norm(real.reshape(-1, 7), axis=0)], 1e-4)
    assert not np.array_equal(random[0], random[1])
    centred = drawn(Condition("", "centred"))
    spread = centred.std(axis=0) / np.sqrt(300)
    assert (np.abs(centred.mean(axis=0) - real) < 6 * spread).all()
    one = drawn(Condition("", "fixed random"))
    assert np.ptp(one, axis=0).max() == 0
    with pytest.raises(InputError, match="kernels of real, generated"):
        conditions.kernel_draws(Condition("", "unknown"), target, generator, 0.05)


def test_a_share_of_the_images_keeps_the_real_kernels(transfer, target):
    learner = transfer(Condition("", "generated", share=0.25))
    kernels = learner._kernels(tf.constant([0, 1], tf.int64)).numpy()
    is_real = [np.array_equal(one, target.kernel) for one in kernels]
    assert sum(is_real) == 48
    assert len({one.tobytes() for one in kernels}) == 17


class Spy:
    """In the place of `Transfer`: writes down what each condition is taught."""

    taught: list

    def __init__(self, target, condition, *arguments, **schedule):
        self.condition = condition

    def inferences(self):
        return {"real": None}

    def learn(self, images, labels, order, seed):
        key = len(labels), seed
        Spy.taught.append((self.condition.title, key, images.tobytes(), order.tobytes()))

    def accuracy(self, features, labels, kernels):
        return 0.5


@pytest.fixture
def run_spies(monkeypatch, target, generator, transformation, dataset, tmp_path):
    parts = data.NewClasses(
        (dataset.x_train, dataset.y_train), *[(dataset.x_test, dataset.y_test)] * 2
    )
    monkeypatch.setattr(few_labels, "Transfer", Spy)
    trained = SimpleNamespace(target=target, generator=generator, transformation=transformation)
    settings = {"judged_by": "test", "noise_scale": 0.1, "steps": 2}
    settings |= {"learning_rate": 1e-3, "fine_tune": False}

    def run(conditions, **changes):
        Spy.taught = []
        record = few_labels.Record(tmp_path / "runs.json", {**settings, **changes})
        few_labels.run_all(trained, parts, record, conditions, (6, 12), (0, 1))
        return Spy.taught

    return run


def test_all_conditions_are_taught_the_same(run_spies):
    taught = run_spies(ALL)
    assert len(taught) == len(ALL) * 4
    for key in {lesson[1] for lesson in taught}:
        assert len({lesson[2:] for lesson in taught if lesson[1] == key}) == 1
    assert len({lesson[2:] for lesson in taught}) == 4


def test_finished_runs_are_not_repeated(run_spies):
    assert len(run_spies(ALL[:1])) == 4
    assert {title for title, *_ in run_spies(ALL[:2])} == {"images"}
    changed = dataclasses.replace(ALL[1], images=0.5)
    assert len(run_spies([changed])) == 4
    with pytest.raises(InputError, match="another steps"):
        run_spies(ALL, steps=3)
