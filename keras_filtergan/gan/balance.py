"""The three controls that training holds in balance, in the place of tuning."""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_filtergan.errors import InputError
from keras_filtergan.gan.control import Control
from keras_filtergan.gan.rounds import Measured, Round

# Where Q reads less than half of the code, its noise gives way; where it reads more, it comes back.
CODE_ERROR_GOAL, CODE_NOISE_RANGE = 0.5, 16.0


class Balance(NamedTuple):
    """Noise of D, noise of Q and weight of the code, and how each follows what it holds.

    Attributes:
        discriminator_noise: σ of the noise on D's inputs, held where D's accuracy is at its goal.
        code_weight: λ, held where the variation of activations is at its goal.
        code_noise: σ of the noise on Q's input: that of a channel in which the wanted variation
            carries the code. While Q cannot read so much noise, it gives way.
    """

    discriminator_noise: Control
    code_weight: Control
    code_noise: Control

    @classmethod
    def start(
        cls,
        discriminator_noise: float,
        accuracy_goal: float | None,
        code_weight: float,
        variation_goal: float | None,
        code_noise: float | None,
    ) -> "Balance":
        """Controls at their first values; arguments as in `Hyperparameters`.

        Raises:
            InputError: no `code_noise` where nothing sets it.
        """
        if code_noise is None and variation_goal is None:
            raise InputError("expected code_noise where there is no variation_goal, received None")
        first, goal = (1.0, CODE_ERROR_GOAL) if code_noise is None else (code_noise, None)
        return cls(
            Control(
                discriminator_noise,
                accuracy_goal,
                rate=0.02,
                highest=32.0,
                name="discriminator_noise",
            ),
            Control(code_weight, variation_goal, rate=-0.01, lowest=0.1, name="code_weight"),
            Control(first, goal, rate=-0.005, name="code_noise"),
        )

    def fit(self, spread: float, latent_dim: int, snr: float) -> None:
        """Set where Q's noise starts, which is also the most it will be, unless it was given.

        Args:
            spread: V_x of what Q sees, summed over units.
            latent_dim: d.
            snr: the sum over units of what one latent dimension moves, over the noise of one unit.
        """
        if self.code_noise.goal is None:
            return
        signal = self.code_weight.goal * spread / latent_dim  # of one latent dimension
        noise = float(np.sqrt(signal / snr))
        self.code_noise.lowest, self.code_noise.highest = noise / CODE_NOISE_RANGE, noise
        self.code_noise.value.assign(noise)

    def update(self, seen: Round | Measured) -> None:
        """Let each follow what a step has shown."""
        self.discriminator_noise.update(tf.reduce_mean((seen.real_accuracy, seen.fake_accuracy)))
        # It gives way slowly, while Q learns, and comes back fast, before the weight has grown.
        way = tf.where(seen.code_error < CODE_ERROR_GOAL, 4.0, 1.0)
        self.code_noise.update(tf.minimum(seen.code_error, 1.0), pace=way)
        # Before Q reads, more weight of the code helps nobody, and would be far too much later.
        reads = tf.maximum(1.0 - seen.code_error, 0.0)
        self.code_weight.update(tf.minimum(seen.activation_variation, 1.0), pace=reads)

    @property
    def values(self) -> dict[str, tf.Tensor]:
        """The value of each by its name."""
        return {name: control.value for name, control in self._asdict().items()}
