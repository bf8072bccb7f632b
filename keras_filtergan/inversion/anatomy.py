"""What a walk is made of: how straight it is, how local, and which familiar changes it contains."""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from keras_filtergan.displacement import sample_bilinear
from keras_filtergan.files import plain
from keras_filtergan.inversion.walks import Pictures, Walk

NEGLIGIBLE = 1e-4  # relative: one grey level in one pixel is more; less is rounding


def anatomy(walk: Walk) -> dict[str, Any]:
    """All measures of this file for one walk.

    Args:
        walk: of n images.

    Returns:
        `explained_fraction` and `pixel_distance` of the walk, `nonlinearity`, `common`, `bend`,
        `even_share`, `locality`, `shares` (a dict, see `shares`) and `by_reach`: for the inner
        3 × 3 cells, the inner 5 × 5 and so on their largest `offset` along the first latent
        direction,
        `pixel_distance` and `nonlinearity`. Ready for JSON: `None` for a number that is not
        defined, as when no image changed.

    Example:
        >>> [part["offset"] for part in anatomy(walk)["by_reach"]]
        [1.0, 2.0, 3.0]
    """
    middle = walk.images.shape[1] // 2
    parts = [walk.inner(reach) for reach in range(1, middle + 1)]
    return {
        "explained_fraction": plain(walk.explained_fraction),
        "pixel_distance": plain(walk.pixel_distance),
        "nonlinearity": plain(nonlinearity(walk)),
        "common": plain(common(walk)),
        "bend": plain(bend(walk)),
        "even_share": plain(even_share(walk)),
        "locality": plain(locality(walk)),
        "shares": plain(shares(walk)),
        "by_reach": [
            {
                "offset": float(np.linalg.norm(part.latents[-1, i] - part.latents[i, i])),
                "pixel_distance": plain(part.pixel_distance),
                "nonlinearity": plain(nonlinearity(part)),
            }
            for i, part in enumerate(parts, 1)
        ],
    }


def nonlinearity(walk: Walk) -> float:
    """Share of the change of pixels that no straight walk through x makes.

    1 − the share that x_k − x ≈ s_i u + s_j v explains, s the latent offsets and u, v the two
    images, for each x its own, that fit best in the sense of least squares. There is no intercept:
    a walk goes through x at its middle. Squares are summed over cells, pixels and images before the
    division, so images that change more count more.

    A walk bends more the further it goes: compare two walks where they get equally far from x,
    with `Walk.inner` or `anatomy(walk)["by_reach"]`. Pixels that stop at black or white bend it
    too. A walk that leaves x with a leap has no straight line through x, however straight it is
    from there: `common` and `bend` tell the two apart.

    Returns:
        0 if every walk is straight, 1 if none has a straight part. Pictures that know nothing of
        each other have 1 − 2 / (grid² − 1) on average. NaN if nothing changes.

    Reference:
        Kilcher, Bécigneul, Hofmann (2017), section 3: layer 4 "highly non-linear", layer 2 not.
    """
    changes = _changes(walk)
    left = changes - _straight(walk) @ changes
    return _ratio(np.square(left).sum(), np.square(changes).sum())


def common(walk: Walk) -> float:
    """Share of the change of pixels that is the same in all cells but the middle.

    Of each image the mean of x_k − x over these cells, squared, against the mean square. Where it
    is large at every reach, the walk leaves x with a leap: x and its kernels are apart from those
    of every other latent. A bend that is alike to both sides has such a part as well, but one that
    grows with the reach.

    Returns:
        From 0, as of a straight walk, to 1: one picture everywhere. Of the change, 1 −
        `nonlinearity` is straight, `common` the same everywhere, and the rest neither, provided
        that the middle cell is x itself. NaN if nothing changes.
    """
    changes = np.delete(_changes(walk), _middle_cell(walk), axis=1)
    same = changes.mean(axis=1)
    return _ratio(changes.shape[1] * np.square(same).sum(), np.square(changes).sum())


def bend(walk: Walk) -> float:
    """Share of the change beside the common one that no straight walk makes.

    As `nonlinearity`, of the walk without its middle cell and about its own mean instead of x.

    Returns:
        0 if the walk is straight once it has left x, 1 if it has no straight part. Pictures that
        know nothing of each other have 1 − 2 / (grid² − 2) on average. NaN if all are the same.
    """
    middle = _middle_cell(walk)
    changes = np.delete(_changes(walk), middle, axis=1)
    straight = np.delete(np.delete(_straight(walk), middle, axis=0), middle, axis=1)
    changes = changes - changes.mean(axis=1, keepdims=True)
    left = changes - straight @ changes
    return _ratio(np.square(left).sum(), np.square(changes).sum())


def even_share(walk: Walk) -> float:
    """Share of the change of pixels that is the same on opposite sides of the middle.

    With c(s) = x(s) − x, the change at the latent offset s: Σ‖c(s) + c(−s)‖² / 2 Σ(‖c(s)‖² +
    ‖c(−s)‖²), over the cells.

    Returns:
        0 where the two sides are opposite changes, 1 where they are one change, 0.5 where they
        have nothing to do with each other. NaN if nothing changes.
    """
    changes = _changes(walk)  # (n, cells, hwc), opposite cells at k and −1 − k
    even = (changes + changes[:, ::-1]) / 2
    return _ratio(np.square(even).sum(), np.square(changes).sum())


def locality(pictures: Pictures) -> float:
    """The effective share of the pixels that carries the change: small is local.

    The participation ratio (Σ e)² / (N Σ e²) of each cell, e the squared change of each of its N
    pixels, all channels together: k pixels changed by equal amounts, the others not at all, have
    k / N. The mean over cells weighs each with its Σ e. So it tells how local an average unit of
    change is, as the other measures do; and cells that hardly change, whose ratio is that of
    rounding, do not count.

    Returns:
        Above 0 (one pixel: 1 / N) to 1 (all alike). NaN if nothing changes.

    Reference:
        Bell and Dean (1970), "Atomic vibrations in vitreous silica", for the ratio.
    """
    change = pictures.images.astype(np.float64) - pictures.start[:, None, None]
    energy = np.square(change).sum(axis=-1)  # (n, grid, grid, h, w)
    energy = energy.reshape(-1, energy.shape[-2] * energy.shape[-1])  # (n · cells, N)
    total, squares = energy.sum(axis=1), np.square(energy).sum(axis=1)
    changed = squares > 0
    ratios = total[changed] ** 2 / (energy.shape[1] * squares[changed])
    return _ratio(np.sum(total[changed] * ratios), total[changed].sum())


def shares(pictures: Pictures) -> dict[str, float]:
    """How much of the change of pixels each familiar transformation of x can account for.

    The change x_k − x of each cell is projected on the `tangents` at x of one transformation: the
    share is 1 − Σ‖residual‖² / Σ‖change‖², over all cells and images. `all` projects on all
    tangents together. Tangents overlap (wider strokes are also brighter), so the single shares may
    sum to more than `all`, which is at least the largest of them. Of a transformation that goes
    far a share tells too little: its tangent fits as long as it is small, a shift for about half
    the width of a stroke.

    Returns:
        One number from 0 to 1 for each name of `tangents`, and `all`. NaN if nothing changes.

    Reference:
        Simard, LeCun, Denker, Victorri, "Transformation invariance in pattern recognition – tangent
        distance and tangent propagation" (1998).
    """
    families = tangents(pictures.start)
    families["all"] = np.concatenate(list(families.values()), axis=1)
    changes = _changes(pictures)  # (n, cells, hwc)
    total = np.square(changes).sum()
    found = {}
    for name, family in families.items():
        basis = _orthonormal(family.reshape(*family.shape[:2], -1))  # (n, k, hwc)
        found[name] = _ratio(np.square(changes @ np.swapaxes(basis, 1, 2)).sum(), total)
    return found


def tangents(images: np.ndarray) -> dict[str, np.ndarray]:
    """The directions in which small transformations move images.

    `brightness` is the image itself: a gain, which leaves the black background of digits black.
    `stroke_width` is dilation minus erosion, the largest minus the smallest of 3 × 3 pixels.
    `translation` has two tangents, down and right. `rotation` and `scale` are about the middle of
    the image; `shear` slants it as handwriting slants, each row shifted by its height above the
    middle. Colour channels move together.

    Args:
        images: `(n, h, w, c)`.

    Returns:
        For each name `(n, k, h, w, c)` with k tangents, in float64 and of any length. A tangent is
        0 where an image has none, as a flat image cannot be shifted.

    Example:
        >>> tangents(images[:10])["translation"].shape
        (10, 2, 28, 28, 1)
    """
    images = np.asarray(images, np.float32)
    h, w = images.shape[1:3]
    down, right = np.meshgrid(np.arange(h) - (h - 1) / 2, np.arange(w) - (w - 1) / 2, indexing="ij")
    still, one = np.zeros([h, w]), np.ones([h, w])
    moves = {
        "translation": [(one, still), (still, one)],
        "rotation": [(-right, down)],
        "shear": [(still, down)],
        "scale": [(down, right)],
    }
    found = {
        "brightness": images[:, None].astype(np.float64),
        "stroke_width": _morphological_gradient(images)[:, None],
    }
    for name, fields in moves.items():
        slopes = [_slope_along(images, np.stack(field, axis=-1)) for field in fields]
        found[name] = np.stack(slopes, axis=1)
    return found


def _changes(pictures: Pictures) -> np.ndarray:
    """x_k − x, `(n, cells, h · w · c)`."""
    changes = pictures.images.astype(np.float64) - pictures.start[:, None, None]
    return changes.reshape(len(changes), -1, pictures.start[0].size)


def _middle_cell(walk: Walk) -> int:
    return walk.latents.shape[0] * walk.latents.shape[1] // 2


def _straight(walk: Walk) -> np.ndarray:
    """Projects the cells' pictures on straight walks through 0 at the middle, `(cells, cells)`."""
    offsets = walk.latents.reshape(-1, walk.latents.shape[-1]).astype(np.float64)
    offsets = offsets - offsets[_middle_cell(walk)]  # (cells, d), rank 2
    return offsets @ np.linalg.pinv(offsets, rcond=NEGLIGIBLE)


def _slope_along(images: np.ndarray, field: np.ndarray) -> np.ndarray:
    """Central difference of images moved along a field `(h, w, 2)`, by half a pixel at most."""
    step = 0.5 / max(np.abs(field).max(), 0.5)
    moved = np.broadcast_to((step * field).astype(np.float32), (len(images), *field.shape))
    ahead, behind = (sample_bilinear(images, tf.constant(sign * moved)) for sign in (1, -1))
    slope = np.asarray(ahead - behind, np.float64)
    length, size = (np.linalg.norm(a.reshape(len(a), -1), axis=1) for a in (slope, images))
    return np.where((length > NEGLIGIBLE * size)[:, None, None, None], slope, 0.0)


def _morphological_gradient(images: np.ndarray) -> np.ndarray:
    """Largest minus smallest of the 3 × 3 pixels around each, those beyond the border left out."""
    padded = np.pad(images.astype(np.float64), ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return around.max(axis=(-2, -1)) - around.min(axis=(-2, -1))


def _orthonormal(family: np.ndarray) -> np.ndarray:
    """An orthonormal basis `(n, k, pixels)` of the span of each image's k tangents; 0 pads it.

    Tangents come in any length: they are brought to one before directions are told from rounding.
    """
    length = np.linalg.norm(family, axis=-1, keepdims=True)
    unit = np.divide(family, length, out=np.zeros_like(family), where=length > 0)
    _, strength, basis = np.linalg.svd(unit, full_matrices=False)
    return basis * (strength > NEGLIGIBLE)[..., None]


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else math.nan
