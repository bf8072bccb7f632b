"""Players built as DCGAN builds them: convolutions with strides, batch norm, no hidden dense layer.

Radford, Metz, Chintala, "Unsupervised representation learning with deep convolutional generative
adversarial networks" (ICLR 2016), section 3 and figure 1.
"""

import functools

import keras
import tensorflow as tf
from keras import ops

from keras_filtergan.generators.discriminator import Discriminator
from keras_filtergan.generators.filter_generator import FilterGenerator

UPSAMPLING = 4  # from the first maps to the last, in two steps
TAPS = 5  # of every convolution of G, as in the paper


@keras.saving.register_keras_serializable("keras_filtergan")
class UpsamplingGenerator(FilterGenerator):
    """G(z) as DCGAN draws pictures: z is projected, reshaped and up-sampled twice.

    The picture is the plane of input channels × output channels, with a channel for each tap of the
    kernels. Batch norm and ReLU follow the projection and the first transposed convolution; the
    output is a tanh, added to the learned mean kernels as in `FilterGenerator`: without the mean no
    G learned anything. Neighbours in the plane are channels with neighbouring numbers, which means
    nothing; what this G is good for is to be compared with.

    Batch norm takes its statistics from the batch of latents in training, and its moving averages
    at inference, where each kernel set depends on its own latent alone.

    Args:
        kernel_shape, latent_dim, mean_learning_rate, seed: as of `FilterGenerator`.
        width: channels of the first maps; the second have half as many.
        strides, padding, dilation_rate, groups, use_bias: of the convolution.

    Example:
        >>> UpsamplingGenerator((3, 3, 32, 32), latent_dim=8)(keras.random.normal([5, 8])).shape
        TensorShape([5, 3, 3, 32, 32])
    """

    def _make_layers(self) -> None:
        normal = [keras.initializers.HeNormal(seed=self.seed * 10 + i) for i in range(2)]
        small = keras.initializers.VarianceScaling(0.1, seed=self.seed * 10 + 2)
        _, _, cin, cout = self.kernel_shape
        self.first_maps = -(-cin // UPSAMPLING), -(-cout // UPSAMPLING), self.width
        layers, dtype = keras.layers, self.dtype_policy
        up = functools.partial(
            layers.Conv2DTranspose, kernel_size=TAPS, strides=2, padding="same", dtype=dtype
        )
        units = self.first_maps[0] * self.first_maps[1] * self.width
        # Keras files a layer under its attribute if that comes before "layers" in the alphabet.
        self.expand = layers.Dense(
            units, use_bias=False, kernel_initializer=normal[0], dtype=dtype, name="expand"
        )
        self.expand_norm = layers.BatchNormalization(momentum=0.9, dtype=dtype, name="expand_norm")
        self.grow = up(
            max(self.width // 2, 1), use_bias=False, kernel_initializer=normal[1], name="grow"
        )
        self.grow_norm = layers.BatchNormalization(momentum=0.9, dtype=dtype, name="grow_norm")
        self.draw = up(self._picture_channels, kernel_initializer=small, name="draw")

    @property
    def _picture_channels(self) -> int:
        return self.kernel_shape[0] * self.kernel_shape[1]

    def _build_layers(self, input_shape: tuple[int | None, int]) -> None:
        height, width, channels = self.first_maps
        half = max(self.width // 2, 1)
        self.expand.build(input_shape)
        self.expand_norm.build((None, height, width, channels))
        self.grow.build((None, height, width, channels))
        self.grow_norm.build((None, 2 * height, 2 * width, half))
        self.draw.build((None, 2 * height, 2 * width, half))

    def _deviations(self, latents, training: bool):
        _, _, cin, cout = self.kernel_shape
        maps = ops.reshape(self.expand(latents), (-1, *self.first_maps))
        maps = self.grow(ops.relu(self.expand_norm(maps, training=training)))
        picture = ops.tanh(self.draw(ops.relu(self.grow_norm(maps, training=training))))
        picture = ops.transpose(picture[:, :cin, :cout], (0, 2, 3, 1))  # (m, cout, kh · kw, cin)
        return ops.reshape(picture, (-1, cout, self.taps))

    def _latent_weights(self) -> list:
        return [self.expand.kernel]

    @staticmethod
    def weight_shapes(config: dict) -> dict[str, tuple[int, ...]]:
        """Shape of each weight by its path, from constructor arguments alone."""
        kh, kw, cin, cout = config["kernel_shape"]
        width, half = config["width"], max(config["width"] // 2, 1)
        units = -(-cin // UPSAMPLING) * -(-cout // UPSAMPLING) * width
        statistics = ("gamma", "beta", "moving_mean", "moving_variance")
        return {
            "mean": (cout, kh * kw * cin),
            **({"bias": (cout,)} if config["use_bias"] else {}),
            "expand/kernel": (config["latent_dim"], units),
            **{f"expand_norm/{name}": (width,) for name in statistics},
            "grow/kernel": (TAPS, TAPS, half, width),
            **{f"grow_norm/{name}": (half,) for name in statistics},
            "draw/kernel": (TAPS, TAPS, kh * kw, half),
            "draw/bias": (kh * kw,),
        }


@keras.saving.register_keras_serializable("keras_filtergan")
class StridedDiscriminator(Discriminator):
    """D and Q as DCGAN builds a discriminator: strides for pooling, and no hidden dense layer.

    Batch norm follows every convolution but the first, so that D's input is not normalised. What it
    is shown in one step is judged in one batch: its statistics are then those of real and generated
    activations together, in training and at inference alike.

    Args:
        activation_shape, latent_dim, num_classes, seed: as of `Discriminator`.
        width: channels of the first convolution; the second has twice as many.
        features: without meaning here, as there is no dense layer.
    """

    def _make_trunk(self) -> keras.Sequential:
        layers, he = keras.layers, keras.initializers.HeNormal
        dtype, seed = self.dtype_policy, self.seed
        conv = functools.partial(layers.Conv2D, strides=2, padding="same", dtype=dtype)
        leaky = functools.partial(layers.LeakyReLU, 0.2, dtype=dtype)
        return keras.Sequential(
            [
                keras.Input(self.activation_shape),
                conv(self.width, TAPS, kernel_initializer=he(seed * 10 + 1)),
                leaky(),
                conv(2 * self.width, TAPS, use_bias=False, kernel_initializer=he(seed * 10 + 2)),
                layers.BatchNormalization(momentum=0.9, dtype=dtype),
                leaky(),
                layers.Flatten(dtype=dtype),
            ],
            name="trunk",
        )

    def judge(self, real, fake, code, training=False) -> tuple:
        """Verdicts and codes as of `Discriminator.judge`, all three batches judged as one."""
        verdicts, codes = self(ops.concatenate([real, fake, code]), training=training)
        real_verdicts, fake_verdicts, _ = ops.split(verdicts, 3)
        return real_verdicts, fake_verdicts, ops.split(codes, 3)[2]

    def verdict_gradients(
        self,
        tape: tf.GradientTape,
        losses: tuple[tf.Tensor, tf.Tensor],
        logits: tf.Tensor,
        fake: tf.Tensor,
    ) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Gradients as of `Discriminator`, in two passes: batch norm lets examples see each other.

        A generated activation also changes the verdicts on the real ones, in D's loss alone.
        """
        return tape.gradient(losses[0], self.d_variables), tape.gradient(losses[1], fake)
