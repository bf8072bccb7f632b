"""Random views of a picture: what works in all of them is more than a texture that works in one."""

import math
import numbers
from dataclasses import dataclass

import tensorflow as tf

from keras_filtergan.displacement import sample_bilinear
from keras_filtergan.errors import InputError
from keras_filtergan.images.jitter import Jitter


@dataclass(frozen=True)
class RandomViews:
    """Images shifted, scaled and turned at random, another way in each step of a descent.

        view(u) = x(c + R(α) (u − c) / s + shift),  α uniform in ±rotation,
        ln s uniform in ± ln scale,  the shift whole pixels, uniform in ±jitter

    with c the middle of the image; by bilinear interpolation, the border repeated outward. The
    view is a function of seed and step alone and the same for all images of a step, so an image
    ends in a batch where it ends alone.

    Args:
        jitter: largest shift, up or down and left or right, in pixels.
        scale: largest factor by which images are enlarged or made smaller, at least 1.
        rotation: largest angle in degrees, at most 180.
        seed: of all that is drawn.

    Raises:
        InputError: an argument out of range.

    Example:
        >>> RandomViews(jitter=2, scale=1.1, rotation=10)(images, step=7).shape
        TensorShape([64, 28, 28, 1])

    Reference:
        Olah, Mordvintsev and Schubert, "Feature Visualization" (Distill 2017), "Transformation
        robustness".
    """

    jitter: int = 1
    scale: float = 1.1
    rotation: float = 10.0
    seed: int = 0

    def __post_init__(self):
        if not isinstance(self.jitter, numbers.Integral) or self.jitter < 0:
            raise InputError(f"expected a jitter of 0 pixels or more, received {self.jitter!r}")
        for name, low, high, usual in (
            ("scale", 1, 4, "1 for none, 1.1 is usual"),
            ("rotation", 0, 180, "0 for none, 10 degrees are usual"),
        ):
            value = getattr(self, name)
            if not isinstance(value, float | int) or not low <= value <= high:
                raise InputError(
                    f"expected a {name} from {low} to {high}, received {value!r}; {usual}"
                )

    def angle_and_scale(self, step: int | tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """α in radians and s of a step."""
        key = tf.stack([tf.constant(self.seed, tf.int64), tf.cast(step, tf.int64)])
        # fold_in: draws of their own, beside those of the shift, which has the plain key
        key = tf.random.fold_in(key, 1, alg="philox")
        turn, zoom = tf.unstack(tf.random.stateless_uniform((2,), key, -1.0, 1.0, alg="philox"))
        return turn * math.radians(self.rotation), tf.exp(zoom * math.log(self.scale))

    def displacement(self, step: int | tf.Tensor, height: int, width: int) -> tf.Tensor:
        """How far each pixel of a view is from its source, `(height, width, 2)`, (down, right)."""
        angle, scale = self.angle_and_scale(step)
        y = tf.range(height, dtype=tf.float32)[:, None] - (height - 1) / 2
        x = tf.range(width, dtype=tf.float32)[None, :] - (width - 1) / 2
        sine, cosine = tf.sin(angle) / scale, tf.cos(angle) / scale
        down, right = cosine * y - sine * x - y, sine * y + cosine * x - x
        shift = tf.cast(Jitter(self.jitter, self.seed).shift(step), tf.float32)
        return tf.stack([down, right], axis=-1) + shift

    def __call__(self, images: tf.Tensor, step: int | tf.Tensor) -> tf.Tensor:
        """The images `(m, h, w, c)` of a step."""
        m, (height, width) = tf.shape(images)[0], images.shape[1:3]
        field = self.displacement(step, height, width)
        return sample_bilinear(images, tf.broadcast_to(field, [m, height, width, 2]))
