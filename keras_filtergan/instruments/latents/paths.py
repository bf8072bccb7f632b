"""Ways through latent space from one point to the next."""

import itertools

import numpy as np

from keras_filtergan.errors import InputError


def straight(points: np.ndarray, frames: int = 20) -> np.ndarray:
    """Straight lines through several latents.

    Args:
        points: `(k, d)`, at least 2.
        frames: latents from each point to the next, the second one not counted, at least 1.

    Returns:
        `((k − 1) · frames + 1, d)`, the points themselves among them.

    Raises:
        InputError: fewer than two points or frames, or points that are not finite.

    Example:
        >>> straight([[0.0, 0.0], [1.0, 2.0]], frames=2)
        array([[0. , 0. ], [0.5, 1. ], [1. , 2. ]], dtype=float32)
    """
    points = _checked(points, frames)
    part = np.linspace(0, 1, frames + 1)[:-1, None]
    ways = [a + part * (b - a) for a, b in itertools.pairwise(points)]
    return np.concatenate([*ways, points[-1:]]).astype("float32")


def spherical(points: np.ndarray, frames: int = 20) -> np.ndarray:
    """Arcs through several latents: the direction turns evenly, the norm changes evenly.

    A straight line between two draws of N(0, 1)^d cuts through the middle, where hardly any draw
    ever is; an arc stays as far out as they are.

    Args:
        points: `(k, d)`, at least 2, none of them 0.
        frames: latents from each point to the next, the second one not counted, at least 1.

    Returns:
        `((k − 1) · frames + 1, d)`, the points themselves among them.

    Raises:
        InputError: fewer than two points or frames, points that are not finite, a point at 0, or
            two that are opposite: there are as many arcs between them as directions.

    Example:
        >>> spherical([[1.0, 0.0], [0.0, 1.0]], frames=2)[1]
        array([0.70710677, 0.70710677], dtype=float32)

    Reference:
        Shoemake (SIGGRAPH 1985), "Animating rotation with quaternion curves"; for latents White
        (2016), "Sampling generative networks".
    """
    points = _checked(points, frames)
    norms = np.linalg.norm(points, axis=1)
    if not np.all(norms > 0):
        raise InputError("expected latents other than 0, received one: 0 has no direction")
    units = points / norms[:, None]
    part = np.linspace(0, 1, frames + 1)[:-1, None]
    ways = []
    for i in range(len(points) - 1):
        angle = _angle(units[i], units[i + 1])
        if np.pi - angle < 1e-3:
            raise InputError(
                f"expected latents that are not opposite, {i} and {i + 1} are: no arc between them "
                "is the shortest; put a third one between"
            )
        share = np.sinc(np.concatenate([1 - part, part], axis=1) * angle / np.pi)
        share *= np.concatenate([1 - part, part], axis=1) / np.sinc(angle / np.pi)
        norm = (1 - part) * norms[i] + part * norms[i + 1]
        ways.append(norm * (share @ units[i : i + 2]))
    return np.concatenate([*ways, points[-1:]]).astype("float32")


def _angle(a: np.ndarray, b: np.ndarray) -> float:
    """Between unit vectors, exact for small and for large angles."""
    return 2 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))


def _checked(points: np.ndarray, frames: int) -> np.ndarray:
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or len(points) < 2 or not np.all(np.isfinite(points)):
        raise InputError(f"expected at least two finite latents (k, d), received {points.shape}")
    if frames < 1:
        raise InputError(f"expected at least 1 frame a way, received {frames}")
    return points
