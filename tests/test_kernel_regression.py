import keras
import numpy as np
import pytest
from keras import layers

from keras_filtergan.classifiers.kernel_regression import KernelRegression
from keras_filtergan.classifiers.target import FrozenTarget

LAYERS = {
    "plain": lambda: layers.Conv2D(4, 3, padding="same", name="chosen"),
    "strided": lambda: layers.Conv2D(4, 3, strides=(2, 1), name="chosen"),
    "dilated": lambda: layers.Conv2D(
        3, (2, 3), dilation_rate=(2, 1), padding="same", name="chosen"
    ),
    "grouped": lambda: layers.Conv2D(4, 3, groups=2, padding="same", name="chosen"),
    "depthwise": lambda: layers.DepthwiseConv2D(3, depth_multiplier=2, strides=2, name="chosen"),
    "one channel, one pixel": lambda: layers.Conv2D(1, 9, name="chosen"),
}


def target_of(build):
    image = keras.Input((9, 9, 2))
    x = build()(image)
    return FrozenTarget(keras.Model(image, layers.Dense(3)(layers.Flatten()(x))), "chosen")


@pytest.mark.parametrize("build", LAYERS.values(), ids=LAYERS)
def test_a_planted_change_of_kernels_is_found(build):
    """Changes that kernels can make exactly, two at once, from two batches."""
    rng, target = np.random.default_rng(0), target_of(build)
    planted = rng.normal(size=(2, *target.kernel_shape)).astype("float32")
    regression = KernelRegression(target, changes=2, ridge=1e-9)
    for _ in range(20):
        features = target.features(rng.uniform(size=(40, 9, 9, 2)).astype("float32"))
        real = target.activations(features)
        wanted = [target.activations(features, target.kernel + change) - real for change in planted]
        regression.add(features[0], wanted)
    np.testing.assert_allclose(regression.solve(), planted, atol=2e-3)


def test_the_ridge_solution_is_that_of_the_formula():
    """Patches by loops, and the equations by NumPy; the wanted changes are noise."""
    rng, target = np.random.default_rng(1), target_of(LAYERS["strided"])
    images = rng.uniform(size=(6, 9, 9, 2)).astype("float32")
    wanted = rng.normal(size=(6, *target.activation_shape)).astype("float32")
    patches, rows = [], []
    for image, change in zip(images, wanted, strict=True):
        for i, j in np.ndindex(change.shape[:2]):
            patches.append(image[2 * i : 2 * i + 3, j : j + 3].ravel())
            rows.append(change[i, j])
    patches, rows = np.array(patches, "float64"), np.array(rows, "float64")
    gram = patches.T @ patches
    shift = 0.5 * np.trace(gram) / len(gram) * np.eye(len(gram))
    expected = np.linalg.solve(gram + shift, patches.T @ rows).reshape(3, 3, 2, 4)
    regression = KernelRegression(target, changes=1, ridge=0.5)
    regression.add(target.features(images)[0], [wanted])
    np.testing.assert_allclose(regression.solve()[0], expected, atol=1e-4)


def test_no_kernels_of_the_layer_come_nearer():
    """Every small step away from the solution is further from the wanted changes."""
    rng, target = np.random.default_rng(2), target_of(LAYERS["grouped"])
    images = rng.uniform(size=(30, 9, 9, 2)).astype("float32")
    wanted = rng.normal(size=(30, *target.activation_shape)).astype("float32")
    features = target.features(images)
    regression = KernelRegression(target, changes=1, ridge=1e-9)
    regression.add(features[0], [wanted])
    [best] = regression.solve()

    def error(change):
        made = target.activations(features, target.kernel + change) - target.activations(features)
        return np.square(np.asarray(made - wanted, "float64")).sum()

    least = error(best)
    for _ in range(10):
        assert error(best + rng.normal(0, 0.01, best.shape).astype("float32")) > least
