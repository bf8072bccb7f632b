import importlib

import keras
import numpy as np
import pytest

from keras_filtergan.classifiers.pixel_scale import (
    PREPROCESSING,
    with_pixel_range,
    with_preprocessing,
)
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import ImageDataset
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation.first_look import first_look
from keras_filtergan.runs import training
from keras_filtergan.runs.settings import Settings

BYTES = np.random.default_rng(0).integers(0, 256, (4, 6, 7, 3)).astype("uint8")
IMAGES = BYTES / np.float32(255)


def identity(channels=3):
    """A classifier that hands on the pixels it is given."""
    image = keras.Input((6, 7, channels))
    flat = keras.layers.Flatten()
    layer = keras.layers.Conv2D(channels, 1, use_bias=False, name="conv")
    model = keras.Model(image, flat(layer(image)))
    layer.set_weights([np.eye(channels, dtype="float32")[None, None]])
    return model


@pytest.mark.parametrize(("low", "high"), [(0, 255), (-1, 1), (-3.5, 0.25)])
def test_black_and_white_are_the_ends_of_the_range(low, high):
    found = with_pixel_range(identity(), low, high)(IMAGES).numpy().reshape(IMAGES.shape)
    np.testing.assert_allclose(found, low + (high - low) * IMAGES, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", PREPROCESSING)
def test_preprocessing_is_that_of_keras_applications(name):
    family = importlib.import_module(f"keras.applications.{name}")
    expected = family.preprocess_input(BYTES.astype("float32"))
    found = with_preprocessing(identity(), name)(IMAGES).numpy().reshape(IMAGES.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_every_family_that_preprocesses_is_known():
    named = {name for name in vars(keras.applications) if name.islower() and name[0] != "_"}
    families = {n for n in named if hasattr(getattr(keras.applications, n), "preprocess_input")}
    assert families - {"imagenet_utils", "resnet50"} == set(PREPROCESSING)


@pytest.mark.parametrize(
    "make", [lambda m: with_pixel_range(m, -1, 1), lambda m: with_preprocessing(m, "resnet")]
)
def test_saved_loaded_and_split_it_is_the_same(make, tmp_path):
    scaled = make(identity())
    scaled.save(tmp_path / "scaled.keras")
    loaded = keras.models.load_model(tmp_path / "scaled.keras")
    np.testing.assert_array_equal(loaded(IMAGES), scaled(IMAGES))
    target = FrozenTarget(loaded, "conv")
    np.testing.assert_allclose(target(BYTES), scaled(IMAGES), atol=1e-4)


@pytest.mark.parametrize("ends", [(1, 1), (255, 0), (0, np.inf), (np.nan, 1)])
def test_an_empty_or_reversed_range_is_refused(ends):
    with pytest.raises(InputError, match="expected a pixel range from a lower to a higher number"):
        with_pixel_range(identity(), *ends)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(InputError, match=r"unknown preprocessing 'resnt'.*resnet"):
        with_preprocessing(identity(), "resnt")
    with pytest.raises(InputError, match="is of images with 3 channels, the classifier takes 1"):
        with_preprocessing(identity(1), "vgg16")
    with pytest.raises(InputError, match="`pixel_range` goes with a `classifier`"):
        Settings(pixel_range=(0, 255))
    with pytest.raises(InputError, match="received both"):
        Settings(classifier="x.keras", pixel_range=(0, 255), preprocessing="resnet")


@pytest.fixture
def of_bytes():
    """A network of two classes, bright and dark, that was trained on bytes."""
    image = keras.Input((8, 8, 1))
    layer = keras.layers.Conv2D(1, 3, padding="same", name="conv")
    dense = keras.layers.Dense(2)
    model = keras.Model(image, dense(keras.layers.GlobalAveragePooling2D()(layer(image))))
    kernel = np.zeros((3, 3, 1, 1))
    kernel[1, 1] = 1
    layer.set_weights([kernel, np.array([-115.0])])
    dense.set_weights([np.array([[-1.0, 1.0]]), np.zeros(2)])
    return model


def two_classes(count=120):
    labels = np.arange(count) % 2
    pixels = np.broadcast_to(40 + 150 * labels[:, None, None, None], (count, 8, 8, 1))
    images = pixels.astype("uint8")
    return ImageDataset("two", images, labels, images, labels, ("dark", "bright"))


def test_a_network_of_other_pixels_is_told_its_option(of_bytes):
    found, note = first_look(of_bytes, two_classes()).lines
    assert found == "the classifier is right on 50.0% of 120 test images"
    assert note.endswith("with other pixels it is right on 100.0%: add `pixel_range` 0 255")
    assert len(first_look(with_pixel_range(of_bytes, 0, 255), two_classes()).lines) == 1


def test_a_run_keeps_the_scaling(of_bytes, tmp_path):
    data = two_classes()
    arrays = {name: getattr(data, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(tmp_path / "two.npz", **arrays)
    of_bytes.save(tmp_path / "mine.keras")
    settings = Settings(
        layer="conv",
        dataset=str(tmp_path / "two.npz"),
        classifier=str(tmp_path / "mine.keras"),
        pixel_range=(0, 255),
        steps=2,
        batch_size=8,
        latent_dim=1,
    )
    assert Settings.from_dict(settings.to_dict()) == settings
    said = []
    _, card = training.train(settings, tmp_path / "run", verbose=0, say=said.append)
    assert card["classifier_accuracy"] == 1.0
    assert "the classifier is right on 100.0% of 120 test images" in said
    assert not any("note: with other pixels" in line for line in said)
    kept = keras.models.load_model(tmp_path / "run" / "classifier.keras")
    answers = np.argmax(kept(data.x_test / np.float32(255)), axis=-1)
    np.testing.assert_array_equal(answers, data.y_test)
    again, _ = training.train(settings, tmp_path / "run", verbose=0, say=said.append)
    assert again.target.layer_name == "conv"
