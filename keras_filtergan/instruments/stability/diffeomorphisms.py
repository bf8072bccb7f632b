"""Random smooth deformations of images, as rough as a temperature makes them."""

import math
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from keras_filtergan.data import randomness
from keras_filtergan.displacement import sample_bilinear
from keras_filtergan.errors import InputError


def temperature_range(side: int, cut: int) -> tuple[float, float]:
    """Temperatures at which a deformation moves pixels and is still a diffeomorphism.

        T_min = 1 / (π n² ln c): half a pixel on average,  T_max = 4 / (π³ c² ln c): no fold-overs

    Args:
        side: n, of the image in pixels.
        cut: c, the highest frequency in half-waves a side.

    Returns:
        (T_min, T_max).

    Raises:
        InputError: a cut below 2, whose logarithm is 0, or one so high for this size that the range
            is empty.

    Example:
        >>> temperature_range(28, cut=3)
        (0.00036..., 0.0130...)

    Reference:
        Petrini, Favero, Geiger, Wyart (NeurIPS 2021), "Relative stability toward diffeomorphisms
        indicates performance in deep nets", section 2.
    """
    if cut < 2:
        raise InputError(f"expected a cut of at least 2, received {cut}: ln {cut} is not above 0")
    low = 1.0 / (math.pi * side**2 * math.log(cut))
    high = 4.0 / (math.pi**3 * cut**2 * math.log(cut))
    if low >= high:
        raise InputError(
            f"expected a cut below {2 * side / math.pi:.0f} for images of {side} pixels, "
            f"received {cut}: whatever moves a pixel would fold the image over"
        )
    return low, high


@dataclass(frozen=True)
class Diffeomorphisms:
    """Deformations τ of maximal entropy at a given roughness, one an image.

        τ_u(u, v) = Σ C_ij sin(iπu) sin(jπv) over i² + j² ≤ c²,  C_ij ~ N(0, T / (i² + j²))

    and τ_v alike, u and v from 0 to 1 over the image. The border stays where it is.

    Args:
        cut: c, the highest frequency in half-waves a side, at least 2.
        temperature: T; see `temperature_range`.
        seed: of the coefficients.

    Raises:
        InputError: on use, if the temperature is not in the range for the size of the images.

    Example:
        >>> deform = Diffeomorphisms(cut=3, temperature=0.002)
        >>> deform(images).shape
        TensorShape([64, 28, 28, 1])

    Reference:
        Petrini, Favero, Geiger, Wyart (NeurIPS 2021), eq. 1 and appendix A.
    """

    cut: int
    temperature: float
    seed: int = 0

    def displacement(self, first: int, count: int, height: int, width: int) -> tf.Tensor:
        """τ in pixels, (down, right), of images `first` to `first + count - 1`.

        Args:
            first: number of the first image; each number has a field of its own, in any batch.
            count: how many.
            height, width: of the images, in pixels.

        Returns:
            `(count, height, width, 2)`.
        """
        low, high = temperature_range(min(height, width), self.cut)
        if not low <= self.temperature <= high:
            raise InputError(
                f"expected a temperature of {low:.2g} to {high:.2g} for {height}×{width} pixels "
                f"and cut {self.cut}, received {self.temperature:.2g}"
            )
        numbers = range(first, first + count)
        draws = [randomness.stream(self.seed, randomness.DEFORMATION, number) for number in numbers]
        draws = np.stack([draw.standard_normal((2, self.cut, self.cut)) for draw in draws])
        coefficients = tf.constant(draws * deviations(self.cut, self.temperature), tf.float32)
        return sine_field(coefficients, height, width)

    def __call__(self, images: tf.Tensor, first: int = 0) -> tf.Tensor:
        """x(u + τ(u)) by bilinear interpolation: images `(m, h, w, c)`, each along its own τ."""
        count, height, width = images.shape[:3]
        return sample_bilinear(images, self.displacement(first, count, height, width))


def deviations(cut: int, temperature: float) -> np.ndarray:
    """Standard deviation of C_ij, `(cut, cut)`: 0 where i² + j² > c²."""
    order = np.arange(1, cut + 1)
    square = order[:, None] ** 2 + order**2
    return np.where(square <= cut**2, np.sqrt(temperature / square), 0.0)


def sine_field(coefficients: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Displacement fields from their sine coefficients: 0 at the border, smooth inside.

    Args:
        coefficients: C_ij of the displacement down and to the right, in sides of the image,
            `(m, 2, cut, cut)`.
        height: of the images, in pixels.
        width: of the images, in pixels.

    Returns:
        τ in pixels, `(m, height, width, 2)`, linear in the coefficients.
    """
    waves = (_waves(pixels, coefficients.shape[-1]) for pixels in (height, width))
    fields = tf.einsum("nkij,hi,wj->nhwk", coefficients, *waves)
    return fields * tf.constant([height, width], tf.float32)


def _waves(pixels: int, cut: int) -> tf.Tensor:
    """sin(iπu) at the pixels' places, `(pixels, cut)`."""
    place = np.linspace(0.0, 1.0, pixels)
    return tf.constant(np.sin(np.pi * np.outer(place, np.arange(1, cut + 1))), tf.float32)


def folded_share(displacement: np.ndarray) -> float:
    """Share of the places at which u + τ(u) turns the image over: det(1 + ∂τ) ≤ 0.

    Args:
        displacement: `(m, h, w, 2)` in pixels.

    Example:
        >>> folded_share(np.zeros((1, 8, 8, 2)))
        0.0
    """
    by_row = np.diff(displacement, axis=1)[:, :, :-1]
    by_column = np.diff(displacement, axis=2)[:, :-1]
    stretch = (1 + by_row[..., 0]) * (1 + by_column[..., 1])
    return float(np.mean(stretch - by_row[..., 1] * by_column[..., 0] <= 0))
