"""What latents do to images: one dimension at a time, and directions found by arithmetic."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_filtergan.data import randomness
from keras_filtergan.instruments.latents.properties import PROPERTIES
from keras_filtergan.instruments.latents.result import Arithmetic
from keras_filtergan.inversion.anatomy import locality, shares
from keras_filtergan.inversion.walks import Pictures

EXTREMES = 0.1  # share of the latents that count as having most, or least, of a property
CHUNK = 512  # images at once

# images (m, h, w, c), latents (m, d) → images: what the step from 0 to each latent does
Move = Callable[[np.ndarray, np.ndarray], np.ndarray]


def dimension_effects(
    move: Move, images: np.ndarray, latent_dim: int, reach: float = 2.0
) -> list[dict[str, Any]]:
    """What each latent dimension does, on its own, to images.

    Args:
        move: what the step from latent 0 to a latent does.
        images: `(n, h, w, c)` in [0, 1].
        latent_dim: d.
        reach: how far to go both ways, in standard deviations.

    Returns:
        Of each dimension: `pixel_distance` ‖x' − x‖ / ‖x‖; `pixels`, the effective share of pixels
        that changes; `shares` of familiar transformations in the change (`anatomy.shares`); and for
        each of `PROPERTIES` the half difference of its means at +reach and −reach.
    """
    steps = np.array([-reach, reach])
    found = []
    for dim in range(latent_dim):
        latents = np.zeros([2, latent_dim], "float32")
        latents[:, dim] = steps
        ends = moved(move, images, latents)  # (2, n, h, w, c)
        pictures = Pictures(np.moveaxis(ends, 0, 1)[:, None], latents[None], images)
        low, high = ([measure(end).mean() for measure in PROPERTIES.values()] for end in ends)
        effects = (np.array(high) - np.array(low)) / 2
        found.append(
            {
                "pixel_distance": pictures.pixel_distance,
                "pixels": locality(pictures),
                "shares": shares(pictures),
                **dict(zip(PROPERTIES, effects.tolist(), strict=True)),
            }
        )
    return found


def arithmetic(
    move: Move, images: np.ndarray, latent_dim: int, count: int = 200, seed: int = 0
) -> dict[str, Arithmetic]:
    """Does a direction that averaged latents give change other images under other latents?

    Of `count` latents, those under which half of the images have most of a property are averaged,
    and those under which they have least; the difference v is added to as many *other* latents z,
    and the property of the *other* images is taken before and after.

    Args:
        move: what the step from latent 0 to a latent does.
        images: `(n, h, w, c)` in [0, 1], at least 2.
        latent_dim: d.
        count: latents to average from, and latents to try on.
        seed: of all latents.

    Returns:
        Of each of `PROPERTIES`, what v does; the effect of `count` random directions is what it has
        to exceed.

    Reference:
        Radford, Metz, Chintala (ICLR 2016), section 6.3.2, "vector arithmetic".
    """
    draw = randomness.stream(seed, randomness.PATHS).standard_normal
    known, others, noise = (draw((count, latent_dim)).astype("float32") for _ in range(3))
    half = len(images) // 2
    before = moved(move, images[:half], known)
    plain = moved(move, images[half:], others)
    found = {}
    for name, measure in PROPERTIES.items():
        order = np.argsort([measure(one).mean() for one in before])
        few = max(1, round(EXTREMES * count))
        v = known[order[-few:]].mean(axis=0) - known[order[:few]].mean(axis=0)
        length = float(np.linalg.norm(v))
        random = length * noise / np.linalg.norm(noise, axis=1, keepdims=True)
        at = np.array([measure(one).mean() for one in plain])

        def change(direction: np.ndarray, measure=measure, at=at) -> np.ndarray:
            after = moved(move, images[half:], others + direction)
            return np.array([measure(one).mean() for one in after]) - at

        unit, with_v = max(at.std(), 1e-12), change(v)
        found[name] = Arithmetic(
            length=length,
            effect=float(with_v.mean() / unit),
            agreement=float(np.mean(with_v > 0)),
            random_effect=float(np.abs(change(random)).mean() / unit),
        )
    return found


def moved(move: Move, images: np.ndarray, latents: np.ndarray) -> np.ndarray:
    """Every image under every latent, `(latents, n, h, w, c)`."""
    n, k = len(images), len(latents)
    pairs = np.arange(n * k)
    parts = [
        move(images[part % n], latents[part // n])
        for part in np.array_split(pairs, max(1, len(pairs) // CHUNK))
    ]
    return np.concatenate(parts).reshape(k, *images.shape)
