"""`FilterGenerator`: the generator of kernels."""

import math
from typing import Self

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_filtergan.precision import made_single
from keras_filtergan.private_keras import in_symbolic_scope


@keras.saving.register_keras_serializable("keras_filtergan")
class FilterGenerator(keras.Model):
    """G(z): the complete kernel set of one convolution from one latent.

    One small network serves every output channel: it reads the latent together with a learned
    embedding of the channel and writes that channel's kernel as a deviation from a learned mean
    kernel. A dense last layer to all weights at once would have a hundred times the parameters and
    learn no better.

    The learned mean has to travel from nothing to the kernels' scale while the deviations are fine
    adjustments, so it learns `mean_learning_rate` times faster: the variable is stored divided by
    that factor (the equalised learning rate of StyleGAN's mapping network). It starts at zero,
    because what no activation depends on stays where it starts. Smooth units (SiLU) and
    channels that start alike keep G close to linear in z, so that rare latents stay harmless.

    The generator also knows the rest of its convolution, strides to bias, none of which it makes
    or learns: so a saved generator is all that `layers.GeneratedConv2D` needs.

    Args:
        kernel_shape: `(kh, kw, cin, cout)` of the layer; with `groups`, cin is that of one group.
        latent_dim: length d of a latent.
        width: units of the two hidden layers.
        mean_learning_rate: learning rate of the mean kernel relative to everything else.
        seed: of the initial weights.
        strides, padding, dilation_rate, groups: of the convolution, as in `keras.layers.Conv2D`.
        use_bias: whether the convolution has a bias; it is then the weight `bias`.

    Input `(m, d)`, output `(m, kh, kw, cin, cout)`.

    Example:
        >>> FilterGenerator((3, 3, 32, 32), latent_dim=8)(keras.random.normal([5, 8])).shape
        TensorShape([5, 3, 3, 32, 32])

    Reference:
        Kilcher, Bécigneul, Hofmann (2017), section 3 and Algorithm 1.
    """

    @made_single
    def __init__(
        self,
        kernel_shape: tuple[int, int, int, int],
        latent_dim: int = 8,
        width: int = 128,
        mean_learning_rate: float = 10.0,
        seed: int = 0,
        strides: tuple[int, int] = (1, 1),
        padding: str = "same",
        dilation_rate: tuple[int, int] = (1, 1),
        groups: int = 1,
        use_bias: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.kernel_shape = tuple(kernel_shape)
        self.latent_dim = latent_dim
        self.width = width
        self.mean_learning_rate = mean_learning_rate
        self.seed = seed
        self.strides = tuple(strides)
        self.padding = padding
        self.dilation_rate = tuple(dilation_rate)
        self.groups = groups
        self.use_bias = use_bias
        kh, kw, cin, _ = self.kernel_shape
        self.taps = kh * kw * cin
        self.scale = math.sqrt(2.0 / self.taps)  # He: the order of magnitude of a trained kernel
        self._make_layers()

    @classmethod
    def of_layer(
        cls,
        kernel_shape: tuple[int, int, int, int],
        geometry: dict,
        bias: tf.Tensor | None,
        latent_dim: int,
        seed: int,
    ) -> Self:
        """A generator for a layer, with its weights and with the layer's bias.

        Args:
            kernel_shape, geometry, bias: of `FrozenTarget`.
            latent_dim, seed: as of the class.
        """
        generator = cls(kernel_shape, latent_dim, seed=seed, **geometry)
        generator.build((None, latent_dim))
        if generator.bias is not None:
            generator.bias.assign(bias)
        return generator

    def _make_layers(self) -> None:
        """The layers between latents and deviations."""
        seed, width = self.seed, self.width
        he = [keras.initializers.HeNormal(seed=seed * 10 + i) for i in range(2)]
        # Deviations start small: the mean has to be learned before variety can be told from noise.
        small = keras.initializers.VarianceScaling(0.1, seed=seed * 10 + 2)
        dtype = self.dtype_policy  # else parts would take the global one
        self.latent_in = keras.layers.Dense(
            width, kernel_initializer=he[0], dtype=dtype, name="latent_in"
        )
        self.hidden = keras.layers.Dense(
            width, activation="silu", kernel_initializer=he[1], dtype=dtype, name="hidden"
        )
        self.deviation = keras.layers.Dense(
            self.taps, kernel_initializer=small, dtype=dtype, name="deviation"
        )

    def build(self, input_shape: tuple[int | None, int]) -> None:
        """Create the weights for latents `(m, d)`."""
        cout = self.kernel_shape[-1]
        self._build_layers(input_shape)
        self.mean = self.add_weight(shape=(cout, self.taps), initializer="zeros")
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(shape=(cout,), initializer="zeros", trainable=False)
        self.built = True

    def _build_layers(self, input_shape: tuple[int | None, int]) -> None:
        """Create the weights of `_make_layers`."""
        cout = self.kernel_shape[-1]
        alike = keras.initializers.RandomNormal(stddev=0.05, seed=self.seed * 10 + 3)
        self.channel = self.add_weight(shape=(cout, self.width), initializer=alike)
        self.latent_in.build(input_shape)
        self.hidden.build((None, cout, self.width))
        self.deviation.build((None, cout, self.width))

    def call(self, latents, training=False):
        """Generate one kernel set a latent."""
        kh, kw, cin, cout = self.kernel_shape
        deviations = self._deviations(latents, training)  # (m, cout, taps)
        kernels = self.scale * (self.mean_learning_rate * self.mean + deviations)
        return ops.transpose(ops.reshape(kernels, (-1, cout, kh, kw, cin)), (0, 2, 3, 4, 1))

    def _deviations(self, latents, training: bool):
        """What a latent adds to the mean kernels, `(m, cout, taps)`, in units of the scale."""
        x = ops.expand_dims(self.latent_in(latents), 1) + self.channel  # (m, cout, width)
        return self.deviation(self.hidden(ops.silu(x)))

    def rotate(self, basis: np.ndarray) -> None:
        """Read latents in another basis: afterwards G(z) is what G(z @ basis.T) was before.

        Args:
            basis: orthogonal, `(d, d)`; its columns are the new dimensions.
        """
        for weights in self._latent_weights():
            weights.assign(ops.tensordot(basis.T.astype("float32"), weights, 1))

    def _latent_weights(self) -> list:
        """The weights that latents are multiplied with, each `(d, …)`."""
        return [self.latent_in.kernel]

    @staticmethod
    def weight_shapes(config: dict) -> dict[str, tuple[int, ...]]:
        """Shape of each weight by its path, from constructor arguments alone.

        Args:
            config: `kernel_shape`, `latent_dim`, `width` and `use_bias`; nothing is made of it.
        """
        kh, kw, cin, cout = config["kernel_shape"]
        taps, width = kh * kw * cin, config["width"]
        return {
            "channel": (cout, width),
            "mean": (cout, taps),
            **({"bias": (cout,)} if config["use_bias"] else {}),
            "latent_in/kernel": (config["latent_dim"], width),
            "latent_in/bias": (width,),
            "hidden/kernel": (width, width),
            "hidden/bias": (width,),
            "deviation/kernel": (width, taps),
            "deviation/bias": (taps,),
        }

    def is_trained(self) -> bool:
        """Whether the mean kernel has left zero, where it starts: by training or by loading.

        While Keras only asks for shapes, as it does when it puts a model together whose weights
        come next, there is nothing to be known yet, and the answer is yes.
        """
        if in_symbolic_scope():
            return True
        with tf.init_scope():  # the weights as they are now, also while a graph is traced
            return bool(tf.reduce_any(tf.not_equal(self.mean.value, 0.0)))

    def get_config(self) -> dict:
        """Constructor arguments."""
        names = (
            *("kernel_shape", "latent_dim", "width", "mean_learning_rate", "seed"),
            *("strides", "padding", "dilation_rate", "groups", "use_bias"),
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
