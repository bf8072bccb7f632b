"""`FrozenTarget`: any trained classifier, split at one convolution."""

import difflib
import hashlib
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.convolution import convolve
from keras_filtergan.data.dataset import to_unit_interval
from keras_filtergan.errors import InputError


class FrozenTarget:
    """A trained classifier as prefix, convolution and suffix, none of which ever changes.

    Everything in the package that asks "what would the network do with *these* kernels?" asks it
    here: training, evaluation, inversion and the layers all share this one split. The classifier
    is only ever called in inference mode and its variables are not tracked by the models that hold
    the target, so neither its weights nor its batch-norm statistics can move.

    Where paths run around the convolution (skip connections), the tensors that cross the cut are
    carried along as further features.

    Args:
        classifier: a built Functional or Sequential `keras.Model` with one image input
            `(m, h, w, c)` and one output `(m, classes)`, logits or probabilities.
        layer: which `Conv2D`: its number (1 is the first) or its name.

    Raises:
        InputError: the model cannot be split there; the message lists the convolutions it has.

    Example:
        >>> target = FrozenTarget(classifier, layer=4)
        >>> features = target.features(images)
        >>> activations = target.activations(features)          # real kernels
        >>> target.outputs(activations, features).shape
        TensorShape([64, 10])

    Reference:
        Kilcher, Bécigneul, Hofmann (2017), section 3: CNN_l(I) and the split at layer l.
    """

    def __init__(self, classifier: keras.Model, layer: int | str = 4):
        _check_classifier(classifier)
        self.classifier = classifier
        self.layer = _find_convolution(classifier, layer)
        self.layer_name = self.layer.name
        entry, result = _single_call(classifier, self.layer)
        crossing = _crossing_tensors(classifier, result)
        self.prefix = keras.Model(classifier.inputs[0], [entry, *crossing], name="prefix")
        cut = [result, *crossing] if crossing else result
        self.suffix = keras.Model(cut, classifier.outputs[0], name="suffix")
        self.kernel = tf.constant(self.layer.kernel.numpy())
        self.bias = tf.constant(self.layer.bias.numpy()) if self.layer.use_bias else None

    @property
    def kernel_shape(self) -> tuple[int, int, int, int]:
        """`(kh, kw, cin, cout)` of the real kernels."""
        return tuple(self.kernel.shape)

    @property
    def geometry(self) -> dict[str, object]:
        """Everything of the convolution but kernels and bias: arguments of `FilterGenerator`."""
        names = ("strides", "padding", "dilation_rate", "groups", "use_bias")
        return {name: getattr(self.layer, name) for name in names}

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """`(h, w, c)` of the images that the classifier takes."""
        return tuple(self.classifier.inputs[0].shape[1:])

    @property
    def activation_shape(self) -> tuple[int, int, int]:
        """`(h', w', cout)` of the layer's output."""
        return tuple(self.suffix.inputs[0].shape[1:])

    @property
    def num_classes(self) -> int:
        """Width of the classifier's output."""
        return self.classifier.outputs[0].shape[-1]

    def features(self, images: tf.Tensor) -> list[tf.Tensor]:
        """CNN_{l-1}(I): the input of the layer `(m, h, w, cin)`, then whatever skips around it."""
        features = keras.tree.flatten(self.prefix(images, training=False))
        return [tf.cast(feature, tf.float32) for feature in features]  # of a half-precision network

    def activations(
        self, features: Sequence[tf.Tensor], kernels: tf.Tensor | None = None
    ) -> tf.Tensor:
        """What the layer makes of the features, before its non-linearity.

        Args:
            features: from `features`.
            kernels: `None` for the real kernels, `(kh, kw, cin, cout)` shared, or
                `(m, kh, kw, cin, cout)`, one set an example. The bias is the real one in each
                case, so that real and generated kernels are treated alike.

        Returns:
            `(m, h', w', cout)`.
        """
        maps = convolve(
            features[0],
            self.kernel if kernels is None else kernels,
            strides=tuple(self.layer.strides),
            padding=self.layer.padding.upper(),
            dilations=tuple(self.layer.dilation_rate),
        )
        return maps if self.bias is None else maps + self.bias

    def moments(self, images: np.ndarray, batch_size: int = 256) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance over images of each unit's real activation, `(h', w', cout)`.

        Args:
            images: `(n, h, w, c)`, bytes or values in [0, 1].
            batch_size: images at once.
        """
        total, squares = np.zeros((2, *self.activation_shape))
        for i in range(0, len(images), batch_size):
            features = self.features(to_unit_interval(images[i : i + batch_size]))
            maps = self.activations(features).numpy().astype("float64")
            total, squares = total + maps.sum(0), squares + np.square(maps).sum(0)
        mean = total / len(images)
        return mean, np.maximum(squares / len(images) - np.square(mean), 0.0)

    @property
    def gives_logits(self) -> bool:
        """Whether the outputs are logits rather than probabilities."""
        return _read_out_activation(self.classifier) is not keras.activations.softmax

    def outputs(
        self,
        activations: tf.Tensor,
        features: Sequence[tf.Tensor],
        suffix: keras.Model | None = None,
        training: bool = False,
    ) -> tf.Tensor:
        """The classifier's answer `(m, classes)` from the layer's activations on.

        Args:
            activations: `(m, h', w', cout)`.
            features: from `features`; only the skips are read.
            suffix: a copy of the suffix that is being re-trained, instead of the frozen one.
            training: mode of that copy.
        """
        inputs = [self.layer.activation(activations), *features[1:]]
        suffix = self.suffix if suffix is None else suffix
        return suffix(inputs if len(inputs) > 1 else inputs[0], training=training)

    def log_probabilities(self, activations: tf.Tensor, features: Sequence[tf.Tensor]) -> tf.Tensor:
        """The answer `(m, classes)` as log-probabilities, or as logits if it gives them."""
        outputs = self.outputs(activations, features)
        return outputs if self.gives_logits else tf.math.log(tf.maximum(outputs, 1e-7))

    def __call__(self, images: tf.Tensor, kernels: tf.Tensor | None = None) -> tf.Tensor:
        """The whole network `(m, classes)`, with the layer's kernels replaced if any are given."""
        features = self.features(images)
        return self.outputs(self.activations(features, kernels), features)

    def fingerprint(self) -> str:
        """Short hash of every weight of the classifier and of the layer's name."""
        digest = hashlib.sha256(self.layer_name.encode())
        for weight in self.classifier.weights:
            digest.update(np.ascontiguousarray(weight.numpy()).tobytes())
        return digest.hexdigest()[:16]


_PASS_ON = (keras.layers.Identity, keras.layers.Reshape, keras.layers.Flatten, keras.layers.Dropout)


def convolution_layers(classifier: keras.Model) -> list[keras.layers.Conv2D]:
    """The `Conv2D` layers of a classifier in the order in which they are applied."""
    return [layer for layer in classifier.layers if type(layer) is keras.layers.Conv2D]


def _check_classifier(classifier: keras.Model) -> None:
    if not isinstance(classifier, keras.Model):
        raise InputError(f"expected a keras.Model as classifier, received {type(classifier)}")
    if not classifier.built or not _graph(classifier):
        raise InputError(
            "expected a built Functional or Sequential classifier, received "
            f"{type(classifier).__name__} {classifier.name!r} without a graph of layers; "
            "build it with an Input of fixed size"
        )
    if len(classifier.inputs) != 1 or len(classifier.outputs) != 1:
        raise InputError(
            "expected a classifier with one input and one output, received "
            f"{len(classifier.inputs)} inputs and {len(classifier.outputs)} outputs"
        )
    image, scores = classifier.inputs[0].shape, classifier.outputs[0].shape
    if len(image) != 4 or None in image[1:] or len(scores) != 2:
        raise InputError(
            "expected an image classifier (m, h, w, c) → (m, classes) of fixed size, "
            f"received {tuple(image)} → {tuple(scores)}"
        )
    activation = _read_out_activation(classifier)
    if activation not in (keras.activations.linear, keras.activations.softmax):
        raise InputError(
            f"expected a classifier that ends in logits or a softmax, it ends in {activation}"
        )


def _read_out_activation(classifier: keras.Model):
    """The activation function that the scores went through last."""
    makers = {id(t): node for node in _graph(classifier) for t in node.output_tensors}
    node = makers[id(classifier.outputs[0])]
    while isinstance(node.operation, _PASS_ON):
        node = makers[id(node.input_tensors[0])]
    if isinstance(node.operation, keras.layers.Softmax):
        return keras.activations.softmax
    return getattr(node.operation, "activation", keras.activations.linear)


def _find_convolution(classifier: keras.Model, layer: int | str) -> keras.layers.Conv2D:
    layers = convolution_layers(classifier)
    if not layers:
        raise InputError(f"expected a classifier with Conv2D layers, {classifier.name!r} has none")
    names = [conv.name for conv in layers]
    choices = ", ".join(f"{i} ({name})" for i, name in enumerate(names, 1))
    if isinstance(layer, str) and not layer.isdecimal():
        if layer not in names:
            close = difflib.get_close_matches(layer, names, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise InputError(f"unknown layer {layer!r}, there are: {choices}{hint}")
        conv = layers[names.index(layer)]
    elif 1 <= int(layer) <= len(layers):
        conv = layers[int(layer) - 1]
    else:
        raise InputError(f"unknown layer {layer}, there are: {choices}")
    if conv.groups != 1 or conv.data_format != "channels_last":
        raise InputError(
            f"layer {conv.name!r} has groups={conv.groups}, data_format={conv.data_format!r}; "
            "expected groups=1 and channels_last"
        )
    return conv


def _graph(classifier: keras.Model) -> list:
    """The nodes (calls of layers) of a classifier in the order in which they run."""
    graph = getattr(classifier, "_functional", None) or classifier  # Sequential holds one inside
    by_depth = getattr(graph, "_nodes_by_depth", {})
    return [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]


def _single_call(
    classifier: keras.Model, layer: keras.layers.Layer
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Input and output tensor of a layer that the classifier applies exactly once."""
    nodes = [node for node in _graph(classifier) if node.operation is layer]
    if len(nodes) != 1:
        raise InputError(f"expected layer {layer.name!r} to be applied once, it is {len(nodes)} ×")
    return nodes[0].input_tensors[0], nodes[0].output_tensors[0]


def _crossing_tensors(
    classifier: keras.Model, result: keras.KerasTensor
) -> list[keras.KerasTensor]:
    """Tensors made without the convolution that something after the convolution reads."""
    after = {id(result)}
    crossing: dict[int, keras.KerasTensor] = {}
    for node in _graph(classifier):
        if any(id(t) in after for t in node.input_tensors):
            after.update(id(t) for t in node.output_tensors)
            crossing.update((id(t), t) for t in node.input_tensors if id(t) not in after)
    return list(crossing.values())
