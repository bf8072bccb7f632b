"""Properties of drawings that a latent may change: brightness, width of strokes, slant."""

from collections.abc import Callable

import numpy as np


def brightness(images: np.ndarray) -> np.ndarray:
    """Mean of all values, `(m,)`.

    Args:
        images: `(m, h, w, c)` in [0, 1].
    """
    return np.asarray(np.mean(images, axis=(1, 2, 3), dtype=np.float64))


def stroke_width(images: np.ndarray) -> np.ndarray:
    """Twice the ink over the length of its outline, in pixels, `(m,)`.

    A long bar of width w has an outline of twice its length, so its strokes are w wide. The ink is
    Σ x and its outline Σ |∇x|, so a change of contrast changes neither's ratio. Blur does not, if
    strokes are far apart; it does where it fills a gap.

    Args:
        images: `(m, h, w, c)` in [0, 1], bright on dark; channels count as their mean.

    Returns:
        0 for an image without any edge.
    """
    ink_map = np.asarray(np.mean(images, axis=-1, dtype=np.float64))
    grey = np.pad(ink_map, ((0, 0), (1, 1), (1, 1)))
    down, right = np.diff(grey, axis=1)[:, :, :-1], np.diff(grey, axis=2)[:, :-1]
    outline = np.hypot(down, right).sum(axis=(1, 2))
    ink = grey.sum(axis=(1, 2))
    return np.divide(2 * ink, outline, out=np.zeros_like(ink), where=outline > 1e-9)


def slant(images: np.ndarray) -> np.ndarray:
    """How far to the right the ink goes for each pixel upwards, `(m,)`; italics are above 0.

    The slope of the regression of the ink's columns on its rows: what "deslanting" takes away.

    Args:
        images: `(m, h, w, c)` in [0, 1], bright on dark; channels count as their mean.

    Returns:
        0 for an image whose ink is in one row, or that has none.

    Reference:
        LeCun, Bottou, Bengio, Haffner (1998), section III.A, for deslanted digits.
    """
    ink = np.asarray(np.mean(images, axis=-1, dtype=np.float64))
    total = np.maximum(ink.sum(axis=(1, 2)), 1e-12)
    rows, columns = np.arange(ink.shape[1])[:, None], np.arange(ink.shape[2])[None, :]

    def mean(values: np.ndarray) -> np.ndarray:
        return (ink * values).sum(axis=(1, 2)) / total

    spread = mean(rows**2) - mean(rows) ** 2
    together = mean(rows * columns) - mean(rows) * mean(columns)
    return np.divide(-together, spread, out=np.zeros_like(spread), where=spread > 1e-9)


PROPERTIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "brightness": brightness,
    "stroke width": stroke_width,
    "slant": slant,
}
