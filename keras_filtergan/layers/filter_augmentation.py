"""`FilterAugmentation`: the first layers of a frozen network, augmenting what they see."""

import keras
from keras import ops

from keras_filtergan.classifiers.copies import copied
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.generators.geometry import check_same_convolution, geometry_of
from keras_filtergan.layers.generated_conv2d import GeneratedConv2D, freeze


@keras.saving.register_keras_serializable("keras_filtergan")
class FilterAugmentation(keras.layers.Layer):
    """Images to features of a frozen network, under generated kernels while training.

    A preprocessing layer, as `keras.layers.RandomFlip` is one: with `training=True` each image goes
    through the network up to a convolution whose kernels are drawn for it alone, which is what some
    change of the image that the classifier ignores would have done to its features. Without, it is
    the frozen network as it was trained. Put a head of your own on top, or map a data set with it.

    Nothing in it is trained, and none of it is shared with the classifier that it was made from.
    A batch norm in your head gathers statistics of augmented features and is then asked about plain
    ones; let it see some without augmentation before you test, or build the head without.

    Args:
        prefix: images `(m, h, w, c)` → the input of the convolution.
        convolution: the real one, used as it is outside training.
        generator: of its kernels.
        draws: as in `GeneratedConv2D`.
        seed: of the draws.

    Input `(m, h, w, c)`, output `(m, h', w', cout)`, after the convolution's own activation.

    Call arguments:
        inputs: images, in the range that the network was trained on.
        training: augment.

    Raises:
        InputError: the generator was learned from a convolution of another shape or geometry; a
            path runs around the layer; the weights have not been loaded yet.

    Example:
        >>> target = kfg.FrozenTarget(classifier, layer=4)
        >>> augment = kfg.layers.FilterAugmentation.of(target, generator)
        >>> head = keras.Sequential([augment, keras.layers.Flatten(), keras.layers.Dense(5)])
        >>> features = pairs.map(lambda x, y: (augment(x, training=True), y))

    Reference:
        Kilcher, Bécigneul, Hofmann (2017), future work: data augmentation, transfer learning.
    """

    def __init__(
        self,
        prefix: keras.Model,
        convolution: keras.layers.Conv2D,
        generator: FilterGenerator,
        draws: str = "example",
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**{"trainable": False, **kwargs})
        self.prefix = prefix
        self.convolution = convolution
        self.generated = GeneratedConv2D(
            generator,
            draws=draws,
            activation=convolution.activation,
            seed=seed,
            dtype=self.dtype_policy,
        )
        _check_geometry(prefix, convolution, self.generated.generator)

    @classmethod
    def of(cls, target: FrozenTarget, generator: FilterGenerator, **kwargs) -> "FilterAugmentation":
        """The layer for a split classifier, with copies of its weights.

        Args:
            target: the classifier and its convolution.
            generator: trained on it.
            **kwargs: further arguments of the layer.

        Raises:
            InputError: something else than these two, a generator of other kernels, or a path
                around the layer.
        """
        if not isinstance(target, FrozenTarget):
            raise InputError(
                f"expected a FrozenTarget, received {type(target).__name__}; "
                "split your classifier with FrozenTarget(classifier, layer)"
            )
        if not isinstance(generator, FilterGenerator):
            raise InputError(
                f"expected a FilterGenerator, received {type(generator).__name__}; "
                "load it with load_generator"
            )
        target.check_generator(generator)
        if len(target.prefix.outputs) > 1:
            raise InputError(
                f"a path runs around layer {target.layer_name!r}, so its activations are not all "
                "that follows; choose a layer outside the block, or use "
                "FrozenTarget.network_with(GeneratedConv2D(generator))"
            )
        images, features = target.prefix.inputs[0], target.prefix.outputs[0]
        prefix = copied(keras.Model(images, features, name="prefix"))
        convolution = type(target.layer).from_config(target.layer.get_config())
        convolution.build(features.shape)
        convolution.set_weights(target.layer.get_weights())
        return cls(prefix, convolution, generator, **kwargs)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Build what comes from a config and has no shapes yet."""
        self._check_images(input_shape)
        features = self.prefix.compute_output_shape(input_shape)
        for layer in (self.convolution, self.generated):
            if not layer.built:
                layer.build(features)
        freeze(self)
        self.built = True

    def _check_images(self, shape: tuple[int | None, ...]) -> None:
        wanted = self.prefix.input_shape[1:]
        if len(shape) != 4 or any(
            None not in (got, want) and got != want
            for got, want in zip(shape[1:], wanted, strict=True)
        ):
            raise InputError(
                f"expected images (m, {', '.join(map(str, wanted))}), received {tuple(shape)}; "
                "in tf.data, batch them first"
            )

    def call(self, inputs, training=False):
        """Features of the images."""
        if inputs.shape.rank is not None:  # as out of a py_function
            self._check_images(inputs.shape)
        self.generated.check_trained()
        images = to_unit_interval(inputs)
        features = self.prefix(images, training=False)  # batch norm stays as it was trained
        features = ops.cast(features, self.compute_dtype)
        if training:
            return self.generated(features, training=True)
        return ops.cast(self.convolution(features), self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """`(m, h', w', cout)`."""
        return self.generated.compute_output_shape(self.prefix.compute_output_shape(input_shape))

    def compute_output_spec(self, inputs, training=False) -> keras.KerasTensor:
        """Without running `call`: a model is put together before its weights are loaded."""
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict:
        """Constructor arguments."""
        parts = {
            "prefix": self.prefix,
            "convolution": self.convolution,
            "generator": self.generated.generator,
        }
        return {
            **super().get_config(),
            **{name: keras.saving.serialize_keras_object(part) for name, part in parts.items()},
            "draws": self.generated.draws,
            "seed": self.generated.seed,
        }

    @classmethod
    def from_config(cls, config: dict) -> "FilterAugmentation":
        """The layer of a `get_config`; its weights are still to be loaded."""
        restored = {
            name: keras.saving.deserialize_keras_object(config[name])
            for name in ("prefix", "convolution", "generator")
        }
        return cls(**{**config, **restored})


def _check_geometry(
    prefix: keras.Model, convolution: keras.layers.Conv2D, generator: FilterGenerator
) -> None:
    features = prefix.output_shape
    cin, cout = features[-1], convolution.compute_output_shape(features)[-1]
    geometry = geometry_of(convolution, cin)
    kernel_shape = (*convolution.kernel_size, cin // geometry["groups"], cout)
    check_same_convolution(generator, kernel_shape, geometry, f"layer {convolution.name!r}")
