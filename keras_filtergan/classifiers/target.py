"""`FrozenTarget`: any trained classifier, split at one convolution."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.checks import check_classifier, read_out_activation
from keras_filtergan.classifiers.choice import chosen_convolution
from keras_filtergan.classifiers.graph import (
    crossing_tensors,
    recorded,
    rewired,
    single_call,
    submodel,
)
from keras_filtergan.classifiers.layer_work import images_at_once
from keras_filtergan.convolution import convolve
from keras_filtergan.data.batches import slices
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.generators.geometry import check_same_convolution, geometry_of
from keras_filtergan.guards.fingerprints import fingerprint


class FrozenTarget:
    """A trained classifier as prefix, convolution and suffix, none of which is ever changed here.

    Everything in the package that asks "what would the network do with *these* kernels?" asks it
    here: training, evaluation, inversion and the layers all share this one split. The classifier
    is only ever called in inference mode and its variables are not tracked by the models that hold
    the target, so neither its weights nor its batch-norm statistics can move. They are shared with
    your model: after you have trained that further, make a new target.

    Where paths run around the convolution (skip connections), the tensors that cross the cut are
    carried along as further features. A convolution inside a nested model (a backbone used as a
    layer) is reached by opening that model, in a graph of its own that shares the layers.

    Kernels have the shape of a grouped convolution, `(kh, kw, cin / groups, cout)`. A depthwise
    convolution is one with a group a channel: its kernels are `(kh, kw, 1, cin · multiplier)`.

    Args:
        classifier: a built Functional or Sequential `keras.Model` with one image input
            `(m, h, w, c)` and one output `(m, classes)`, logits or probabilities.
        layer: which `Conv2D` or `DepthwiseConv2D`, in nested models too: its number (1 is the
            first) or its name; where names repeat, its path, `"backbone/conv1"`.

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
        check_classifier(classifier)
        self.classifier = classifier
        self.layer_name, self.layer = chosen_convolution(classifier, layer)
        self._network, entry, result = single_call(classifier, self.layer)
        crossing = crossing_tensors(self._network, result)
        self.prefix = keras.Model(self._network.inputs[0], [entry, *crossing], name="prefix")
        self.suffix = submodel(self._network, [result, *crossing], name="suffix")
        self.kernel = _grouped(self.layer)
        self.bias = _single(self.layer.bias) if self.layer.use_bias else None

    @property
    def kernel_shape(self) -> tuple[int, int, int, int]:
        """`(kh, kw, cin / groups, cout)` of the real kernels."""
        return tuple(self.kernel.shape)

    @property
    def geometry(self) -> dict[str, Any]:
        """Everything of the convolution but kernels and bias: arguments of `FilterGenerator`."""
        return geometry_of(self.layer, self.prefix.outputs[0].shape[-1])

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
        """CNN_{l-1}(I): the input of the layer `(m, h, w, cin)`, then whatever skips around it.

        Args:
            images: `(m, h, w, c)`, bytes, or floats in [0, 1].

        Raises:
            InputError: floats outside of [0, 1]; not while a graph is made.
        """
        images = to_unit_interval(images)
        features = keras.tree.flatten(self.prefix(images, training=False))
        return [tf.cast(feature, tf.float32) for feature in features]  # of a half-precision network

    def activations(
        self, features: Sequence[tf.Tensor], kernels: tf.Tensor | None = None
    ) -> tf.Tensor:
        """What the layer makes of the features before its non-linearity, `(m, h', w', cout)`.

        Args:
            features: from `features`.
            kernels: `None` for the real kernels, `(*kernel_shape)` shared, or
                `(m, *kernel_shape)`, one set an example. The bias is the real one in each
                case, so that real and generated kernels are treated alike.
        """
        maps = convolve(
            features[0],
            self.kernel if kernels is None else kernels,
            strides=self.layer.strides,
            padding=self.layer.padding,
            dilation_rate=self.layer.dilation_rate,
        )
        return maps if self.bias is None else maps + self.bias

    def moments(self, images: np.ndarray, batch_size: int = 256) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance over images of each unit's real activation, `(h', w', cout)`.

        Args:
            images: `(n, h, w, c)`, bytes, or floats in [0, 1].
            batch_size: images at once at most; fewer where they are large.
        """
        total, squares = np.zeros((2, *self.activation_shape))
        for batch in slices(len(images), images_at_once(self.classifier, batch_size)):
            maps = self.activations(self.features(images[batch])).numpy().astype("float64")
            total, squares = total + maps.sum(0), squares + np.square(maps).sum(0)
        mean = total / len(images)
        return mean, np.maximum(squares / len(images) - np.square(mean), 0.0)

    @property
    def gives_logits(self) -> bool:
        """Whether the outputs are logits rather than probabilities."""
        return read_out_activation(self.classifier) is not keras.activations.softmax

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
        answer = self.suffix if suffix is None else suffix
        return answer(inputs if len(inputs) > 1 else inputs[0], training=training)

    def log_probabilities(self, activations: tf.Tensor, features: Sequence[tf.Tensor]) -> tf.Tensor:
        """The answer `(m, classes)` as log-probabilities, or as logits if it gives them."""
        return self.as_logits(self.outputs(activations, features))

    def as_logits(self, outputs: tf.Tensor) -> tf.Tensor:
        """The outputs if they are logits, else their logarithm; of half precision in single one.

        A probability below 1e-7, what single precision tells from 0 beside 1, counts as 1e-7.
        """
        outputs = tf.cast(outputs, tf.float32) if outputs.dtype.size < 4 else outputs
        return outputs if self.gives_logits else tf.math.log(tf.maximum(outputs, 1e-7))

    def __call__(self, images: tf.Tensor, kernels: tf.Tensor | None = None) -> tf.Tensor:
        """The whole network `(m, classes)`, its kernels replaced if any are given.

        Images are bytes, or floats in [0, 1]."""
        features = self.features(images)
        return self.outputs(self.activations(features, kernels), features)

    def record(self, images: tf.Tensor, kernels: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        """What every layer and operation of the network makes of images.

        Args:
            images: `(m, h, w, c)`, bytes, or floats in [0, 1].
            kernels: of the layer, as in `activations`.

        Returns:
            Path of the layer → its output `(m, ...)`, in the order in which they run; the last one
            is the answer.

        Example:
            >>> target.record(images, generator(np.zeros([1, 4]))[0])["norm4"].shape
            TensorShape([64, 7, 7, 32])
        """

        def instead(features: tf.Tensor, **_) -> tf.Tensor:
            return self.layer.activation(self.activations([tf.cast(features, tf.float32)], kernels))

        images = to_unit_interval(images)
        return recorded(self.classifier, images, lambda o: instead if o is self.layer else o)

    def network_with(self, layer: keras.Layer) -> keras.Model:
        """The classifier, a Functional model, with another layer in the place of the convolution.

        The layer stands for the bare convolution with its bias: if the convolution has an
        `activation=` of its own, that is applied to what the layer returns. All other layers are
        the classifier's, weights shared: freeze them (`classifier.trainable = False`) to train the
        new layer alone.

        Args:
            layer: any Keras layer `(m, h, w, cin)` → `(m, h', w', cout)`.

        Raises:
            InputError: it is no layer, its name is taken, its outputs have another shape, or it is
                a `GeneratedConv2D` whose generator was learned from another layer or network.

        Example:
            >>> wider = keras.layers.Conv2D(32, 5, padding="same", name="wider")
            >>> tuple(target.network_with(wider).get_layer("wider").kernel.shape)
            (5, 5, 32, 32)
        """
        if not isinstance(layer, keras.Layer):
            raise InputError(f"expected a keras.Layer, received {type(layer).__name__}; build one")
        others = {o.name for o in self._network.operations if o is not self.layer}
        if layer.name in others:
            raise InputError(
                f"expected a layer with a name of its own, {layer.name!r} is a layer of the "
                "classifier; give it another name"
            )
        generator = getattr(layer, "generator", None)
        if isinstance(generator, FilterGenerator):
            self.check_generator(generator)

        def instead(features: keras.KerasTensor, **mode) -> keras.KerasTensor:
            maps = layer(features, **mode)  # that in which a nested model was called
            shape = tuple(getattr(maps, "shape", ()))[1:]
            if shape != self.activation_shape:
                raise InputError(
                    f"expected a layer that returns maps {self.activation_shape}, as "
                    f"{self.layer_name!r} does, {layer.name!r} returns {shape}; change its "
                    "channels, strides or padding"
                )
            if self.layer.activation is keras.activations.linear:
                return maps
            name = f"{layer.name}_{self.layer.name}_activation"
            dtype = self.layer.dtype_policy
            return keras.layers.Activation(self.layer.activation, dtype=dtype, name=name)(maps)

        return rewired(self._network, lambda o: instead if o is self.layer else o)

    def check_generator(self, generator: FilterGenerator) -> None:
        """Refuse a generator that was not learned from this layer.

        Generators of two networks of one architecture are told apart by the bias, which is a copy
        of the layer's; of a layer without a bias they cannot be.

        Raises:
            InputError: its kernels, its strides, padding, dilation or groups, or its bias differ.
        """
        where = f"layer {self.layer_name!r}"
        check_same_convolution(generator, self.kernel_shape, self.geometry, where)
        if self.bias is None or not generator.built or not generator.is_trained():
            return
        if not np.allclose(generator.bias, self.bias, rtol=1e-2, atol=1e-3):  # half precision
            raise InputError(
                f"expected a generator learned from {where} of this network, the bias of this one "
                "is another; load the one of a run with this classifier"
            )

    def fingerprint(self) -> str:
        """Short hash of every weight of the classifier and of the layer's name."""
        return fingerprint(self.classifier, self.layer_name)


def _grouped(layer: keras.Layer) -> tf.Tensor:
    """A layer's kernels in the shape of a grouped convolution, `(kh, kw, cin / groups, cout)`.

    Keras numbers the outputs of a depthwise convolution by input channel, then by multiplier, as
    TensorFlow does those of a convolution by group, then within the group: only the shape differs.
    """
    kernel = _single(layer.kernel)
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        kernel = tf.reshape(kernel, [*kernel.shape[:2], 1, -1])
    return kernel


def _single(weight: keras.Variable) -> tf.Tensor:
    """A weight of any precision as a constant of single precision."""
    return tf.constant(np.asarray(keras.ops.convert_to_numpy(weight), "float32"))
