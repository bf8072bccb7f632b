"""`FilterGAN`: Algorithm 1 of the paper as a `keras.Model`."""

from typing import ClassVar

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.natural import channel_standard
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError
from keras_filtergan.gan import losses, replicas
from keras_filtergan.gan.balance import Balance
from keras_filtergan.gan.gradients import gradients
from keras_filtergan.gan.hyperparameters import INFOGAN, OF_PLAYERS
from keras_filtergan.gan.rounds import (
    Measured,
    Pair,
    Round,
    bias,
    check_batch,
    mean_over_batch,
    ring_pair,
    unexplained,
    variation,
)
from keras_filtergan.gan.transformation import ImageTransformation
from keras_filtergan.generators.architectures import get_architecture
from keras_filtergan.generators.discriminator import Discriminator
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.guards.graphs import let_go_of_graphs
from keras_filtergan.precision import made_single


class FilterGAN(keras.Model):
    """Train a generator of kernels whose activations cannot be told from the real layer's.

    Each step draws one latent an image, convolves image i with its own kernels G(z_i), and lets D
    compare the activations with those of the real kernels; Q, which shares all layers of D but the
    last, reads z_i back. All randomness comes with the batch, so a step is a pure function of
    weights and batch. In `NaturalFilterGAN`, the default of `train.py`, Q reads changes.

    What the paper does not have, and why (measured in docs/notes/experiments.md):

    * **Noise on what Q and D see**, in units of the standard deviation of the real activations.
      Without it Q recovers z from invisible watermarks. Q's noise is the capacity of the channel
      from z to the activations, D's keeps D from winning.
    * **Three controls in the place of tuning** (`Balance`): D's noise holds D's accuracy, λ the
      variation of activations, and Q's noise is what this variation can carry.
    * **A discriminator conditioned on the class**, and an **answer loss**: how far the network's
      answer with generated kernels is from its own with the real ones. It needs no labels and says
      what an invariance is: a change that the classifier ignores.
    * **An image transformation** T, trained along with G so that the kernels of z make of
      T(x; r → z) what those of r make of x. G minimises the share of its change that T does not
      explain. Without it most of what G varies is no change that an image could make.
    * **An averaged generator**, which all inference uses; the optimizer moves `raw_generator`.

    A GAN does not own its network: `save_weights` keeps a state of training, and
    `generator.save("generator.keras")` what others use. All players compute in single precision.

    `conditional=False, answer_weight=0, image_weight=0` is the paper's objective under noise; with
    `code_noise=0, discriminator_noise=0`, both goals `None`, and the saturating loss, it is
    Algorithm 1 as printed.

    Args:
        target: the frozen network and its layer.
        latent_dim: length d of a latent.
        conditional … architecture: see `Hyperparameters`, which has their defaults.
        seed: of the initial weights.

    Raises:
        InputError: an unknown loss or architecture, no `code_noise`, or a step before `adapt`.

    Example:
        >>> gan = FilterGAN(FrozenTarget(classifier, layer=4), latent_dim=8)
        >>> gan.compile()
        >>> gan.adapt(x_train)
        >>> history = gan.fit(training_stream(x_train, y_train, batch_size=64, latent_dim=8,
        ...     noise_shape=gan.target.activation_shape, seed=0), steps_per_epoch=99, shuffle=False)
        >>> kernels = gan.generator(keras.random.normal([10, 8]))

    Reference:
        Kilcher, Bécigneul, Hofmann (2017), Algorithm 1.
    """

    # The sum over units of what one latent dimension moves, over the noise of one unit. Q does not
    # know the image and reads less than a matched filter: its error ends near 0.2.
    code_snr: ClassVar[float] = 16.0
    hyperparameters: ClassVar[tuple[str, ...]] = OF_PLAYERS  # what the constructor takes

    @made_single
    def __init__(
        self,
        target: FrozenTarget,
        latent_dim: int = INFOGAN.latent_dim,
        *,
        conditional: bool = INFOGAN.conditional,
        generator_loss: str = INFOGAN.generator_loss,
        code_weight: float = INFOGAN.code_weight,
        variation_goal: float | None = INFOGAN.variation_goal,
        code_noise: float | None = INFOGAN.code_noise,
        discriminator_noise: float = INFOGAN.discriminator_noise,
        accuracy_goal: float | None = INFOGAN.accuracy_goal,
        answer_weight: float = INFOGAN.answer_weight,
        image_weight: float = INFOGAN.image_weight,
        bias_weight: float = INFOGAN.bias_weight,
        averaging: float = INFOGAN.averaging,
        architecture: str = INFOGAN.architecture,
        seed: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.target = target
        self.latent_dim = latent_dim
        self.answer_weight = answer_weight
        self.image_weight = image_weight
        self.bias_weight = bias_weight
        self.averaging = averaging
        self.adversarial_loss = losses.generator_loss(generator_loss)
        players = get_architecture(architecture)
        layer = target.kernel_shape, target.geometry, target.bias
        self.generator = players.generator.of_layer(*layer, latent_dim, seed)
        self.raw_generator = players.generator.of_layer(*layer, latent_dim, seed)
        self._make_judges(players.discriminator, target.num_classes * conditional, seed)
        self.discriminator_noise, self.code_weight, self.code_noise = Balance.start(
            discriminator_noise, accuracy_goal, code_weight, variation_goal, code_noise
        )
        self.discriminator.build((None, *target.activation_shape))
        self.built, self.adapted = True, False
        self.notes: list[str] = []  # for the user, from `adapt`
        self._means = [keras.metrics.Mean(name=n) for n in (*Measured._fields, *Balance._fields)]

    def _make_judges(self, kind: type[Discriminator], num_classes: int, seed: int) -> None:
        """D with its code head Q, and T."""
        target, d = self.target, self.latent_dim
        self.discriminator = kind(target.activation_shape, d, num_classes, seed=seed)
        self.transformation = ImageTransformation(d, seed=seed)
        self.transformation.build([(None, *target.image_shape), (None, d), (None, d)])

    @property
    def q_variables(self) -> list:
        """What Q trains."""
        return self.discriminator.q_variables

    @property
    def code_shape(self) -> tuple[int, ...]:
        """Shape of the noise on Q's input, of one example."""
        return self.target.activation_shape

    def batch_order(self, size: int, replicas: int) -> np.ndarray:
        """Which examples of a batch each replica gets, `(replicas, size / replicas)`."""
        return np.arange(size).reshape(replicas, -1)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """One running mean a logged term."""
        return self._means

    def compile(
        self,
        g_optimizer: keras.optimizers.Optimizer | None = None,
        d_optimizer: keras.optimizers.Optimizer | None = None,
        q_optimizer: keras.optimizers.Optimizer | None = None,
        t_optimizer: keras.optimizers.Optimizer | None = None,
        **kwargs,
    ) -> None:
        """Set one optimizer a player; RMSprop as in the paper by default, Adam for T.

        They are built here: one without slots restores to fresh ones. XLA compiles the step only
        with `jit_compile=True`.
        """
        super().compile(optimizer=None, loss=None, **{"jit_compile": False, **kwargs})
        self.g_optimizer = g_optimizer or keras.optimizers.RMSprop(INFOGAN.g_learning_rate)
        self.d_optimizer = d_optimizer or keras.optimizers.RMSprop(INFOGAN.dq_learning_rate)
        self.q_optimizer = q_optimizer or keras.optimizers.RMSprop(INFOGAN.dq_learning_rate)
        self.t_optimizer = t_optimizer or keras.optimizers.Adam(INFOGAN.t_learning_rate)
        self.g_optimizer.build(self.raw_generator.trainable_variables)
        self.d_optimizer.build(self.discriminator.d_variables)
        self.q_optimizer.build(self.q_variables)
        self.t_optimizer.build(self.transformation.trainable_variables)

    def adapt(
        self, images: np.ndarray, labels: np.ndarray | None = None, batch_size: int = 256
    ) -> None:
        """Fit the standardisation of activations, and where Q's noise starts (`Balance.fit`).

        Args:
            images: `(n, h, w, c)`, a few thousand are plenty.
            labels: their classes `(n,)`; not needed here.
            batch_size: images at once at most; fewer where they are large.
        """
        mean, variance = self.target.moments(images, batch_size)  # of units (h', w', cout)
        of_maps, of_channels = channel_standard(mean, variance)
        self.discriminator.fit_standard(of_maps, of_channels)
        self._balance().fit(np.sum(variance / of_channels), self.latent_dim, self.code_snr)
        self.adapted = True

    def train_step(self, data: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One step of Algorithm 1; `data` is a batch of `data.training_stream`."""
        with tf.GradientTape(persistent=True) as tape:
            seen = self._play(data, self.raw_generator, training=True)
            d_loss = losses.discriminator_loss(seen.real_logits, seen.fake_logits)
            g_loss = self.adversarial_loss(seen.fake_logits)
        # All at the weights of the start of the step: D and Q share layers.
        moves = gradients(self, tape, seen, d_loss, g_loss)
        self.g_optimizer.apply(moves.g, self.raw_generator.trainable_variables)
        self.d_optimizer.apply(moves.d, self.discriminator.d_variables)
        self.q_optimizer.apply(moves.q, self.q_variables)
        self.t_optimizer.apply(moves.t, self.transformation.trainable_variables)
        self._average_generator()
        measured = seen.measured(d_loss, g_loss)
        logs = self._log(measured)
        self._balance().update(measured)
        let_go_of_graphs()  # after the gradients of this one are taken
        return logs

    def test_step(self, data: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The same terms for the averaged generator; nothing is changed."""
        seen = self._play(data, self.generator, training=False)
        d_loss = losses.discriminator_loss(seen.real_logits, seen.fake_logits)
        return self._log(seen.measured(d_loss, self.adversarial_loss(seen.fake_logits)))

    def _play(
        self, data: dict[str, tf.Tensor], generator: FilterGenerator, training: bool
    ) -> Round:
        """Lines 1 to 4 of Algorithm 1, and everything that is measured on the way."""
        if not self.adapted:
            raise InputError("expected adapt(images) before fit: noise is in units of activations")
        check_batch(data)
        target, judge = self.target, self.discriminator
        features = target.features(data["image"])
        pair = self._pair(data["latent"], features, generator, training, data.get("place"))
        real_maps = target.activations(features)
        real, fake, other = map(judge.standardize, (real_maps, pair.generated, pair.other))
        noise = self.discriminator_noise.value
        noisy = real + noise * data["noise_real"], fake + noise * data["noise_fake"]
        *verdicts, code_error = self._judge(noisy, fake, other, pair, data["noise_code"], training)
        real_logits, fake_logits = (judge.logits(each, data["label"]) for each in verdicts)
        moved = self.transformation((data["image"], pair.origins, pair.latents))
        found = judge.standardize(target.activations(target.features(moved), pair.kernels))
        of_mean = target.activations(features, mean_over_batch(pair.kernels))
        return Round(
            fake=fake,
            other=other,
            real_logits=real_logits,
            fake_logits=fake_logits,
            code_error=code_error,
            answer_loss=losses.answer_loss(
                target.log_probabilities(real_maps, features),
                target.log_probabilities(pair.generated, features),
            ),
            unexplained=unexplained(fake, other, found, pair.steps),
            alikeness=self._alikeness(data["image"]),
            bias=bias(real, judge.standardize(of_mean)),
            activation_variation=variation(real_maps, pair.generated, pair.other) * pair.parts,
        )

    def _pair(
        self,
        latents: tf.Tensor,
        features: list[tf.Tensor],
        generator: FilterGenerator,
        training: bool,
        places: tf.Tensor | None = None,
    ) -> Pair:
        """Each image under its own latent and under that of the example before."""
        return ring_pair(self.target, latents, features, generator(latents, training=training))

    def _judge(
        self,
        noisy: tuple[tf.Tensor, tf.Tensor],
        fake: tf.Tensor,
        other: tf.Tensor,
        pair: Pair,
        noise: tf.Tensor,
        training: bool,
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """D's verdicts under noise, and the error of Q, which reads one generated activation."""
        code = fake + self.code_noise.value * noise
        *verdicts, codes = self.discriminator.judge(*noisy, code, training=training)
        return (*verdicts, tf.reduce_mean(tf.square(codes - pair.latents)))

    def _alikeness(self, images: tf.Tensor) -> tf.Tensor:
        return tf.constant(0.0)  # T minimises the unexplained share alone

    def _average_generator(self) -> None:
        steps = tf.cast(self.g_optimizer.iterations, tf.float32)
        decay = tf.minimum(self.averaging, (1.0 + steps) / (10.0 + steps))  # short memory at first
        pairs = zip(self.generator.weights, self.raw_generator.weights, strict=True)
        values = [decay * average + (1.0 - decay) * raw for average, raw in pairs]
        replicas.assign(self.generator.weights, values)

    def _balance(self) -> Balance:
        return Balance(self.discriminator_noise, self.code_weight, self.code_noise)

    def _log(self, measured: Measured) -> dict[str, tf.Tensor]:
        terms = {**measured._asdict(), **self._balance().values}
        for mean in self._means:
            mean.update_state(terms[mean.name])
        return {mean.name: mean.result() for mean in self._means}
