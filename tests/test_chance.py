import keras
import numpy as np

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import ImageDataset
from keras_filtergan.evaluation.chance import chance_note


def brightness_classes(count=120) -> ImageDataset:
    """Class 1 is bright."""
    labels = np.arange(count) % 2
    pixels = np.broadcast_to(40 + 150 * labels[:, None, None, None], (count, 8, 8, 1))
    images = pixels.astype("uint8")
    return ImageDataset("two", images, labels, images, labels, ("dark", "bright"))


def reads_brightness(order=(-1.0, 1.0)) -> FrozenTarget:
    """Logits ±(brightness − 0.5), right for the order (−1, 1) on pixels in [0, 1]."""
    network = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(1, 1),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2),
        ]
    )
    network.layers[0].set_weights([np.ones((1, 1, 1, 1)), np.array([-0.5])])
    network.layers[-1].set_weights([np.array([order]), np.zeros(2)])
    return FrozenTarget(network, 1)


def test_a_classifier_that_knows_the_images_needs_no_note():
    assert chance_note(reads_brightness(), brightness_classes()) is None


def test_classes_in_another_order_are_noted():
    note = chance_note(reads_brightness((1.0, -1.0)), brightness_classes())
    assert "right on 0.0% of 120 test images, one class for all on 50.0%" in note
    assert "(dark, bright)" in note
    assert "\n" not in note


def test_so_is_one_answer_for_all():
    note = chance_note(reads_brightness((0.0, 0.0)), brightness_classes())
    assert "right on 50.0%" in note
