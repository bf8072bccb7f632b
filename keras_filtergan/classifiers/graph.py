"""The graph of a model's layers: walked, opened where models are nested, cut and rewired.

A layer is called on symbolic tensors when a graph is rewired. That adds an edge to its list of
calls and nothing else: weights are shared and the model that it came from stays what it was.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import keras
import tensorflow as tf

from keras_filtergan.errors import InputError
from keras_filtergan.private_keras import calls_by_depth, graph_of

Choose = Callable[[keras.Operation], Callable]

_PASS_ON = (
    keras.layers.Identity,
    keras.layers.Reshape,
    keras.layers.Flatten,
    keras.layers.Dropout,
)


def calls(model: keras.Model) -> list:
    """The calls (Keras nodes) at the top level of a model in the order in which they run."""
    by_depth = calls_by_depth(graph_of(model))
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


def layers_by_path(model: keras.Model, inside: str = "") -> Iterator[tuple[str, keras.Layer]]:
    """Every layer with its path, those of nested models in the place of the model.

    Example:
        >>> [path for path, _ in layers_by_path(keras.Sequential([rescaling, backbone, head]))]
        ['rescaling', 'backbone/conv1', 'backbone/norm1', 'head']
    """
    for layer in model.layers:
        if graph_of(layer) is None:
            yield inside + layer.name, layer
        else:
            yield from layers_by_path(layer, f"{inside}{layer.name}/")


def count_calls(model: keras.Model, layer: keras.Layer) -> int:
    """How often a layer is applied, in nested models too."""
    count = 0
    for node in calls(model):
        if node.operation is layer:
            count += 1
        elif graph_of(node.operation) is not None:
            count += count_calls(node.operation, layer)
    return count


def opened(model: keras.Model, layer: keras.Layer) -> keras.Model:
    """The same network with the nested models around one layer opened, so that it can be cut there.

    Other nested models stay closed: what is not opened cannot have names that clash.
    """
    graph = graph_of(model)
    while all(node.operation is not layer for node in calls(graph)):
        nested = [node.operation for node in calls(graph) if graph_of(node.operation) is not None]
        graph = _open_one(graph, next(held for held in nested if count_calls(held, layer)))
    return graph


def single_call(
    model: keras.Model, layer: keras.Layer
) -> tuple[keras.Model, keras.KerasTensor, keras.KerasTensor]:
    """A layer that a model applies exactly once, and where.

    Returns:
        The model, opened around the layer, and the layer's input and output in it.

    Raises:
        InputError: the layer is applied several times, perhaps through a nested model that is.
    """
    count = count_calls(model, layer)
    if count != 1:
        raise InputError(
            f"expected layer {layer.name!r} to be applied once, it is {count} ×, so that there is "
            "no one place for other kernels; choose another layer"
        )
    graph = opened(model, layer)
    node = next(node for node in calls(graph) if node.operation is layer)
    return graph, node.input_tensors[0], node.output_tensors[0]


def rewired(model: keras.Model, choose: Choose) -> keras.Model:
    """The same graph over the same inputs, with some of its layers exchanged.

    Args:
        model: with a graph.
        choose: a layer or operation → what to call in its place, or itself.
    """
    graph = graph_of(model)
    outputs = _run(graph, graph.inputs, graph.inputs, choose)
    return keras.Model(graph.input, outputs, name=model.name)


def recorded(
    model: keras.Model, images: tf.Tensor, choose: Choose | None = None
) -> dict[str, tf.Tensor]:
    """What every layer and operation of a model makes of images, in the order in which they run.

    Args:
        model: with a graph and one input; applied in inference mode.
        images: `(m, h, w, c)`.
        choose: a layer or operation → what to call in its place, or itself.

    Returns:
        Path → output `(m, ...)`, those of nested models in the place of the model, as in
        `layers_by_path`; a layer that is applied again is `name#2`. Integers and what is not one
        tensor are left out. The last one is the model's output.

    Example:
        >>> list(recorded(classifier, images))[:4]
        ['conv1', 'norm1', 'relu1', 'pool1']
    """
    outputs: dict[str, tf.Tensor] = {}

    def keep(path: str, made) -> None:
        if tf.is_tensor(made) and made.dtype.is_floating:
            again = 2
            while path in outputs:
                path = f"{path.partition('#')[0]}#{again}"
                again += 1
            outputs[path] = made

    def watch(inside: str) -> Choose:
        def instead(operation: keras.Operation) -> Callable:
            if graph_of(operation) is not None:
                return lambda given, **_: _run_inside(
                    operation, given, training=False, choose=watch(f"{inside}{operation.name}/")
                )
            applied = operation if choose is None else choose(operation)
            if applied is operation:
                applied = _in_mode(operation, training=False)

            def run(*args, **kwargs):
                made = applied(*args, **kwargs)
                keep(inside + operation.name, made)
                return made

            return run

        return instead

    graph = graph_of(model)
    _run(graph, graph.inputs, [tf.cast(images, graph.inputs[0].dtype)], watch(""))
    return outputs


def submodel(model: keras.Model, cut: Sequence[keras.KerasTensor], name: str) -> keras.Model:
    """The part of a graph that makes the model's output of some of its tensors.

    `keras.Model(cut, output)` would do, were it not for a cut with an image in it: Keras 3.15 turns
    the image into the output of a second call of its input layer, and the model that it belongs to
    can no longer be saved.

    Args:
        model: with a graph and one output.
        cut: all tensors that cross the line behind which the part begins.
        name: of the part.
    """
    inputs = [keras.Input(batch_shape=t.shape, dtype=t.dtype) for t in cut]
    outputs = keras.tree.flatten(_run(graph_of(model), cut, inputs))
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs[0], name=name)


def crossing_tensors(model: keras.Model, result: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Tensors made without `result` that something after `result` reads: paths around it."""
    after = {id(result)}
    crossing: dict[int, keras.KerasTensor] = {}
    for node in calls(model):
        if any(id(t) in after for t in node.input_tensors):
            after.update(id(t) for t in node.output_tensors)
            crossing.update((id(t), t) for t in node.input_tensors if id(t) not in after)
    return list(crossing.values())


def last_operation(model: keras.Model, output: int = 0) -> keras.Operation | None:
    """The operation that made an output, looking through nested models and what only passes on.

    Returns:
        `None` if the output is the input, passed on.
    """
    graph = graph_of(model)
    makers = {id(t): node for node in calls(graph) for t in node.output_tensors}
    tensor = graph.outputs[output]
    while not makers[id(tensor)].is_input:
        node = makers[id(tensor)]
        if graph_of(node.operation) is not None:
            place = [id(t) for t in node.output_tensors].index(id(tensor))
            found = last_operation(node.operation, place)
            if found is not None:
                return found
        elif not _passes_on(node.operation):
            return node.operation
        tensor = node.input_tensors[0]
    return None


def _passes_on(operation: keras.Operation) -> bool:
    """Whether it only reshapes, casts or, in inference, does nothing."""
    if isinstance(operation, keras.layers.Activation):  # how mixed precision casts its outputs
        return operation.activation is keras.activations.linear
    return isinstance(operation, _PASS_ON)


def _open_one(model: keras.Model, nested: keras.Model) -> keras.Model:
    """The model with the operations of one nested model in the place of the call of that model."""
    taken = {operation.name for operation in graph_of(nested).operations}

    def choose(operation: keras.Operation) -> Callable:
        if operation is nested:
            return partial(_run_inside, nested)
        # Names are unique within a model, not between models: a backbone from a file and the layers
        # around it may well both have a "dense".
        return partial(_run_enclosed, operation) if operation.name in taken else operation

    return rewired(model, choose)


def _run(
    graph: keras.Model,
    start: Sequence[keras.KerasTensor],
    given: Sequence[keras.KerasTensor],
    choose: Choose = lambda operation: operation,
):
    """The outputs of a graph, computed anew from other tensors in the place of some of its own."""
    values = {id(own): other for own, other in zip(start, given, strict=True)}
    reached = {id(t) for t in graph.outputs} - values.keys()
    needed = []
    for node in reversed(calls(graph)):
        if any(id(t) in reached for t in node.output_tensors):
            needed.append(node)
            reached.update({id(t) for t in node.input_tensors} - values.keys())
    for node in reversed(needed):
        args, kwargs = node.arguments.fill_in(values)
        outputs = keras.tree.flatten(choose(node.operation)(*args, **kwargs))
        values.update({id(t): made for t, made in zip(node.output_tensors, outputs, strict=True)})
    return keras.tree.map_structure(lambda t: values[id(t)], graph.output)


def _run_inside(
    nested: keras.Model,
    inputs,
    training: bool | None = None,
    choose: Choose | None = None,
    **_,
):
    """Apply the operations of a nested model one by one, as its own call would.

    The mode in which it was called goes on to every layer, as it does in Keras.
    """
    graph = graph_of(nested)
    inputs = [
        tensor if tensor.dtype == own.dtype else keras.ops.cast(tensor, own.dtype)
        for tensor, own in zip(keras.tree.flatten(inputs), graph.inputs, strict=True)
    ]
    choose = choose or partial(_in_mode, training=training)
    return _run(graph, graph.inputs, inputs, choose)


def _in_mode(operation: keras.Operation, training: bool | None) -> Callable:
    """A layer in training or in inference mode; an operation, which has none, as it is."""
    if training is None or not isinstance(operation, keras.Layer):
        return operation
    return lambda *args, **kwargs: operation(*args, **{**kwargs, "training": training})


def _run_enclosed(operation: keras.Operation, *args, **kwargs):
    """Apply an operation inside a small model of its own, whose name nothing else has."""
    given = [t for t in keras.tree.flatten((args, kwargs)) if isinstance(t, keras.KerasTensor)]
    tensors = {id(t): t for t in given}
    inside = {key: keras.Input(batch_shape=t.shape, dtype=t.dtype) for key, t in tensors.items()}
    args, kwargs = keras.tree.map_structure(lambda x: inside.get(id(x), x), (args, kwargs))
    room = keras.Model(list(inside.values()), operation(*args, **kwargs))
    return room(list(tensors.values()))
