"""Costs of layers from shapes, against sums by hand and against what a step takes."""

import keras
import pytest
from keras import layers

from keras_filtergan.classifiers import cost
from keras_filtergan.classifiers.cost import layer_costs
from keras_filtergan.cli import module_main


def network():
    image = keras.Input((12, 10, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", name="first")(image)  # 6×5×8
    x = layers.DepthwiseConv2D(3, name="depth")(x)  # 4×3×8
    inner = keras.Sequential([keras.Input((4, 3, 8)), layers.Conv2D(16, 1, name="inside")])
    x = layers.GlobalAveragePooling2D()(inner(x))
    return keras.Model(image, layers.Dense(2)(x))


def test_shapes_are_those_of_the_layers():
    found = layer_costs(network())
    assert [(c.number, c.name, c.kernel_shape, c.activation_shape) for c in found] == [
        (1, "first", (3, 3, 3, 8), (6, 5, 8)),
        (2, "depth", (3, 3, 1, 8), (4, 3, 8)),
        (3, "inside", (1, 1, 8, 16), (4, 3, 16)),
    ]
    assert found[0].values_per_pixel == 6 * 5 * 8 / (12 * 10 * 3)


def test_multiply_adds_by_hand():
    """Of each part of the network, in the passes that a step makes through it."""
    first, depth, inside, dense = 6 * 5 * 216, 4 * 3 * 72, 4 * 3 * 128, 16 * 2
    found = layer_costs(network(), batch_size=5)[1]
    others = 3 * first + 8 * depth + 3 * (inside + dense) + 3 * 64 * 72
    judge = found.flops / 10 - others  # 2 · 5 images
    # D's convolutions of 3×3 on 4×3×8 and 2×2×64 maps, and its dense layer on 2×2×128
    assert judge == pytest.approx(8 * (12 * 9 * 8 * 64 + 4 * 9 * 64 * 128 + 4 * 128 * 128))


def test_memory_grows_with_the_batch_and_the_layer():
    small, large = (layer_costs(network(), m)[0].memory - cost.RUNTIME for m in (4, 8))
    assert large == pytest.approx(2 * small)


def test_which_can_be_followed():
    image = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, padding="same")(image)
    x = layers.Conv2D(5, 3, padding="same")(x)
    found = layer_costs(keras.Model(image, layers.Dense(2)(layers.Flatten()(x))))
    assert [c.can_be_followed for c in found] == [True, False]


def test_the_command_lists_them(tmp_path, capsys):
    network().save(tmp_path / "my net.keras")
    assert module_main(["layers", "--classifier", str(tmp_path / "my net.keras")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(lines[0].split()) == "layer name kernels activations per pixel s a step GB"
    assert [line.split()[:4] for line in lines[1:4]] == [
        ["1", "first", "3×3×3×8", "6×5×8"],
        ["2", "depth", "3×3×1×8", "4×3×8"],
        ["3", "inside", "1×1×8×16", "4×3×16"],
    ]
    assert lines[5].startswith("s a step, GB: estimated from shapes for 64 images")


def test_a_network_without_convolutions_and_a_missing_choice(tmp_path, capsys):
    image = keras.Input((8, 8, 1))
    keras.Model(image, layers.Dense(2)(layers.Flatten()(image))).save(tmp_path / "flat.keras")
    assert module_main(["layers", "--classifier", str(tmp_path / "flat.keras")]) == 2
    assert "expected a classifier with Conv2D layers" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        module_main(["layers"])
    assert caught.value.code == 2
    assert "one of the arguments --runs --classifier is required" in capsys.readouterr().err
