import numpy as np
import pytest

from keras_filtergan.classifiers.classifier import (
    build_classifier,
    load_classifier,
    train_classifier,
)
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import load_dataset, to_unit_interval
from keras_filtergan.errors import InputError


def accuracy(model, dataset):
    answers = np.argmax(model.predict(to_unit_interval(dataset.x_test), verbose=0), axis=-1)
    return np.mean(answers == dataset.y_test)


def test_five_convolutions_pooled_early():
    model = build_classifier((28, 28, 1), 10)
    shapes = [FrozenTarget(model, layer).activation_shape for layer in range(1, 6)]
    assert shapes == [(28, 28, 16), (14, 14, 32), (7, 7, 32), (7, 7, 32), (7, 7, 64)]
    # kernels and biases, two numbers a channel of batch norm, and the read-out, by hand
    convolutions = sum(9 * cin * cout + cout for cin, cout in ((1, 16), (16, 32)))
    convolutions += 2 * (9 * 32 * 32 + 32) + 9 * 32 * 64 + 64
    assert sum(np.prod(w.shape) for w in model.trainable_weights) == (
        convolutions + 2 * (16 + 3 * 32 + 64) + 3 * 3 * 64 * 10 + 10
    )


def test_colour_asks_for_a_wider_network_with_a_narrow_fourth_layer():
    model = build_classifier((32, 32, 3), 10)
    shapes = [FrozenTarget(model, layer).activation_shape for layer in range(1, 6)]
    assert shapes == [(32, 32, 32), (16, 16, 64), (8, 8, 128), (8, 8, 64), (8, 8, 128)]


def test_the_seed_decides_the_weights():
    one, same, other = (build_classifier((12, 12, 1), 3, seed=seed) for seed in (0, 0, 1))
    kernel = lambda model: model.get_layer("conv3").kernel.numpy()  # noqa: E731
    np.testing.assert_array_equal(kernel(one), kernel(same))
    assert np.abs(kernel(one) - kernel(other)).max() > 0.01


def test_small_images_are_refused():
    with pytest.raises(InputError, match="at least 12×12 pixels, received 8×28"):
        build_classifier((8, 28, 1), 10)


def test_images_of_two_channels_are_refused():
    with pytest.raises(InputError, match="1 or 3 channels, received 2"):
        build_classifier((16, 16, 2), 3)


def test_it_learns(dataset):
    model = train_classifier(dataset, epochs=40, batch_size=32)
    assert accuracy(model, dataset) > 0.9


def test_weights_that_are_not_finite_are_refused(tmp_path, dataset):
    model = build_classifier((12, 12, 1), 3)
    model.get_layer("conv2").bias.assign(np.full(32, np.nan))
    model.save(tmp_path / "nan.keras")
    with pytest.raises(InputError, match=r"conv2/bias' is not finite"):
        load_classifier(tmp_path / "nan.keras")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("mnist_sample", 0.97), ("mnist", 0.990)])
def test_ten_epochs_reach_the_papers_ground(name, least):
    try:
        dataset = load_dataset(name)
    except InputError as error:
        pytest.skip(str(error))
    assert accuracy(train_classifier(dataset), dataset) >= least
