"""Which kinds of change the dimensions of a latent are, and the basis in which they are purest.

Latents are drawn from N(0, I), which has no preferred axes: which d orthogonal directions are
called the dimensions is a convention. Training leaves it to chance, and mixes what it has found:
each dimension is a bit of a shift, a bit of a slant and a bit of stroke width. Turned to the basis
of `named_basis`, one is a shift and another is stroke width.
"""

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.inversion.anatomy import orthonormal, shares, tangents
from keras_filtergan.inversion.walks import Pictures

NAMES = {  # of the kinds of geometry, as people call them
    "translation": "shift",
    "rotation": "turn",
    "shear": "slant",
    "scale": "size",
    "stroke_width": "stroke width",
}
SIDES = {"translation": -1, "scale": -1}  # of tangents: + is then right, down and larger
NOTICEABLE = 0.3  # share of a kind from which on a dimension is of that kind
REACH, STEPS = 1.5, 7  # of a line along a dimension: standard deviations, pictures
PIXELS_AT_ONCE = 2**17  # that T moves
VALUES = 2**24  # of pictures that are held at once
STARTS = 5  # of the search for a basis
TURNS = 8_000  # of two dimensions that it tries, unless there are many dimensions
BETTER = 1e-3  # by which a later start has to be better, lest rounding chooses
ANGLES = np.linspace(-1.0, 1.0, 65)
WIDTHS = np.pi / 2 * 16.0 ** -np.arange(5)  # of the angles tried, around the best one so far

Apply = Callable[[tuple], tf.Tensor]  # images x, latents r and z → T(x; r → z)


class Changes(NamedTuple):
    """What steps of the latent do to images, as quadratic forms of the step's direction u.

    Attributes:
        whole: u' W u is the squared change of pixels, `(d, d)`.
        parts: u' P u is what of it lies on a tangent: shift down, shift right, then the other kinds
            of `NAMES`; `(6, d, d)`.
        along: u' a is the sum of the change's products with the tangent, `(6, d)`: its sign says
            in which of the two directions.
    """

    whole: np.ndarray
    parts: np.ndarray
    along: np.ndarray

    def shares(self, basis: np.ndarray) -> np.ndarray:
        """Share of each tangent in the change along each column of a basis, `(columns, 6)`."""
        whole = np.einsum("dk,de,ek->k", basis, self.whole, basis)
        return _ratios(np.einsum("dk,pde,ek->pk", basis, self.parts, basis), whole).T


def named_basis(
    transformation: keras.Model, images: np.ndarray, latent_dim: int
) -> tuple[np.ndarray, tuple[str | None, ...]]:
    """The basis in which each latent dimension is as far as possible one kind of change.

    First comes the dimension that has most of a kind, then those of kinds that are new, then those
    of kinds that have been, then what is of no kind. Towards + what is seen moves right or down,
    turns clockwise, leans to the right, grows or gets thicker.

    Args:
        transformation: T(x; r → z).
        images: x, `(n, h, w, c)` in [0, 1].
        latent_dim: d.

    Returns:
        An orthogonal matrix `(d, d)`, a direction a column; and what each is called: `shift down`,
        `shift right`, `turn`, `slant`, `size` or `stroke width`, `None` where no kind has a share
        of 0.3 in T's pictures along it (`anatomy.shares`).

    Example:
        >>> basis, kinds = named_basis(transformation, images, latent_dim=4)
        >>> len(kinds)
        4
        >>> np.allclose(basis.T @ basis, np.eye(4))
        True
    """
    apply = tf.function(transformation, autograph=False, reduce_retracing=True)
    changes = changes_of(apply, images, latent_dim)
    basis = purest_basis(changes)
    main = np.argmax(changes.shares(basis), axis=1)
    sides = np.einsum("kd,dk->k", changes.along[main], basis)
    basis = basis * np.where(sides < 0, -1.0, 1.0)
    found = [
        _kind(_line_shares(apply, images, u), part)
        for u, part in zip(basis.T, changes.shares(basis), strict=True)
    ]
    order = _order(found)
    return basis[:, order], tuple(found[k][0] for k in order)


def changes_of(apply: Apply, images: np.ndarray, latent_dim: int) -> Changes:
    """What T makes of images along each latent dimension: half the difference of both ends.

    Args:
        apply: T.
        images: x, `(n, h, w, c)` in [0, 1].
        latent_dim: d.
    """
    sums = [np.zeros([latent_dim] * 2), np.zeros([6, *[latent_dim] * 2]), np.zeros([6, latent_dim])]
    ends = REACH * np.concatenate([np.eye(latent_dim), -np.eye(latent_dim)])
    at_once = _images_at_once(images, len(ends))
    for start in range(0, len(images), at_once):
        some = images[start : start + at_once]
        there, back = np.split(_pictures(apply, some, ends).reshape(len(some), len(ends), -1), 2, 1)
        changed = (there - back) / 2.0  # (n, d, hwc)
        kinds = tangents(some)
        each = np.concatenate([SIDES.get(name, 1) * kinds[name] for name in NAMES], axis=1)
        each = each.reshape(*each.shape[:2], -1)  # (n, 6, hwc)
        units = np.stack([orthonormal(each[:, [i]])[:, 0] for i in range(each.shape[1])], axis=1)
        onto = np.einsum("nkp,nip->ink", changed, units)
        sums[0] += np.einsum("nkp,nlp->kl", changed, changed)
        sums[1] += np.einsum("ink,inl->ikl", onto, onto)
        sums[2] += np.einsum("nkp,nip->ik", changed, each)
    return Changes(*sums)


def purest_basis(changes: Changes) -> np.ndarray:
    """The orthogonal basis `(d, d)` that maximises the sum of squared shares.

    As varimax does with loadings, by turning two dimensions at a time.

    Args:
        changes: from `changes_of`.

    Reference:
        Kaiser (1958), The varimax criterion for analytic rotation in factor analysis.
    """
    d = len(changes.whole)
    random = np.random.default_rng(0)
    best, most = np.eye(d), -np.inf
    for number in range(STARTS):
        start = np.eye(d) if number == 0 else np.linalg.qr(random.normal(size=(d, d)))[0]
        found = _turned_in_pairs(changes, start)
        purity = np.square(changes.shares(found)).sum()
        if purity > most + BETTER:
            best, most = found, purity
    return best


def _pictures(apply: Apply, images: np.ndarray, latents: np.ndarray) -> np.ndarray:
    """T(x; 0 → z) of each image for each latent, `(n, latents, h, w, c)`."""
    pairs = np.repeat(images, len(latents), axis=0)
    steps = np.tile(latents, (len(images), 1)).astype("float32")
    origin = tf.zeros_like(steps[:1])
    at_once = max(1, PIXELS_AT_ONCE // math.prod(images.shape[1:3]))
    parts = [
        apply((pairs[i : i + at_once], origin, steps[i : i + at_once])).numpy()
        for i in range(0, len(pairs), at_once)
    ]
    found = np.concatenate(parts).astype(np.float64)
    return found.reshape(len(images), len(latents), *images.shape[1:])


def _images_at_once(images: np.ndarray, pictures: int) -> int:
    """How many images are looked at together if each has so many pictures."""
    return max(1, VALUES // (pictures * math.prod(images.shape[1:])))


def _line_shares(apply: Apply, images: np.ndarray, direction: np.ndarray) -> dict[str, float]:
    """The shares of all kinds in T's pictures along one direction; of large images fewer."""
    latents = np.linspace(-REACH, REACH, STEPS)[:, None] * direction
    some = images[: _images_at_once(images, STEPS)]
    return shares(Pictures(_pictures(apply, some, latents)[:, None], latents[None], some))


def _kind(of_line: dict[str, float], odd: np.ndarray) -> tuple[str | None, str, float]:
    """What a dimension is called, its kind and the share of that."""
    kind = max(NAMES, key=lambda name: of_line[name])
    if not of_line[kind] >= NOTICEABLE:  # also where nothing changes
        return None, "", 0.0
    direction = (" down", " right")[int(odd[1] > odd[0])] if kind == "translation" else ""
    return NAMES[kind] + direction, kind, of_line[kind]


def _order(found: list[tuple[str | None, str, float]]) -> list[int]:
    """Dimensions of new kinds first, then those of kinds that have been, then those of none."""
    order: list[int] = []
    while len(order) < len(found):
        seen = {found[k][1] for k in order}
        left = [k for k in range(len(found)) if k not in order]
        order.append(
            max(left, key=lambda k: (found[k][0] is not None, found[k][1] not in seen, found[k][2]))
        )
    return order


def _turned_in_pairs(changes: Changes, basis: np.ndarray) -> np.ndarray:
    """Turn two columns at a time by the best angle, until no turn brings more."""
    pairs = list(itertools.combinations(range(basis.shape[1]), 2))
    for _ in range(max(2, TURNS // (STARTS * max(len(pairs), 1)))):
        largest = 0.0
        for i, j in pairs:
            angle = _best_angle(changes, basis[:, [i, j]])
            largest = max(largest, abs(angle))
            basis = basis.copy()
            basis[:, [i, j]] = basis[:, [i, j]] @ _rotation(angle)
        if largest < 1e-4:
            break
    return basis


def _best_angle(changes: Changes, pair: np.ndarray) -> float:
    """By how much two columns are turned so that their shares are purest."""
    forms = np.concatenate([changes.whole[None], changes.parts])
    small = pair.T @ forms @ pair  # (7, 2, 2)
    best = 0.0
    for width in WIDTHS:
        angles = best + width * ANGLES
        purity = np.zeros(len(angles))
        for column in np.moveaxis(_rotation(angles), 1, 0):  # (2, angles)
            whole, *parts = np.einsum("ia,pij,ja->pa", column, small, column)
            purity += np.square(_ratios(np.array(parts), whole)).sum(axis=0)
        still = purity[len(angles) // 2]
        if purity.max() > still + 1e-12:
            best = float(angles[np.argmax(purity)])
    return best


def _ratios(parts: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Parts `(6, k)` over wholes `(k,)`; 0 where there is no whole."""
    return np.divide(parts, whole, out=np.zeros_like(parts), where=whole > 0)


def _rotation(angle: np.ndarray | float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin], [sin, cos]])
