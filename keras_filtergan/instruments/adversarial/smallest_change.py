"""The smallest changes that mislead, in fewer attacks than a bisection of each image takes."""

from dataclasses import dataclass

import numpy as np

from keras_filtergan.instruments.adversarial.attacker import Attacker, Curve

HALVINGS = 6  # a change is known to 2⁻⁶ of the distance of two radii of the curve
GUESSES = 3  # before what is left is halved


def median_change(
    attacker: Attacker, images: np.ndarray, labels: np.ndarray, halvings: int = 8
) -> float:
    """The median over images of the smallest radius at which an attack misleads.

    By bisection between 0 and the largest possible change. Images that a radius has put on one
    side of the median are not attacked again, and an attack ends when all images mislead.

    Args:
        attacker: the attack.
        images: `(n, h, w, c)` in [0, 1].
        labels: `(n,)`.
        halvings: steps of the bisection.

    Returns:
        0 where half of the images mislead as they are, infinite where half never do.
    """
    wrong = attacker.margins(images, labels) >= 0
    left, below, half = np.flatnonzero(~wrong), int(wrong.sum()), len(images) / 2
    low, high = 0.0, attacker.norm.largest(images.shape[1:])
    if below > half:
        return 0.0
    for step in range(halvings + 1):
        middle = (low + high) / 2 if step else high
        radius = np.full(len(left), middle)
        misled = attacker(images[left], labels[left], radius, enough=0.0)[1] >= 0
        if below + misled.sum() > half:
            high, left = middle, left[misled]
        elif step == 0:
            return np.inf
        else:
            low, left, below = middle, left[~misled], below + int(misled.sum())
    return high


def refined(
    attacker: Attacker, images: np.ndarray, labels: np.ndarray, radii: np.ndarray, curve: Curve
) -> tuple[np.ndarray, np.ndarray]:
    """The smallest change of each image, from the curve of an attack and a few attacks more.

    Between the last radius that does not mislead and the first that does the margin crosses 0 on a
    nearly straight line. Two or three attacks around the place where the line does are enough to
    know the change to 2⁻⁶ of the distance of these radii; where they are not, the rest is halved.

    Args:
        attacker: the attack.
        images: `(n, h, w, c)` in [0, 1].
        labels: `(n,)`.
        radii, curve: of `attacker.curve`, of these images.

    Returns:
        As `Attacker.smallest_change`: sizes `(n,)` and the changed images `(n, h, w, c)`.
    """
    sizes, best = np.full(len(images), np.inf), images.copy()

    def keep(which: np.ndarray, pictures: np.ndarray, margins: np.ndarray) -> None:
        reached = np.asarray(attacker.norm.size(pictures - images[which]))
        better = (margins >= 0) & (reached < sizes[which])
        sizes[which[better]], best[which[better]] = reached[better], pictures[better]

    for pictures, margins in zip(curve.pictures, curve.margins, strict=True):
        keep(np.arange(len(images)), pictures, margins)
    first = np.argmax(curve.misled, axis=0)  # 0 also where no radius misleads
    gaps = _Gaps.before(first, np.asarray(radii, "float64"), curve.margins)
    limit = (gaps.high - gaps.low) / 2**HALVINGS
    for attempt in range(GUESSES + HALVINGS):
        which = np.flatnonzero(gaps.high - gaps.low > 1.001 * limit)
        if not len(which):
            break
        radius = (gaps.guess(limit) if attempt < GUESSES else (gaps.low + gaps.high) / 2)[which]
        pictures, margins = attacker(images[which], labels[which], radius)
        keep(which, pictures, margins)
        gaps.close(which, radius, margins)
    never, largest = (
        np.flatnonzero(~curve.misled.any(axis=0)),
        attacker.norm.largest(best.shape[1:]),
    )
    if len(never) and largest > radii[-1]:
        low, high = (np.full(len(never), radius) for radius in (radii[-1], largest))
        found = attacker.smallest_change(images[never], labels[never], low, high, HALVINGS)
        sizes[never], best[never] = found
    return sizes, best


@dataclass
class _Gaps:
    """Of each image a radius that does not mislead and a larger one that does, with margins.

    An image that has none, because it misleads as it is or never, has a gap without width.
    """

    low: np.ndarray  # (n,)
    high: np.ndarray  # (n,)
    margin_at_low: np.ndarray  # (n,), below 0
    margin_at_high: np.ndarray  # (n,), at least 0

    @classmethod
    def before(cls, first: np.ndarray, radii: np.ndarray, margins: np.ndarray) -> "_Gaps":
        """Between the first radius that misleads, by number, and the one before it."""
        last, images = np.maximum(first - 1, 0), np.arange(len(first))
        return cls(radii[last], radii[first], margins[last, images], margins[first, images])

    def guess(self, limit: np.ndarray) -> np.ndarray:
        """A radius near the one at which a straight line from low to high crosses 0.

        A little further, where it probably misleads; or, if that is nearly the end of the gap, so
        near to the end that the gap is closed to the limit if the guess is right.
        """
        rise = self.margin_at_high - self.margin_at_low
        known = (rise > 0) & np.isfinite(rise)
        share = np.divide(-self.margin_at_low, rise, out=np.full_like(rise, 0.5), where=known)
        crossing = self.low + share * (self.high - self.low)
        return np.clip(crossing + limit / 2, self.low + limit, self.high - limit)

    def close(self, which: np.ndarray, radius: np.ndarray, margins: np.ndarray) -> None:
        """Take what attacks of these images within these radii have found."""
        misled = margins >= 0
        up, down = which[misled], which[~misled]
        self.high[up], self.margin_at_high[up] = radius[misled], margins[misled]
        self.low[down], self.margin_at_low[down] = radius[~misled], margins[~misled]
