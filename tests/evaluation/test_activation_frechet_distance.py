import keras
import numpy as np
import pytest
import scipy.linalg
from keras import layers

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.evaluation import evaluate
from keras_filtergan.evaluation.metrics.frechet_distance import frechet_distance, penultimate


def correlated(count: int, dimensions: int, seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    mixing = generator.normal(size=(dimensions, dimensions))
    return generator.normal(size=(count, dimensions)) @ mixing + generator.normal(size=dimensions)


def by_matrix_square_root(first: np.ndarray, second: np.ndarray) -> float:
    """The definition, literally."""
    sigma_1, sigma_2 = np.cov(first.T), np.cov(second.T)
    root = scipy.linalg.sqrtm(sigma_1 @ sigma_2).real
    mean = np.sum((first.mean(0) - second.mean(0)) ** 2)
    return mean + np.trace(sigma_1 + sigma_2 - 2 * root)


def test_it_is_the_definition_with_the_matrix_square_root_of_scipy():
    first, second = correlated(60, 8, seed=0), correlated(45, 8, seed=1)
    expected = by_matrix_square_root(first, second)
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-9)


def test_two_gaussians_on_a_line_have_a_known_distance():
    """(μ₁ − μ₂)² + (σ₁ − σ₂)² in one dimension."""
    first, second = np.array([[-1.0], [1.0]]), np.array([[2.0], [6.0]])  # σ² = 2 and 8
    assert frechet_distance(first, second) == pytest.approx(4**2 + (8**0.5 - 2**0.5) ** 2)


def test_gaussians_of_known_parameters():
    """Independent coordinates: the sum over coordinates, up to the error of the sample."""
    generator = np.random.default_rng(0)
    first = generator.normal([0, 0, 0], [1, 2, 3], size=(200_000, 3))
    second = generator.normal([1, 0, -2], [2, 2, 1], size=(200_000, 3))
    assert frechet_distance(first, second) == pytest.approx(5 + 1 + 0 + 4, rel=0.02)


def test_dead_units_and_fewer_images_than_units_are_no_trouble():
    sample = np.zeros((10, 30))
    sample[:, :20] = correlated(10, 20, seed=0)
    assert frechet_distance(sample, sample) == pytest.approx(0.0, abs=1e-9)
    shift = np.arange(30.0)
    assert frechet_distance(sample, sample + shift) == pytest.approx(np.sum(shift**2), rel=1e-9)
    assert frechet_distance(sample, 3 * sample) == pytest.approx(
        4 * (np.sum(sample.mean(0) ** 2) + np.trace(np.cov(sample.T))), rel=1e-9
    )


def test_the_metric_compares_what_the_last_dense_layer_reads(trained_subject):
    subject, target = trained_subject, trained_subject.target
    classifier = target.classifier
    first, middle, norm, flatten, hidden, _ = classifier.layers
    features = first(subject.dataset.x_test / np.float32(255))
    kernels = np.asarray(subject.kernels(subject.latents(40)))
    real = hidden(flatten(norm(middle(features)))).numpy()
    generated = []
    for i in range(40):
        copy = layers.Conv2D.from_config(middle.get_config())
        copy.build(features.shape)
        copy.set_weights([kernels[i], middle.bias.numpy()])
        generated.append(hidden(flatten(norm(copy(features[i : i + 1]))))[0].numpy())
    expected = by_matrix_square_root(real, np.stack(generated))
    card = evaluate(subject, ["activation_frechet_distance"])
    assert expected > 1e-3
    assert card["activation_frechet_distance"] == pytest.approx(expected, rel=1e-3)
    assert card["taken_over"]["activation_frechet_distance"] == {"latents": 40, "images": 40}


def test_memorised_kernels_are_at_no_distance(memorising):
    card = evaluate(memorising, ["activation_frechet_distance"])
    assert card["activation_frechet_distance"] == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("ending", ["dense", "softmax", "nested", "pooling"])
def test_the_read_out_is_found_in_any_network(ending):
    image = keras.Input((8, 8, 1))
    x = layers.Conv2D(3, 3, name="conv")(image)
    x = layers.Add()([layers.Conv2D(3, 3, padding="same")(x), x])  # a skip across the rest
    if ending == "pooling":
        expected = outputs = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 1)(x))
    else:
        expected = layers.Dense(7, activation="relu")(layers.Flatten()(x))
        head = layers.Dense(4)
        outputs = keras.Sequential([head])(expected) if ending == "nested" else head(expected)
        outputs = layers.Softmax()(outputs) if ending == "softmax" else outputs
    target = FrozenTarget(keras.Model(image, outputs), "conv")
    images = np.random.default_rng(0).uniform(size=(5, 8, 8, 1)).astype("float32")
    features = target.features(images)
    read = target.outputs(target.activations(features), features, suffix=penultimate(target.suffix))
    np.testing.assert_allclose(read, keras.Model(image, expected)(images), rtol=1e-5, atol=1e-6)
