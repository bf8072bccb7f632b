"""`GeneratedConv2D`: a convolution whose kernels a generator makes."""

import functools
import numbers
from collections.abc import Sequence
from typing import TypeGuard

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.convolution import convolve
from keras_filtergan.errors import InputError
from keras_filtergan.generators.filter_generator import FilterGenerator

DRAWS = ("example", "batch")


@keras.saving.register_keras_serializable("keras_filtergan")
class GeneratedConv2D(keras.layers.Layer):
    """A drop-in for the `Conv2D` that a generator was learned from.

    While a network around it is trained, each image is convolved with kernels of its own, drawn
    anew each time: the network sees its features under all the transformations that the classifier
    was found to ignore. At inference the activations under `latents` fixed draws are averaged, the
    paper's "average pooling over learned transformations"; a convolution being linear in its
    kernels, this is one convolution with the mean kernel set, after making the kernel sets: a cost
    per call that large batches do not notice.

    The layer has a copy of the generator, which is frozen, with the bias; to learn other kernels,
    train a `FilterGAN`. Two of these layers in one network need seeds of their own, or their draws
    are the same.

    Args:
        generator: a trained `FilterGenerator`; it knows strides, padding, dilation, groups and
            bias of its convolution.
        latents: what inference uses: a number n of latents, drawn once from N(0, 1) by `seed`, over
            which activations are averaged; or one latent `(d,)`, or several `(n, d)`, of your own.
        draws: `"example"`: kernels for each image in training; `"batch"`: one set for all.
        activation: what follows, by name or function, as in `keras.layers.Conv2D`.
        seed: of the latents of inference and of the draws of training; a loaded layer begins its
            draws anew, because Keras does not save how far they had come. In `tf.data.map` draws
            are different and repeatable without `num_parallel_calls`; with it, few may coincide.

    Input `(m, h, w, cin)`, output `(m, h', w', cout)`.

    Call arguments:
        inputs: the features `(m, h, w, cin)`.
        latents: use these instead, in training and inference: `(m, d)`, one an example, or `(1, d)`
            for all.
        training: draw kernels rather than average.

    Raises:
        InputError: n < 1, a latent of another length, features with another number of channels or
            too small for their kernels,
            a seed that is no whole number from 0 on, or a generator that has been neither trained
            nor loaded.

    Example:
        >>> generator = kfg.load_generator("runs/mnist_sample-layer4-seed0/generator.keras")
        >>> layer = kfg.layers.GeneratedConv2D(generator, latents=10)
        >>> layer(features).shape                              # the mean over ten latents
        TensorShape([64, 7, 7, 32])
        >>> network = kfg.FrozenTarget(classifier, layer=4).network_with(layer)

    Reference:
        Kilcher, Bécigneul, Hofmann (2017), section 4, "quality", and its future work: data
        augmentation, and the averaging as a pooling operator.
    """

    def __init__(
        self,
        generator: FilterGenerator,
        latents: int | Sequence = 10,
        draws: str = "example",
        activation=None,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**{**kwargs, "trainable": False})
        if not isinstance(generator, FilterGenerator):
            raise InputError(f"expected a FilterGenerator, received {type(generator).__name__}")
        if draws not in DRAWS:
            raise InputError(f"expected draws to be one of {', '.join(DRAWS)}, received {draws!r}")
        if not isinstance(seed, numbers.Integral) or isinstance(seed, bool) or seed < 0:
            raise InputError(f"expected seed to be a whole number from 0 on, received {seed!r}")
        self.generator = _copy(generator)
        self.draws = draws
        self.activation = keras.activations.get(activation)
        self.seed = int(seed)
        # In the form of get_config, which the latents that are used follow from.
        self._fixed = _fixed_latents(latents, generator.latent_dim, self.seed)  # (n, d)
        self.latents = int(latents) if _is_number(latents) else np.array(latents).tolist()
        self._seeds = keras.random.SeedGenerator(self.seed)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Check that the features are those that the kernels read."""
        self._check_features(input_shape)
        generator = self.generator
        if not generator.built:
            generator.build((None, generator.latent_dim))
        freeze(self)
        self.built = True

    def _check_features(self, shape: tuple[int | None, ...]) -> None:
        generator = self.generator
        kh, kw, cin, _ = generator.kernel_shape
        channels = cin * generator.groups
        if len(shape) != 4 or shape[-1] != channels:
            raise InputError(
                f"expected features (m, h, w, {channels}) for kernels {generator.kernel_shape} in "
                f"{generator.groups} group(s), received {tuple(shape)}; put the layer where its "
                "convolution was, or load the generator of this one"
            )
        if generator.padding == "valid":
            for taps, rate, side in zip((kh, kw), generator.dilation_rate, shape[1:3], strict=True):
                if side is not None and side < (taps - 1) * rate + 1:
                    raise InputError(
                        f"expected features of at least {(taps - 1) * rate + 1} pixels a side for "
                        f"padding 'valid', received {tuple(shape)}; use larger images"
                    )

    def call(self, inputs, latents=None, training=False):
        """Convolve the features with generated kernels."""
        generator = self.generator
        if inputs.shape.rank is not None:  # as out of a py_function
            self._check_features(inputs.shape)
        channels = generator.kernel_shape[2] * generator.groups
        inputs = tf.ensure_shape(inputs, [None, None, None, channels])
        kernels = self._kernels(tf.shape(inputs)[0], latents, training)
        maps = convolve(
            inputs,
            tf.cast(kernels, inputs.dtype),
            strides=generator.strides,
            padding=generator.padding,
            dilation_rate=generator.dilation_rate,
        )
        if generator.use_bias:
            maps = maps + tf.cast(generator.bias, maps.dtype)
        return self.activation(maps)

    def _kernels(self, m: tf.Tensor, latents: tf.Tensor | None, training: bool) -> tf.Tensor:
        """Of each example `(m, kh, kw, cin, cout)`, or of all `(kh, kw, cin, cout)`."""
        self.check_trained()
        d = self.generator.latent_dim
        # Never the training mode that Keras would hand on: the generator is as it was learned.
        make = functools.partial(self.generator, training=False)
        if latents is not None:
            given = tf.convert_to_tensor(latents)
            if given.shape.rank != 2 or given.shape[-1] != d:
                raise InputError(f"expected latents (m, {d}), received {tuple(given.shape)}")
            known = tf.get_static_value(m)
            if None not in (known, given.shape[0]) and given.shape[0] not in (1, known):
                raise InputError(
                    f"expected one latent or one for each of {known} examples, "
                    f"received {given.shape[0]}"
                )
            return make(tf.broadcast_to(given, [m, d]))
        if not training:
            return tf.reduce_mean(make(self._fixed), axis=0)
        if self.draws == "batch":
            return make(self._drawn(1))[0]
        return make(self._drawn(m))

    def check_trained(self) -> None:
        """Refuse to work with a generator that is as it was created."""
        if not self.generator.is_trained():
            raise InputError(
                f"layer {self.name!r}: its generator has been neither trained nor loaded; "
                "take one that load_generator gives of a trained run, or load the weights of the "
                "model around it first"
            )

    def _drawn(self, count: int | tf.Tensor) -> tf.Tensor:
        """New latents `(count, d)`; on several devices, others on each."""
        device = tf.distribute.get_replica_context()
        number = device.replica_id_in_sync_group if device else 0
        key = tf.random.fold_in(tf.cast(self._seeds.next(), tf.int32), number)
        return tf.random.stateless_normal([count, self.generator.latent_dim], key)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """`(m, h', w', cout)`."""
        generator = self.generator
        kh, kw, _, cout = generator.kernel_shape
        geometry = (generator.strides, generator.padding, "channels_last", generator.dilation_rate)
        return keras.layers.Conv2D(cout, (kh, kw), *geometry).compute_output_shape(input_shape)

    def compute_output_spec(self, inputs, latents=None, training=False) -> keras.KerasTensor:
        """Without running `call`: a model is put together before its weights are loaded."""
        self._check_features(inputs.shape)
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=self.compute_dtype)

    def get_config(self) -> dict:
        """Constructor arguments."""
        return {
            **super().get_config(),
            "generator": keras.saving.serialize_keras_object(self.generator),
            "latents": self.latents,
            "draws": self.draws,
            "activation": keras.activations.serialize(self.activation),
            "seed": self.seed,
        }

    @classmethod
    def from_config(cls, config: dict) -> "GeneratedConv2D":
        """The layer of a `get_config`; its weights are still to be loaded."""
        generator = keras.saving.deserialize_keras_object(config["generator"])
        return cls(**{**config, "generator": generator})


def freeze(layer: keras.layers.Layer) -> None:
    """Keep optimizers away from every weight; `layer.trainable` alone leaves those of parts."""
    layer.trainable = False
    for variable in layer.variables:
        variable.trainable = False


def _copy(generator: FilterGenerator) -> FilterGenerator:
    """A generator of one's own: shared by two layers, Keras would save it and not find it again."""
    copy = type(generator).from_config(generator.get_config())
    if generator.built:
        copy.build((None, generator.latent_dim))
        copy.set_weights(generator.get_weights())
    return copy


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _fixed_latents(latents: int | Sequence, dim: int, seed: int) -> np.ndarray:
    """The latents `(n, d)` that inference averages over."""
    if _is_number(latents):
        if latents < 1:
            raise InputError(f"expected at least 1 latent to average over, received {latents}")
        return np.random.default_rng(seed).standard_normal((latents, dim)).astype("float32")
    try:
        given = np.asarray(latents, "float32")
    except (TypeError, ValueError):
        raise InputError(f"expected a number of latents or latents, received {latents!r}") from None
    if given.ndim not in (1, 2) or given.shape[-1] != dim or not given.size:
        received = f"latents {given.shape}" if given.ndim else repr(latents)
        raise InputError(
            f"expected a whole number of latents, or latents ({dim},) or (n, {dim}), "
            f"received {received}"
        )
    if not np.isfinite(given).all():
        raise InputError("expected finite latents, received NaN or infinity")
    return given.reshape(-1, dim)
