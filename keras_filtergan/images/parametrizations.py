"""Coordinates for an image that is being optimised.

An optimiser moves along coordinates, and which ones decides what it finds: free pixels move
one by one and find adversarial noise; Fourier coefficients move all pixels at once and find
smooth pictures; a displacement field can only bend the picture that is there.
"""

import dataclasses
import math
import numbers
from typing import ClassVar

import numpy as np
import tensorflow as tf

from keras_filtergan.displacement import sample_bilinear, spline_field
from keras_filtergan.errors import InputError

Parameters = tuple[tf.Tensor, ...]

# Axes along which the colours of natural images are nearly uncorrelated (Ohta, Kanade and Sakai
# 1980): brightness, red against blue, green against both; and roughly how much they vary.
COLOUR_AXES = np.array([[1, 1, 1], [1, 0, -1], [-1, 2, -1]]) / np.sqrt([[3], [2], [6]])
COLOUR_SPREAD = np.array([1.0, 0.3, 0.15])


@dataclasses.dataclass(frozen=True)
class Parametrization:
    """Coordinates of images: `init` gives the parameters of given images, `decode` the way back.

    A parametrisation is a value without state: what an image needs beside its free parameters
    (the picture that is bent, say) is the last of its parameters, and `decode` gives it no
    gradient. The units are chosen such that a step of size η in every parameter changes a pixel
    by about η, so that one learning rate fits all.

    A descent that has changed the parameters calls `project` before it decodes them again.
    """

    name: ClassVar[str]

    def init(self, images: tf.Tensor) -> Parameters:
        """Parameters, each `(m, ...)`, that decode to exactly these images `(m, h, w, c)`."""
        raise NotImplementedError

    def decode(self, parameters: Parameters) -> tf.Tensor:
        """Images `(m, h, w, c)` in [0, 1]; differentiable in the parameters."""
        raise NotImplementedError

    def project(self, parameters: Parameters) -> Parameters:
        """The nearest parameters that are allowed; the same ones by default."""
        return parameters

    def get_config(self) -> dict[str, float]:
        """Constructor arguments."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Pixels(Parametrization):
    """Every pixel is free.

    Values are clipped to [0, 1] after every step (projected gradient descent). A sigmoid would
    keep them inside too, but a background of exactly 0 would lie at minus infinity, where the
    gradient is 0: it could never change.

    Example:
        >>> Pixels().decode(Pixels().init(tf.zeros([5, 28, 28, 1]))).shape
        TensorShape([5, 28, 28, 1])
    """

    name: ClassVar[str] = "pixels"

    def init(self, images: tf.Tensor) -> Parameters:
        """The images themselves, `((m, h, w, c),)`."""
        return (_as_images(images),)

    def decode(self, parameters: Parameters) -> tf.Tensor:
        """Images `(m, h, w, c)` in [0, 1]."""
        return clip_inward(parameters[0])

    def project(self, parameters: Parameters) -> Parameters:
        """Pixels clipped to [0, 1]."""
        return (tf.clip_by_value(parameters[0], 0.0, 1.0),)


@dataclasses.dataclass(frozen=True)
class Fourier(Parametrization):
    """A change of the start image in a decorrelated Fourier basis.

    x = clip(start + M · F⁻¹(p / max(f, 1/side)^decay)), with f the frequency in cycles a pixel:
    amplitudes fall as in natural images, so a step of equal size in all p is a natural-looking
    change. For three channels M turns the axes brightness, red–blue and green–magenta into RGB.
    The basis is scaled such that p of unit variance is a change of unit variance.

    Args:
        decay: exponent of the fall-off: 0 leaves all frequencies alike, 1 is that of natural
            images, more is smoother.

    Raises:
        InputError: a negative or infinite decay.

    Reference:
        Olah, Mordvintsev and Schubert, "Feature Visualization" (Distill 2017), "Preconditioning
        and Parameterization".
    """

    decay: float = 1.0
    name: ClassVar[str] = "fourier"

    def __post_init__(self):
        if not (isinstance(self.decay, numbers.Real) and 0 <= self.decay < math.inf):
            raise InputError(f"expected a finite decay ≥ 0, received decay={self.decay!r}")

    def init(self, images: tf.Tensor) -> Parameters:
        """No change, `(m, c, h, w // 2 + 1, 2)` zeros, and the start images."""
        images = _as_images(images)
        h, w, c = images.shape[1:]
        return tf.zeros([tf.shape(images)[0], c, h, w // 2 + 1, 2]), images

    def decode(self, parameters: Parameters) -> tf.Tensor:
        """Images `(m, h, w, c)` in [0, 1]."""
        coefficients, start = parameters
        h, w, c = start.shape[1:]
        scaled = coefficients * _spectrum(h, w, self.decay)[..., None]
        change = tf.signal.irfft2d(tf.complex(scaled[..., 0], scaled[..., 1]), [h, w])
        change = tf.transpose(change, [0, 2, 3, 1])  # (m, h, w, c)
        if c == 3:
            change = tf.tensordot(change, _colours(), 1)
        return clip_inward(tf.stop_gradient(start) + change)


@dataclasses.dataclass(frozen=True)
class Deformation(Parametrization):
    """The start image, bent, and with another contrast and brightness: x(u + τ(u)) · gain + offset.

    The displacement τ is a cubic B-spline on a coarse lattice that spans the image, so it is
    smooth and its gradient reaches all pixels around a lattice point; the picture is sampled
    bilinearly, its border repeated outward. Gain and offset are one number a channel. Parameters
    of 0 are the identity. What comes out *is* a transformation of x, not a new picture.

    Args:
        grid: lattice points a side, at least 2. 2 is nearly affine; as many as pixels is nearly
            free.

    Raises:
        InputError: a grid that is not a whole number of at least 2.

    Example:
        >>> Deformation(grid=7).init(tf.zeros([5, 28, 28, 1]))[0].shape
        TensorShape([5, 7, 7, 2])
    """

    grid: int = 7
    name: ClassVar[str] = "deformation"

    # A pixel at an edge of slope s changes by s times the displacement. With the slope of 5 a
    # side that outlines of objects have (0.2 a pixel at 28×28), parameters and pixels move alike.
    UNIT: ClassVar[float] = 0.2

    def __post_init__(self):
        if not isinstance(self.grid, numbers.Integral) or self.grid < 2:
            raise InputError(f"expected a whole number ≥ 2 as grid, received grid={self.grid!r}")

    def init(self, images: tf.Tensor) -> Parameters:
        """Zeros: lattice `(m, grid, grid, 2)`, gain, offset `(m, 1, 1, c)`; the start images."""
        images = _as_images(images)
        m, c = tf.shape(images)[0], images.shape[-1]
        lattice = tf.zeros([m, self.grid, self.grid, 2])
        return lattice, tf.zeros([m, 1, 1, c]), tf.zeros([m, 1, 1, c]), images

    def decode(self, parameters: Parameters) -> tf.Tensor:
        """Images `(m, h, w, c)` in [0, 1]."""
        _, gain, offset, start = parameters
        bent = sample_bilinear(tf.stop_gradient(start), self.displacement(parameters))
        return clip_inward(bent * (1.0 + gain) + offset)

    def displacement(self, parameters: Parameters) -> tf.Tensor:
        """The field τ in pixels, `(m, h, w, 2)`, (down, right) from each pixel to its source."""
        lattice, start = parameters[0], parameters[-1]
        h, w = start.shape[1:3]
        return self.UNIT * max(h, w) * spline_field(lattice, h, w)


@tf.custom_gradient
def clip_inward(values: tf.Tensor):
    """Clip to [0, 1], with a gradient that a value at or past the border still feels.

    Only the part of a descent step that leads further out is stopped; what leads back in passes.
    The gradient of an ordinary clip is 0 outside, and a value that once left never returns.
    """

    def gradient(upstream):
        outward = ((values < 0) & (upstream > 0)) | ((values > 1) & (upstream < 0))
        return tf.where(outward, tf.zeros_like(upstream), upstream)

    return tf.clip_by_value(values, 0.0, 1.0), gradient


def _as_images(images: tf.Tensor) -> tf.Tensor:
    images = tf.convert_to_tensor(images, tf.float32)
    if images.shape.rank != 4:
        raise InputError(f"expected images (m, h, w, c), received shape {tuple(images.shape)}")
    return images


def _spectrum(h: int, w: int, decay: float) -> tf.Tensor:
    """Amplitudes `(h, w // 2 + 1)` of the basis, for pixels of unit variance."""
    frequency = np.hypot(np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None, :])
    amplitude = 1.0 / np.maximum(frequency, 1.0 / max(h, w)) ** decay
    # all columns but the first (and the last of an even width) stand for two frequencies, ±f
    both = np.full(w // 2 + 1, 2.0)
    both[0] = 1.0
    if w % 2 == 0:
        both[-1] = 1.0
    deviation = np.sqrt(np.sum((both * amplitude) ** 2)) / (h * w)
    return tf.constant(amplitude / deviation, tf.float32)


def _colours() -> tf.Tensor:
    """`(3, 3)`: decorrelated axes → RGB, of unit variance on average over the channels."""
    spread = COLOUR_SPREAD * np.sqrt(3.0 / np.sum(COLOUR_SPREAD**2))
    return tf.constant(spread[:, None] * COLOUR_AXES, tf.float32)
