"""What the images meet while few labels are learned: drawn kernels, changed images."""

import dataclasses
from collections.abc import Callable

import keras
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError
from keras_filtergan.gan.transformation import ImageTransformation
from keras_filtergan.generators.filter_generator import FilterGenerator

Draws = Callable[[tf.Tensor, int], tf.Tensor]
FIXED_KEY = (1, -1)
CENTRE_PARTS, CENTRE_DRAWS = 10, 50  # of the generator's mean


@dataclasses.dataclass(frozen=True)
class Condition:
    """One row of the comparison.

    Attributes:
        title: its name.
        kernels: `"real"`; or drawn for each image at each step: `"generated"`, `"centred"` (the
            generated ones, moved so that their mean is the real ones), `"noise"` (the real ones
            plus white noise), `"random"` (white noise of the norm of each channel's kernel); or
            `"fixed random"`, one such draw for all images, in training and in the test.
        strength: factor of the latents, or of the noise.
        share: of the images that get drawn kernels; the others get the real ones.
        images: factor of the ordinary augmentation of images; 0 for none.
        transformed: factor of the latents between which the image transformation that was learned
            along with the generator takes the images; 0 for none.
    """

    title: str
    kernels: str = "real"
    strength: float = 1.0
    share: float = 1.0
    images: float = 0.0
    transformed: float = 0.0


def kernel_draws(
    condition: Condition, target: FrozenTarget, generator: FilterGenerator, noise_scale: float
) -> Draws | None:
    """The source of a condition's kernels, a pure function of its key.

    Args:
        condition: names the source and its strength.
        target: the frozen network.
        generator: trained on it.
        noise_scale: standard deviation of noise of the strength 1.

    Returns:
        Key `(2,)` and m → `(m, kh, kw, cin, cout)`; `None` for the real kernels.
    """
    real, strength = target.kernel, condition.strength

    def generated(key: tf.Tensor, m: int) -> tf.Tensor:
        return generator(strength * _normal((m, generator.latent_dim), key))

    def centred(key: tf.Tensor, m: int) -> tf.Tensor:
        return generated(key, m) + offset

    def noise(key: tf.Tensor, m: int) -> tf.Tensor:
        return real + strength * noise_scale * _normal((m, *real.shape), key)

    def random(key: tf.Tensor, m: int) -> tf.Tensor:
        drawn = _normal((m, *real.shape), key)
        return drawn * (_channel_norms(real) / _channel_norms(drawn))

    def fixed_random(key: tf.Tensor, m: int) -> tf.Tensor:
        return tf.repeat(random(tf.constant(FIXED_KEY, tf.int64), 1), m, axis=0)

    sources = {
        "real": None,
        "generated": generated,
        "centred": centred,
        "noise": noise,
        "random": random,
        "fixed random": fixed_random,
    }
    if condition.kernels not in sources:
        raise InputError(f"expected kernels of {', '.join(sources)}, not {condition.kernels!r}")
    if condition.kernels == "centred":
        keys = [tf.constant((2, -1 - part), tf.int64) for part in range(CENTRE_PARTS)]
        means = [tf.reduce_mean(generated(key, CENTRE_DRAWS), axis=0) for key in keys]
        offset = real - tf.add_n(means) / CENTRE_PARTS
    return sources[condition.kernels]


class ImageAugmentation:
    """What a condition does to images, before the frozen prefix sees them.

    The ordinary part: shifts by up to 10 % of the side, rotations by up to 18°, zooms by up to
    10 %, all times the condition's strength.

    Args:
        condition: says what and how much.
        transformation: learned along with the generator.
    """

    def __init__(self, condition: Condition, transformation: ImageTransformation):
        self.condition = condition
        self.transformation = transformation
        self.layers = []
        if condition.images:
            shift, turn = 0.1 * condition.images, 0.05 * condition.images
            self.layers = [
                keras.layers.RandomTranslation(shift, shift, fill_mode="nearest"),
                keras.layers.RandomRotation(turn, fill_mode="nearest"),
                keras.layers.RandomZoom(shift, fill_mode="nearest"),
            ]

    @property
    def changes_images(self) -> bool:
        return bool(self.layers or self.condition.transformed)

    def restart(self, seed: int) -> None:
        """Draw from here on what is always drawn first with this seed."""
        for place, layer in enumerate(self.layers):
            state = layer.generator.state
            state.assign(tf.cast([len(self.layers) * seed + place + 1, 0], state.dtype))

    def __call__(self, images: tf.Tensor, key: tf.Tensor) -> tf.Tensor:
        """Images `(m, h, w, c)`, changed; `key` `(2,)` draws the latents."""
        if self.condition.transformed:
            m, d = tf.shape(images)[0], self.transformation.latent_dim
            steps = self.condition.transformed * _normal((2, m, d), key)
            images = self.transformation((images, steps[0], steps[1]))
        for layer in self.layers:
            images = layer(images, training=True)
        return images


def _normal(shape: tuple, key: tf.Tensor) -> tf.Tensor:
    return tf.random.stateless_normal(shape, key, alg="philox")


def _channel_norms(kernels: tf.Tensor) -> tf.Tensor:
    """Norm of each output channel's kernel, `(..., 1, 1, 1, cout)`."""
    return tf.sqrt(tf.reduce_sum(tf.square(kernels), axis=(-4, -3, -2), keepdims=True))
