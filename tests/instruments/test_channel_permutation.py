import classifiers
import keras
import numpy as np
import pytest

from keras_filtergan.classifiers.graph import layers_by_path, recorded
from keras_filtergan.instruments.spectra.channel_permutation import permuted_channels
from keras_filtergan.instruments.spectra.laplacian import LaplacianBasis


def convolutions(model):
    return {
        path: layer.kernel.numpy()
        for path, layer in layers_by_path(model)
        if type(layer) is keras.layers.Conv2D
    }


@pytest.mark.parametrize("build", classifiers.KINDS)
def test_every_filter_keeps_its_spatial_kernels_in_another_order(build):
    model = classifiers.shaken(build(3))
    before = model.get_weights()
    permuted = permuted_channels(model, 1, classifiers.images(3, count=20))
    found = convolutions(permuted)
    moved = 0
    for path, kernel in convolutions(model).items():
        for output in range(kernel.shape[-1]):
            learned = kernel[..., output].reshape(-1, kernel.shape[2]).T
            copy = found[path][..., output].reshape(-1, kernel.shape[2]).T
            assert sorted(map(tuple, learned)) == sorted(map(tuple, copy))
            moved += not np.array_equal(learned, copy)
    assert moved
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_each_filter_is_permuted_by_itself_and_by_the_seed():
    image = keras.Input((9, 10, 3))
    x = keras.layers.Conv2D(40, 3, name="conv")(image)
    model = keras.Model(image, keras.layers.GlobalAveragePooling2D()(x))
    kernel = np.broadcast_to(np.arange(3.0)[None, None, :, None], (3, 3, 3, 40))
    model.get_layer("conv").kernel.assign(kernel)
    orders, again, other = (
        permuted_channels(model, seed, classifiers.images(3)).get_layer("conv").kernel.numpy()[0, 0]
        for seed in (0, 0, 1)
    )
    assert len({tuple(order) for order in orders.T}) == 6  # all there are
    np.testing.assert_array_equal(orders, again)
    assert not np.array_equal(orders, other)


def test_roughness_stays(classifier):
    permuted = permuted_channels(classifier, 0, classifiers.images(1, 8, (12, 12)))
    basis = LaplacianBasis(3, 3)
    for path, kernel in convolutions(classifier).items():
        found = basis.components(convolutions(permuted)[path])
        np.testing.assert_allclose(found, basis.components(kernel), rtol=1e-5)


def test_normalisations_fit_what_reaches_them(classifier):
    images = classifiers.images(1, 60, (12, 12))
    permuted = permuted_channels(classifier, 0, images)
    maps = recorded(permuted, images)
    for number in range(1, 6):
        norm = permuted.get_layer(f"norm{number}")
        before = maps[f"conv{number}"].numpy()
        np.testing.assert_allclose(norm.moving_mean, before.mean(axis=(0, 1, 2)), atol=1e-4)
        np.testing.assert_allclose(norm.moving_variance, before.var(axis=(0, 1, 2)), rtol=1e-3)
        assert norm.momentum == 0.9
        np.testing.assert_array_equal(norm.gamma, classifier.get_layer(f"norm{number}").gamma)
