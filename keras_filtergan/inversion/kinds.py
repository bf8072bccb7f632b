"""Which kinds of change the dimensions of a latent are, and the basis in which they are purest.

Latents are drawn from N(0, I), which has no preferred axes: which d orthogonal directions are
called the dimensions is a convention. Training leaves it to chance, and mixes what it has found:
each dimension is a bit of a shift, a bit of a slant and a bit of stroke width. Rotated to the basis
of `named_basis`, one is a shift and another is stroke width.
"""

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.inversion.anatomy import shares, tangents
from keras_filtergan.inversion.walks import Pictures

KIND_NAMES = {  # of the kinds of geometry, as people call them
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
STARTS, ROUNDS = 5, 50  # of the search for a basis
MANY = 16  # dimensions from which on it is shorter
DIAGONAL = 0.5  # share of the smaller tangent in the larger from which on a shift is diagonal
BETTER = 1e-3  # by which a later start has to be better, lest rounding chooses
ANGLES = np.linspace(-1.0, 1.0, 65)
WIDTHS = np.pi / 2 * 16.0 ** -np.arange(5)  # of the angles tried, around the best one so far

Apply = Callable[[tuple], tf.Tensor]  # images x, latents r and z → T(x; r → z)


class _Kind(NamedTuple):
    """What a dimension is called, of which kind it is, the share of that, and which tangent."""

    name: str | None
    kind: str
    share: float
    tangent: int


class Changes(NamedTuple):
    """What steps of the latent do to images, as quadratic forms of the step's direction u.

    Attributes:
        whole: u' W u is the squared change of pixels, `(d, d)`.
        parts: u' P u is what of it lies on a tangent: shift down, shift right, then the other kinds
            of `KIND_NAMES`; `(6, d, d)`.
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
    turns clockwise, leans to the right or grows, and bright strokes get thicker.

    Args:
        transformation: T(x; r → z).
        images: x, `(n, h, w, c)` in [0, 1].
        latent_dim: d.

    Returns:
        An orthogonal matrix `(d, d)`, a direction a column; and what each is called: `shift down`,
        `shift right`, `shift` if it is diagonal, `turn`, `slant`, `size` or `stroke width`; `None`
        where no kind has a share of 0.3 in T's pictures along it (`anatomy.shares`).

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
    found = [
        _kind(_line_shares(apply, images, u), row)
        for u, row in zip(basis.T, changes.shares(basis), strict=True)
    ]
    sides = [changes.along[one.tangent] @ u for one, u in zip(found, basis.T, strict=True)]
    basis = basis * np.where(np.array(sides) < 0, -1.0, 1.0)
    order = _order(found)
    return basis[:, order], tuple(found[k].name for k in order)


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
        each = np.concatenate([SIDES.get(name, 1) * kinds[name] for name in KIND_NAMES], axis=1)
        each = each.reshape(*each.shape[:2], -1)  # (n, 6, hwc)
        lengths = np.linalg.norm(each, axis=2, keepdims=True)
        units = np.divide(each, lengths, out=np.zeros_like(each), where=lengths > 0)
        onto = np.einsum("nkp,nip->ink", changed, units)
        sums[0] += np.einsum("nkp,nlp->kl", changed, changed)
        sums[1] += np.einsum("ink,inl->ikl", onto, onto)
        sums[2] += np.einsum("nkp,nip->ik", changed, each)
    return Changes(*sums)


def purest_basis(changes: Changes) -> np.ndarray:
    """An orthogonal basis `(d, d)` in which the sum of squared shares is as large as can be found.

    As quartimax does with loadings, two dimensions are rotated at a time, from several starts. Of
    more than 16 dimensions there is one start, and two rounds.

    Args:
        changes: from `changes_of`.

    Reference:
        Neuhaus, Wrigley (1954), The quartimax method.
    """
    d = len(changes.whole)
    random = np.random.default_rng(0)
    best, most = np.eye(d), -np.inf
    for number in range(STARTS if d <= MANY else 1):
        start = np.eye(d) if number == 0 else np.linalg.qr(random.normal(size=(d, d)))[0]
        found = _rotated_in_pairs(changes, start)
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


def _kind(of_line: dict[str, float], odd: np.ndarray) -> _Kind:
    """What a dimension is.

    Args:
        of_line: shares of the kinds in its pictures.
        odd: shares of the six tangents in the odd part of the change, `(6,)`.
    """
    kind = max(KIND_NAMES, key=lambda name: of_line[name])
    if not of_line[kind] >= NOTICEABLE:  # also where nothing changes
        return _Kind(None, "", 0.0, int(np.argmax(odd)))
    if kind != "translation":
        return _Kind(KIND_NAMES[kind], kind, of_line[kind], list(KIND_NAMES).index(kind) + 1)
    larger = int(odd[1] > odd[0])
    direction = "" if DIAGONAL * odd[larger] < odd[1 - larger] else (" down", " right")[larger]
    return _Kind(KIND_NAMES[kind] + direction, kind, of_line[kind], larger)


def _order(found: list[_Kind]) -> list[int]:
    """Dimensions of new kinds first, then those of kinds that have been, then those of none."""
    order: list[int] = []
    while len(order) < len(found):
        seen = {found[k].kind for k in order}
        left = [k for k in range(len(found)) if k not in order]
        order.append(
            max(
                left,
                key=lambda k: (
                    found[k].name is not None,
                    found[k].kind not in seen,
                    found[k].share,
                ),
            )
        )
    return order


def _rotated_in_pairs(changes: Changes, basis: np.ndarray) -> np.ndarray:
    """Rotate two columns at a time by the best angle, until none brings more."""
    d = basis.shape[1]
    # In the basis as it is rotated: `whole` and the parts, (7, d, d).
    forms = basis.T @ np.concatenate([changes.whole[None], changes.parts]) @ basis
    basis = basis.copy()
    for _ in range(ROUNDS if d <= MANY else 2):
        largest = 0.0
        for pair in itertools.combinations(range(d), 2):
            i = list(pair)
            angle = _best_angle(forms[:, i][:, :, i])
            largest = max(largest, abs(angle))
            rotation = _rotation(angle)
            basis[:, i] = basis[:, i] @ rotation
            forms[:, i] = rotation.T @ forms[:, i]
            forms[:, :, i] = forms[:, :, i] @ rotation
        if largest < 1e-4:
            break
    return basis


def _best_angle(forms: np.ndarray) -> float:
    """By how much two dimensions are rotated so that their shares are purest.

    Args:
        forms: `whole` and the parts in these two, `(7, 2, 2)`.
    """
    best = 0.0
    for width in WIDTHS:
        angles = best + width * ANGLES
        purity = np.zeros(len(angles))
        for column in np.moveaxis(_rotation(angles), 1, 0):  # (2, angles)
            whole, *parts = np.einsum("ia,pij,ja->pa", column, forms, column)
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
