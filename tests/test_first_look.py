import keras
import numpy as np
import pytest

from keras_filtergan.classifiers.pixel_scale import with_pixel_range
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import ImageDataset
from keras_filtergan.evaluation.first_look import first_look


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
    lines = first_look(reads_brightness().classifier, brightness_classes()).lines
    assert lines == ["the classifier is right on 100.0% of 120 test images"]


def test_classes_in_another_order_are_noted():
    found, note = first_look(
        reads_brightness((1.0, -1.0)).classifier, brightness_classes(), try_scalings=False
    ).lines
    assert "right on 0.0% of 120 test images" in found
    assert "one class for all would be right on 50.0%" in note
    assert "(dark, bright)" in note
    assert "\n" not in note


def test_so_is_one_answer_for_all():
    look = first_look(reads_brightness((0.0, 0.0)).classifier, brightness_classes())
    assert (look.accuracy, look.is_at_chance, look.better) == (0.5, True, None)


RANGES = {  # what a network was trained on → the setting that it is told
    "-1 to 1": (lambda x: 2 * x - 1, "`pixel_range` -1 1"),
    "0 to 255": (lambda x: 255 * x, "`pixel_range` 0 255"),
    "z-scored": (lambda x: (x - 0.5) / 0.173, None),
}


def three_brightnesses(count=600):
    """Classes by mean brightness below 0.45, to 0.55 and above, with many images at the limits."""
    x = np.round(255 * np.random.default_rng(0).uniform(0.2, 0.8, count)) / 255
    images = np.broadcast_to(np.round(255 * x)[:, None, None, None], (count, 8, 8, 1))
    labels = (x > 0.45).astype(int) + (x > 0.55)
    images = images.astype("uint8")
    return ImageDataset("three", images, labels, images, labels, ("dark", "grey", "bright"))


def of_range(change):
    """A network that has the classes of `three_brightnesses` right on pixels changed like that."""
    low, high = change(0.45), change(0.55)
    middle, width = (low + high) / 2, (high - low) / 2
    inputs = keras.Input((8, 8, 1))
    mean = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(1, 1, name="conv")(inputs))
    model = keras.Model(inputs, keras.layers.Dense(3, name="dense")(mean))
    model.get_layer("conv").set_weights([np.ones((1, 1, 1, 1)), np.array([-middle])])
    model.get_layer("dense").set_weights([np.array([[-1.0, 0, 1]]), np.array([-width, 0, -width])])
    return model


@pytest.mark.parametrize("name", RANGES)
def test_a_network_of_other_pixels_is_told_its_setting_though_it_is_not_at_chance(name):
    change, setting = RANGES[name]
    data = three_brightnesses()
    look = first_look(of_range(change), data)
    assert look.accuracy < 0.8 < 0.9 < look.better_accuracy
    assert look.lines[1].startswith("note: with other pixels it is right on ")
    if setting:
        assert look.better == setting
    low, high = map(float, look.better.removeprefix("`pixel_range` ").split())
    again = first_look(with_pixel_range(of_range(change), low, high), data)
    assert again.better is None
    assert again.accuracy == look.better_accuracy


def test_a_setting_that_does_harm_is_noticed_also_in_a_saved_classifier(tmp_path):
    wrong = with_pixel_range(of_range(lambda x: x), -1, 1)
    wrong.save(tmp_path / "wrong.keras")
    for model in (wrong, keras.models.load_model(tmp_path / "wrong.keras")):
        look = first_look(model, three_brightnesses())
        assert (look.better, look.better_accuracy) == ("`pixel_range` 0 1", 1.0)


def test_what_differs_by_chance_alone_is_not_called_better():
    """Of 9 images that only the other setting gets right none may be more than luck; of 10, yes."""
    for count, expected in ((9, None), (10, "`pixel_range` -1 1")):
        x = np.full(300, 0.1)
        x[:count] = 0.3  # bright in [0, 1] for the network, dark in [-1, 1]
        images = np.broadcast_to(np.round(255 * x)[:, None, None, None], (300, 8, 8, 1))
        labels = np.zeros(300, int)
        labels[-1] = 1
        images = images.astype("uint8")
        data = ImageDataset("some", images, labels, images, labels, ("dark", "bright"))
        model = of_range(lambda x: x)
        model.get_layer("dense").set_weights([np.array([[-1.0, 1, 0]]), np.array([-0.4, 0.1, -9])])
        assert first_look(model, data).better == expected


def test_other_pixels_are_not_tried_where_they_are_known():
    look = first_look(of_range(lambda x: 2 * x - 1), three_brightnesses(), try_scalings=False)
    assert look.better is None


def test_large_images_are_looked_at_in_a_smaller_number():
    images = np.zeros((300, 224, 224, 1), "uint8")
    data = ImageDataset("large", images, [0, 1] * 150, images, [0, 1] * 150, ("a", "b"))
    inputs = keras.Input((224, 224, 1))
    mean = keras.layers.GlobalAveragePooling2D()(inputs)
    assert first_look(keras.Model(inputs, keras.layers.Dense(2)(mean)), data).count == 200
