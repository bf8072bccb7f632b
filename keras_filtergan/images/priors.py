"""Natural-image priors: what an image should cost, whatever the network thinks of it."""

import dataclasses
import math
import numbers
from typing import ClassVar

import tensorflow as tf

from keras_filtergan.errors import InputError

REACH = 1  # pixels that an edge may move before it counts as a new one
FLATNESS = 1e-6  # squared slope (0.001 a pixel) below which TV^β with β < 2 is rounded off


@dataclasses.dataclass(frozen=True)
class Prior:
    """A penalty on images: `prior(images)`, `(m, h, w, c)` in [0, 1] → `(m,)`, at least 0.

    A prior is a value: two with the same settings are equal, and `get_config` gives the settings
    back. Sums over an image are divided by its number of values `h·w·c`, so that a weight means
    the same for any size and any number of channels. An image does not change another's penalty.
    """

    name: ClassVar[str]

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Penalty `(m,)` of images `(m, h, w, c)`; differentiable, also at flat images."""
        raise NotImplementedError

    def excess(self, images: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
        """What the images cost more than reference images of the same shape, `(m,)`, at least 0."""
        return tf.maximum(self(images) - self(reference), 0.0)

    def get_config(self) -> dict[str, float]:
        """Constructor arguments."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class TotalVariation(Prior):
    """V^β and the α-norm: pictures are piecewise smooth and their values stay in a range.

    Ψ(x) = 1/(h·w·c) · [ tv_weight · Σ (dx² + dy²)^{β/2} + norm_weight · Σ |x − centre|^α ]

    with dx, dy the differences to the right and lower neighbour, 0 past the border, each channel
    by itself. For β < 2, (dx² + dy²)^{β/2} has no gradient where the image is flat; there
    it is replaced by (v + ε)^{β/2} − ε^{β/2} with ε = 10⁻⁶, which is 0 and smooth at v = 0.

    *The centre.* Mahendran and Vedaldi subtract the mean image, so their α-norm pulls towards the
    average picture and above all keeps values in range; here the parametrisation keeps them in
    [0, 1] already. Centred at 0.5 the norm would be strongest on pure black and pure white and
    lift a black background to grey. So the default centre is 0, "no ink": a background of 0 costs
    nothing and has no slope, and only bright values pay. Use `centre=0.5` for photographs.

    Args:
        beta: β > 0. 1 keeps edges and clears flat regions of faint noise, of which the paper's 2,
            quadratic, takes little notice; 2 is smooth, 1 leaves staircases.
        tv_weight: weight of V^β, at least 0.
        alpha: α ≥ 1. The paper's 6: only values far from the centre pay; 1: a haze pays as well.
        norm_weight: weight of the α-norm, at least 0.
        centre: the value that costs nothing, in [0, 1].

    Raises:
        InputError: an argument outside its range.

    Example:
        >>> TotalVariation(beta=2.0, tv_weight=1.0)(tf.zeros([5, 28, 28, 1])).shape
        TensorShape([5])

    Reference:
        Mahendran and Vedaldi (CVPR 2015), section 3.1; there β = 2 and α = 6.
    """

    beta: float = 1.0
    tv_weight: float = 0.5
    alpha: float = 6.0
    norm_weight: float = 0.02
    centre: float = 0.0
    name: ClassVar[str] = "total_variation"

    def __post_init__(self):
        _check("beta", self.beta, above=0.0)
        _check("alpha", self.alpha, least=1.0)
        _check("tv_weight", self.tv_weight, least=0.0)
        _check("norm_weight", self.norm_weight, least=0.0)
        _check("centre", self.centre, least=0.0, most=1.0)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Penalty `(m,)` of images `(m, h, w, c)`."""
        return tf.reduce_mean(self._density(images), axis=[1, 2, 3])

    def excess(self, images: tf.Tensor, reference: tf.Tensor) -> tf.Tensor:
        """What the images cost more at the places where they do, over the number of values, `(m,)`.

        Compared pixel by pixel, with the largest of the reference within `REACH` pixels: an edge
        may move so far, and become fainter, for nothing. But what it saves there buys no noise
        elsewhere, as it would if only sums were compared. What moves further has its price.
        """
        allowed = tf.nn.max_pool2d(self._density(reference), 2 * REACH + 1, 1, "SAME")
        return tf.reduce_mean(tf.nn.relu(self._density(images) - allowed), axis=[1, 2, 3])

    def _density(self, images: tf.Tensor) -> tf.Tensor:
        """The penalty of each value, `(m, h, w, c)`; their mean is that of the image."""
        below = tf.pad(images[:, 1:] - images[:, :-1], [[0, 0], [0, 1], [0, 0], [0, 0]])
        right = tf.pad(images[:, :, 1:] - images[:, :, :-1], [[0, 0], [0, 0], [0, 1], [0, 0]])
        slope = tf.square(below) + tf.square(right)
        if self.beta < 2:
            rounding = FLATNESS ** (self.beta / 2)
            slope = tf.pow(slope + FLATNESS, self.beta / 2) - rounding
        elif self.beta > 2:
            slope = tf.pow(slope, self.beta / 2)
        density = self.tv_weight * slope
        if self.norm_weight:
            density += self.norm_weight * tf.pow(tf.abs(images - self.centre), self.alpha)
        return density


@dataclasses.dataclass(frozen=True)
class MultiscaleEdge(Prior):
    """Edges at every scale: what a picture loses when it is blurred, then halved and blurred again.

    h(x) = weight/(h·w·c) · Σ_s ‖δ^s x − g∗δ^s x‖²

    with g a 5×5 Gaussian (σ = 1), δ the mean over 2×2 blocks, for every scale s at which the
    image is larger than 5 pixels; the channels are separate images. Total variation sees only
    neighbours; this also sees a haze of slow waves. Unlike in the course's code the border is
    mirrored, not padded with zeros: a flat image costs nothing, whatever its brightness.

    Args:
        weight: at least 0.

    Raises:
        InputError: a weight below 0.

    Example:
        >>> MultiscaleEdge(weight=1.0)(tf.zeros([5, 32, 32, 3])).shape
        TensorShape([5])

    Reference:
        Fleuret, deep learning course, 9.4 "Optimizing inputs".
    """

    weight: float = 1.0
    name: ClassVar[str] = "multiscale_edge"

    def __post_init__(self):
        _check("weight", self.weight, least=0.0)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Penalty `(m,)` of images `(m, h, w, c)`."""
        h, w, c = images.shape[1:]
        plane = tf.reshape(tf.transpose(images, [0, 3, 1, 2]), [-1, h, w, 1])  # (m * c, h, w, 1)
        energy = tf.zeros_like(plane[:, 0, 0, 0])  # (m * c,)
        while min(plane.shape[1:3]) > 5:
            edges = plane - _blur(plane)
            energy += tf.reduce_sum(tf.square(edges), axis=[1, 2, 3])
            # SAME: at an odd border the mean is over the pixels that there are
            plane = tf.nn.avg_pool2d(plane, 2, 2, "SAME")
        energy = tf.reduce_sum(tf.reshape(energy, [-1, c]), axis=1)
        return (self.weight / (h * w * c)) * energy


@dataclasses.dataclass(frozen=True)
class NoPrior(Prior):
    """Every image is as good as any other: 0."""

    name: ClassVar[str] = "none"

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Zeros `(m,)`."""
        return tf.zeros_like(images[:, 0, 0, 0])


def _blur(plane: tf.Tensor) -> tf.Tensor:
    """Convolve `(m, h, w, 1)` with a 5×5 Gaussian of σ = 1 and sum 1, mirroring the border."""
    taps = [math.exp(-(i**2) / 2) for i in range(-2, 3)]
    taps = tf.constant([tap / sum(taps) for tap in taps], plane.dtype)
    mirrored = tf.pad(plane, [[0, 0], [2, 2], [2, 2], [0, 0]], "SYMMETRIC")
    rows = tf.nn.conv2d(mirrored, tf.reshape(taps, [5, 1, 1, 1]), 1, "VALID")
    return tf.nn.conv2d(rows, tf.reshape(taps, [1, 5, 1, 1]), 1, "VALID")


def _check(
    name: str,
    value: float,
    above: float = -math.inf,
    least: float = -math.inf,
    most: float = math.inf,
) -> None:
    """Refuse what is not a finite number in its range."""
    if (
        isinstance(value, numbers.Real)
        and math.isfinite(value)
        and above < value
        and (least <= value <= most)
    ):
        return
    limits = [(">", above), ("≥", least), ("≤", most)]
    wanted = " and ".join(f"{sign} {limit:g}" for sign, limit in limits if math.isfinite(limit))
    raise InputError(f"expected a finite {name} {wanted}, received {name}={value!r}")


# For walks, where only the excess over the original counts: strong, and a haze pays as well. Where
# all of it counts it would rub a drawing out.
WALK_TOTAL_VARIATION = TotalVariation(tv_weight=5.0, alpha=1.0, norm_weight=4.0)
WALK_MULTISCALE_EDGE = MultiscaleEdge()
WALK_WITHOUT_PRIOR = NoPrior()
