"""What this package takes from Keras although it is not public: each failure names what is gone."""

import ast
from pathlib import Path

import keras
import pytest

import keras_filtergan
from keras_filtergan.private_keras import (
    calls_by_depth,
    graph_of,
    in_symbolic_scope,
    saved_weights,
)


def functional():
    image = keras.Input((4,))
    return keras.Model(image, keras.layers.Dense(2, name="second")(keras.layers.Dense(3)(image)))


def test_a_functional_model_is_its_own_graph():
    """`Functional` is told by its name and module, as the class is not public."""
    model = functional()
    assert graph_of(model) is model
    assert graph_of(model.layers[1]) is None


def test_a_sequential_keeps_its_graph_in_an_attribute():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    assert [layer.name for layer in graph_of(model).layers[1:]] == [model.layers[0].name]
    assert graph_of(keras.Sequential([keras.layers.Dense(2)])) is None  # not built


def test_a_graph_knows_its_calls_by_depth():
    calls = calls_by_depth(functional())
    assert sorted(calls) == [0, 1, 2]
    assert [node.operation.name for node in calls[0]] == ["second"]


def test_keras_says_when_it_only_asks_for_shapes():
    seen = []

    class Asks(keras.layers.Layer):
        def call(self, inputs):
            seen.append(in_symbolic_scope())
            return inputs

    layer = Asks()
    layer(keras.Input((4,)))
    layer(keras.ops.zeros((1, 4)))
    assert seen == [True, False]


def test_weights_in_memory_are_those_of_a_file(tmp_path):
    model = functional()
    model.compile("adam", "mse")
    model.fit(keras.ops.ones((2, 4)), keras.ops.ones((2, 2)), verbose=0)
    (tmp_path / "memory.weights.h5").write_bytes(saved_weights(model))
    model.save_weights(tmp_path / "file.weights.h5")
    for name in ("memory", "file"):
        other = functional()
        other.compile("adam", "mse")
        other.optimizer.build(other.trainable_variables)
        other.load_weights(tmp_path / f"{name}.weights.h5")
        for one, same in zip(
            [*model.weights, *model.optimizer.variables],
            [*other.weights, *other.optimizer.variables],
            strict=True,
        ):
            assert (one.numpy() == same.numpy()).all()


@pytest.mark.parametrize("file", sorted(Path(keras_filtergan.__file__).parent.rglob("*.py")))
def test_nothing_private_is_taken_elsewhere(file):
    if file.name == "private_keras.py":
        return
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith("keras.src")
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("_functional", "_nodes_by_depth", "_inbound_nodes")
