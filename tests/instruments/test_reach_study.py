import json

import keras
import numpy as np
import pytest
from bare import words_of
from keras import layers

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.cli import module_main
from keras_filtergan.errors import InputError
from keras_filtergan.images.known_changes import known_changes
from keras_filtergan.instruments.reach.study import ReachStudy
from keras_filtergan.instruments.specimen import Specimen


def test_a_wide_kernel_makes_any_shift_and_the_share_is_by_hand(dataset):
    """A 5 × 5 kernel of one tap in the middle: its shift is the tap one pixel aside."""
    image = keras.Input((12, 12, 1))
    x = layers.Conv2D(1, 5, padding="same", use_bias=False, name="wide")(image)
    model = keras.Model(image, layers.Dense(3)(layers.Flatten()(x)))
    kernel = np.zeros((5, 5, 1, 1), "float32")
    kernel[2, 2] = 1
    model.get_layer("wide").set_weights([kernel])
    specimen = Specimen(FrozenTarget(model, "wide"), dataset, "wide")
    found = ReachStudy(images=200).findings(specimen).numbers["layers"]["wide"]
    change = known_changes((12, 12, 1))["gain"]
    images = dataset.x_test.astype("float32") / np.float32(255)
    wanted = change(images).numpy() - images
    # kernels of a gain scale every pixel alike: the best factor, up to what neighbours add
    factor = np.sum(wanted * images) / np.sum(images**2)
    least = 1 - np.sum((wanted - factor * images) ** 2) / np.sum(wanted**2)
    assert found["share"]["gain"] > least - 0.02
    assert found["share"]["shift_right"] > 0.8  # but for what moves in at the border
    assert all(share <= 1 + 1e-6 for share in found["share"].values())


@pytest.mark.slow
def test_all_layers_or_one(bare):
    found = ReachStudy(images=40).findings(bare)
    assert list(found.numbers["layers"]) == ["conv1", "conv2", "conv3", "conv4", "conv5"]
    one = ReachStudy(images=40, layer="conv2").findings(bare)
    assert one.numbers["layers"] == {"conv2": found.numbers["layers"]["conv2"]}
    with pytest.raises(InputError, match="conv9"):
        ReachStudy(images=40, layer="conv9").findings(bare)
    with pytest.raises(InputError, match="at least 1 as images"):
        ReachStudy(images=0)


def test_accuracy_left_is_that_of_the_network_with_these_kernels(bare):
    """With a ridge so large that no kernel moves, the network is the network, and nothing made."""
    numbers = ReachStudy(images=40, layer="conv4", ridge=1e12).findings(bare).numbers
    found = numbers["layers"]["conv4"]
    np.testing.assert_allclose(list(found["share"].values()), 0, atol=1e-5)
    assert set(found["accuracy"].values()) == {numbers["classifier_accuracy"]}


def test_maps_of_one_place_are_noted(dataset):
    image = keras.Input((12, 12, 1))
    x = layers.Conv2D(2, 12, name="whole")(image)
    model = keras.Model(image, layers.Dense(3)(layers.Flatten()(x)))
    specimen = Specimen(FrozenTarget(model, "whole"), dataset, "whole")
    assert "whole has maps of 1 × 1" in ReachStudy(images=30).findings(specimen).table


def test_the_command(classifier, dataset, tmp_path, capsys):
    words = words_of(classifier, dataset, tmp_path)
    out = tmp_path / "found"
    command = ["reach", *words, "--images", "30", "--only-layer", "conv3", "--out", str(out)]
    assert module_main(command) == 0
    numbers = json.loads((out / "reach.json").read_text())
    assert list(numbers["layers"]) == ["conv3"]
    assert (out / "reach.png").stat().st_size > 1000
    assert "conv3" in capsys.readouterr().out
