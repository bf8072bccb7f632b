"""A number that training itself holds in balance."""

import keras
import tensorflow as tf

from keras_filtergan.gan.replicas import assign
from keras_filtergan.precision import made_single


@keras.saving.register_keras_serializable("keras_filtergan")
class Control(keras.layers.Layer):
    """A positive number, adjusted a little each step until something measured meets its goal.

    An integral controller in the logarithm: `value *= exp(rate * (measured - goal))`. It holds the
    noise on D's input where D is right three times in four (as adaptive discriminator augmentation
    does), and the weight of the code where activations vary as much as they should.

    Args:
        start: first value.
        goal: what the measured quantity should be; `None` keeps the value where it starts.
        rate: how fast to follow; positive if a larger value makes the measured quantity smaller,
            negative if it makes it larger.
        lowest, highest: the value stays between them.

    Example:
        >>> noise = Control(1.0, goal=0.75, rate=0.02)
        >>> noise.update(measured=0.95)     # D is right too often: more noise
        >>> float(noise.value)
        1.004...

    Reference:
        Karras et al. (2020), Training generative adversarial networks with limited data, section 3.
    """

    @made_single
    def __init__(
        self,
        start: float,
        goal: float | None,
        rate: float,
        lowest: float = 0.05,
        highest: float = 100.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.start = start
        self.goal = goal
        self.rate = rate
        self.lowest = lowest
        self.highest = highest
        self.value = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(start), trainable=False, name="value"
        )
        self.built = True

    def update(self, measured: tf.Tensor, pace: float | tf.Tensor = 1.0) -> None:
        """Move the value towards the goal, at a share of the rate if `pace` is below 1."""
        if self.goal is None:
            return
        value = self.value * tf.exp(pace * self.rate * (measured - self.goal))
        assign([self.value], [tf.clip_by_value(value, self.lowest, self.highest)])

    def get_config(self) -> dict:
        """Constructor arguments."""
        names = ("start", "goal", "rate", "lowest", "highest")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
