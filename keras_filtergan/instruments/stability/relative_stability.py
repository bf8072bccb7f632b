"""Relative stability: how little a network cares for a smooth deformation, beside noise."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import randomness
from keras_filtergan.data.batches import slices
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.instruments.stability.diffeomorphisms import Diffeomorphisms, temperature_range

# Images (m, h, w, c) → what every layer makes of them, as `FrozenTarget.record`.
Record = Callable[[tf.Tensor], dict[str, tf.Tensor]]

INPUT = "image"  # the name of layer 0


@dataclasses.dataclass(frozen=True)
class Stability:
    """Squared distances that deformations and noise of the same size cause, layer by layer.

    Attributes:
        deformed: layer → ‖f(τx) − f(x)‖², `(levels, n)`.
        noisy: layer → ‖f(x + η) − f(x)‖², alike. Layers are in the order in which they run, the
            first is the image itself.
        apart: layer → ⟨‖f(x) − f(z)‖²⟩, x and z two images.

    Reference:
        Petrini, Favero, Geiger, Wyart (NeurIPS 2021), "Relative stability toward diffeomorphisms
        indicates performance in deep nets", eqs. 4 to 6.
    """

    deformed: dict[str, np.ndarray]
    noisy: dict[str, np.ndarray]
    apart: dict[str, float]

    @property
    def layers(self) -> list[str]:
        """Names in the order in which they run."""
        return list(self.deformed)

    def relative(self, average: Callable = np.mean) -> dict[str, np.ndarray]:
        """R_f = D_f / G_f of each layer, `(levels,)`: below 1 noise changes it more.

        Args:
            average: over images, `np.mean` or `np.median`.

        Returns:
            NaN where noise changes nothing.
        """
        ratios = {}
        for layer, deformed in self.deformed.items():
            d, g = average(deformed, axis=1), average(self.noisy[layer], axis=1)
            ratios[layer] = np.divide(d, g, out=np.full_like(d, np.nan), where=g > 0)
        return ratios

    def in_units_of_images(self, changes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """D_f (of `deformed`) or G_f (of `noisy`): mean change over mean distance of images.

        Returns:
            Layer → `(levels,)`; NaN where all images are the same.
        """
        return {
            layer: change.mean(axis=1) / (self.apart[layer] or np.nan)
            for layer, change in changes.items()
        }


def temperatures(side: int, cut: int, levels: int) -> np.ndarray:
    """Temperatures spread evenly, by ratio, over the range for images of this side.

    Args:
        side: of the images in pixels, the smaller one.
        cut: c, the highest frequency.
        levels: how many, at least 1; one alone is the (geometric) middle.

    Raises:
        InputError: no level, or a cut out of range.
    """
    if levels < 1:
        raise InputError(f"expected at least 1 temperature, received {levels}")
    low, high = temperature_range(side, cut)
    if levels == 1:
        return np.array([np.sqrt(low * high)])
    return np.clip(np.geomspace(low, high, levels), low, high)


def recorder(target: FrozenTarget, kernels: tf.Tensor) -> Record:
    """What every layer makes of images if the chosen one has these kernels."""
    return lambda images: target.record(images, kernels)


def relative_stability(
    record: Record,
    images: np.ndarray,
    deformations: Sequence[Diffeomorphisms],
    seed: int = 0,
    batch_size: int = 100,
) -> Stability:
    """Deform images, add noise of the same norm, and see what either does to every layer.

        D_f = ⟨‖f(τx) − f(x)‖²⟩   G_f = ⟨‖f(x + η) − f(x)‖²⟩   R_f = D_f / G_f

    τ is another diffeomorphism for each image; η is uniform on the sphere of radius
    ⟨‖τx − x‖⟩, the mean over the images.

    Args:
        record: images `(m, h, w, c)` → layer → output `(m, ...)`, as `FrozenTarget.record`.
        images: `(n, h, w, c)`, bytes or values in [0, 1].
        deformations: one for each level, usually at rising temperatures.
        seed: of the noise.
        batch_size: images at once.

    Raises:
        InputError: no images, no deformations, or one whose temperature is out of range.

    Example:
        >>> levels = [Diffeomorphisms(3, t) for t in temperatures(28, cut=3, levels=5)]
        >>> relative_stability(target.record, images, levels).relative()["logits"]
        array([0.12, 0.13, 0.15, 0.2 , 0.28])

    Reference:
        Petrini et al. (NeurIPS 2021), section 3.
    """
    if not len(images) or not deformations:
        raise InputError("expected images and deformations, received none")
    images = to_unit_interval(images)
    moved = [_deformed(deform, images, batch_size) for deform in deformations]
    norms = [noise_norm(one, images) for one in moved]
    run = tf.function(record)
    parts = []
    for which in slices(len(images), batch_size):
        clean = images[which]
        noise = _directions(clean.shape, seed, which.start)
        shifted = [clean + (norm * noise).astype("float32") for norm in norms]
        there = _outputs(run, clean)
        changes = [
            _distances(there, [_outputs(run, images) for images in levels])
            for levels in ([one[which] for one in moved], shifted)
        ]
        moments = {name: (one.sum(axis=0), np.square(one).sum()) for name, one in there.items()}
        parts.append((*changes, moments))
    deformed, noisy = (
        {name: np.concatenate([part[kind][name] for part in parts], axis=1) for name in parts[0][0]}
        for kind in range(2)
    )
    apart = {
        name: _mean_distance([part[2][name] for part in parts], len(images)) for name in parts[0][2]
    }
    return Stability(deformed, noisy, apart)


def noise_norm(moved: np.ndarray, images: np.ndarray) -> float:
    """r = ⟨‖τx − x‖⟩, the norm of the noise that a deformation is compared with."""
    return float(np.mean(np.sqrt(np.sum(np.square(moved - images), axis=(1, 2, 3)))))


def _deformed(deform: Diffeomorphisms, images: np.ndarray, batch_size: int) -> np.ndarray:
    parts = [
        deform(images[which], which.start).numpy() for which in slices(len(images), batch_size)
    ]
    return np.concatenate(parts)


def _directions(shape: tuple[int, ...], seed: int, first: int) -> np.ndarray:
    """Images of noise of norm 1, uniform on the sphere; each number has one of its own."""
    draws = [
        randomness.stream(seed, randomness.SPHERE, first + i).standard_normal(shape[1:])
        for i in range(shape[0])
    ]
    return np.stack([draw / np.linalg.norm(draw) for draw in draws])


def _outputs(run: Record, images: np.ndarray) -> dict[str, np.ndarray]:
    """The images themselves and what every layer makes of them, in double precision."""
    outputs = {INPUT: images, **run(tf.constant(images))}
    return {name: np.asarray(output, np.float64) for name, output in outputs.items()}


def _distances(
    there: dict[str, np.ndarray], levels: list[dict[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Squared distances of outputs, layer → `(levels, m)`."""
    return {
        name: np.stack([_squared_norms(here[name] - at) for here in levels])
        for name, at in there.items()
    }


def _squared_norms(changes: np.ndarray) -> np.ndarray:
    """‖·‖² of each example, `(m,)`."""
    return np.square(changes).reshape(len(changes), -1).sum(axis=1)


def _mean_distance(moments: list[tuple[np.ndarray, float]], count: int) -> float:
    """⟨‖a − b‖²⟩ over all pairs of `count` outputs, from the Σa and Σ‖a‖² of batches."""
    total, energy = (sum(one) for one in zip(*moments, strict=True))
    return float(2 * (energy / count - np.square(total / count).sum()))
