"""`Discriminator`: D with its code head Q."""

import functools
import math

import keras
import tensorflow as tf
from keras import ops

from keras_filtergan.precision import made_single

LARGEST_SIDE = 32  # of the maps on which D begins to convolve


@keras.saving.register_keras_serializable("keras_filtergan")
class Discriminator(keras.Model):
    """D with its code head Q: they share every layer but the last.

    D says whether an activation comes from the real kernels; conditioned on the class of the image
    (one more logit a class) it also notices an activation that is real, but of another digit. Q
    reads the latent off the activation.

    Both read *standardised* activations: `standardize` (fitted once to real activations) is applied
    to real and generated ones alike, so that noise is in units of the real standard deviation.

    Args:
        activation_shape: `(h', w', cout)` of the layer.
        latent_dim: length d of a latent; 0 for a D without a code head.
        num_classes: condition D on that many classes; 0 for the paper's unconditional D.
        width: channels of the first convolution; the second has twice as many.
        features: units of the last shared layer.
        seed: of the initial weights.
        dense_weights: at most so many weights between maps and features. Larger maps are made
            smaller, each value still seen: the first convolution takes them in squares until they
            have at most 32 places a side, and there are more convolutions with stride 2. `None`
            for two convolutions and maps of any size.

    Reference:
        Kilcher, Bécigneul, Hofmann (2017), Algorithm 1; Chen et al. (2016), InfoGAN.
    """

    @made_single
    def __init__(
        self,
        activation_shape: tuple[int, int, int],
        latent_dim: int = 8,
        num_classes: int = 0,
        width: int = 64,
        features: int = 128,
        seed: int = 0,
        dense_weights: int | None = 2_000_000,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.activation_shape = tuple(activation_shape)
        self.latent_dim = latent_dim
        self.num_classes = num_classes
        self.width = width
        self.features = features
        self.seed = seed
        self.dense_weights = dense_weights
        dtype = self.dtype_policy  # else parts would take the global one
        self.standardize = keras.layers.Normalization(axis=-1, dtype=dtype, name="standardize")
        self.trunk = self._make_trunk()
        glorot = keras.initializers.GlorotUniform(seed * 10 + 4)
        self.verdict = keras.layers.Dense(
            1 + num_classes, kernel_initializer=glorot, dtype=dtype, name="verdict"
        )
        self.code = None
        if latent_dim:
            self.code = keras.layers.Dense(
                latent_dim, kernel_initializer="zeros", dtype=dtype, name="code"
            )

    def _make_trunk(self) -> keras.Sequential:
        """The shared layers: standardised activations → features `(m, k)`."""
        seed, width = self.seed, self.width
        layers, he = keras.layers, keras.initializers.HeNormal
        dtype = self.dtype_policy
        conv = functools.partial(layers.Conv2D, padding="same", dtype=dtype)
        leaky = functools.partial(layers.LeakyReLU, 0.2, dtype=dtype)
        square, halvings = self._reductions()
        taps = 3 if square == 1 else square
        trunk = [conv(width, taps, strides=square, kernel_initializer=he(seed * 10 + 1)), leaky()]
        for i in range(halvings):
            start = he(seed * 10 + 2 + 1000 * i)
            trunk += [conv(2 * width, 3, strides=2, kernel_initializer=start), leaky()]
        dense = layers.Dense(self.features, kernel_initializer=he(seed * 10 + 3), dtype=dtype)
        trunk += [layers.Flatten(dtype=dtype), dense, leaky()]
        return keras.Sequential([keras.Input(self.activation_shape), *trunk], name="trunk")

    def _reductions(self) -> tuple[int, int]:
        """Side of the squares that the first convolution takes, and how many halvings follow."""
        if self.dense_weights is None:
            return 1, 1
        square = -(-max(self.activation_shape[:2]) // LARGEST_SIDE)
        sides = [-(-side // square) for side in self.activation_shape[:2]]
        places = self.dense_weights // (2 * self.width * self.features)
        halvings = 0
        while halvings == 0 or math.prod(sides) > max(places, 1):
            sides = [-(-side // 2) for side in sides]
            halvings += 1
        return square, halvings

    def build(self, input_shape: tuple[int | None, int, int, int]) -> None:
        """Create the weights for activations `(m, h', w', cout)`."""
        self.standardize.build(input_shape)
        self.verdict.build(self.trunk.output_shape)
        if self.code is not None:
            self.code.build(self.trunk.output_shape)
        self.built = True

    def fit_standard(self, mean, variance) -> None:
        """Set what `standardize` subtracts and divides by: statistics `(cout,)` of activations."""
        self.standardize.adapt_mean.assign(mean)
        self.standardize.adapt_variance.assign(variance)
        self.standardize.finalize_state()

    def call(self, standardized, training=False):
        """Verdicts `(m, 1 + num_classes)` and codes `(m, d)` of standardised activations.

        Without a code head there are no codes: `None` in their place.
        """
        features = self.trunk(standardized, training=training)
        return self.verdict(features), None if self.code is None else self.code(features)

    def judge(self, real, fake, code, training=False) -> tuple:
        """What D and Q say of standardised activations under noise.

        Args:
            real, fake: what D sees, `(m, h', w', cout)` each.
            code: what Q sees, `(m, h', w', cout)`.
            training: mode of the layers.

        Returns:
            Verdicts on `real` and on `fake`, `(m, 1 + num_classes)` each, and codes `(m, d)`.
        """
        # D and Q go through the trunk apart, as each takes a gradient of its own from it.
        assert self.code is not None  # a D whose code head reads activations
        codes = self.code(self.trunk(code, training=training))
        return (*self.verdicts(real, fake, training), codes)

    def verdicts(self, real, fake, training=False) -> tuple:
        """What D alone says of standardised activations under noise, `(m, 1 + num_classes)` each.

        Args:
            real, fake: what D sees, `(m, h', w', cout)` each.
            training: mode of the layers.
        """
        both = self.verdict(self.trunk(ops.concatenate([real, fake]), training=training))
        return tuple(ops.split(both, 2))

    def verdict_gradients(
        self,
        tape: tf.GradientTape,
        losses: tuple[tf.Tensor, tf.Tensor],
        logits: tf.Tensor,
        fake: tf.Tensor,
    ) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Gradients of D's loss and of G's, from one backward pass through D.

        D judges each example by itself, so that both losses depend on a generated activation
        through its logit alone: their gradients there differ by a factor an example.

        Args:
            tape: a persistent one that has watched both losses.
            losses: of D, and of G.
            logits: D's of the generated activations, `(m,)`.
            fake: the generated activations, `(m, h', w', cout)`.

        Returns:
            The gradients of D's loss with respect to `d_variables`, and of G's to `fake`.
        """
        of_d, at_fake = tape.gradient(losses[0], (self.d_variables, fake))
        held, wanted = (tape.gradient(loss, logits) for loss in losses)
        factor = tf.math.divide_no_nan(wanted, held)
        return of_d, factor[:, None, None, None] * at_fake

    def logits(self, verdicts, labels):
        """One logit an image `(m,)`, positive for "real": the common one plus its class's own."""
        if self.num_classes == 0:
            return verdicts[:, 0]
        return verdicts[:, 0] + ops.sum(
            verdicts[:, 1:] * ops.one_hot(labels, self.num_classes), axis=-1
        )

    @property
    def d_variables(self) -> list:
        """What D trains: the shared layers and its verdict."""
        return self.trunk.trainable_variables + self.verdict.trainable_variables

    @property
    def q_variables(self) -> list:
        """What Q trains: the shared layers and its code."""
        head = [] if self.code is None else self.code.trainable_variables
        return self.trunk.trainable_variables + head

    def get_config(self) -> dict:
        """Constructor arguments."""
        names = (
            *("activation_shape", "latent_dim", "num_classes", "width", "features", "seed"),
            "dense_weights",
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    @classmethod
    def from_config(cls, config: dict) -> "Discriminator":
        """From `get_config`; files of before there was a bound have none."""
        return cls(**{"dense_weights": None, **config})
