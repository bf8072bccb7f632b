"""The relative stability of a network, before and after training, and under generated kernels."""

import dataclasses
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.graph import recorded
from keras_filtergan.data import randomness
from keras_filtergan.data.pixels import to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.instruments.findings import Findings
from keras_filtergan.instruments.initialisation import at_initialisation
from keras_filtergan.instruments.specimen import Specimen
from keras_filtergan.instruments.stability.diffeomorphisms import Diffeomorphisms, folded_share
from keras_filtergan.instruments.stability.figure import stability_figure
from keras_filtergan.instruments.stability.relative_stability import (
    Record,
    Stability,
    noise_norm,
    recorder,
    relative_stability,
    temperatures,
)
from keras_filtergan.instruments.stability.result import Level, StabilityResult
from keras_filtergan.instruments.stability.smooth_share import smooth_share
from keras_filtergan.instruments.steps import Begin, Steps, Tell, nobody, quietly
from keras_filtergan.inversion.walks import Walk
from keras_filtergan.runs.trained import TrainedRun

WALKS = 6  # steps for the walks of a run: to find them, then a share each of five
AVERAGES: dict[str, Callable] = {"mean": np.mean, "median": np.median}


@dataclasses.dataclass(frozen=True)
class StabilityStudy:
    """What is asked: how many images, deformations and draws.

    Attributes:
        images: how many test images.
        cut: c, the highest frequency of the deformations.
        levels: how many temperatures, from the least that moves pixels to the most that seldom
            folds an image over.
        draws: how many initialisations, and how many generated kernel sets.
        seed: of deformations, noise, initialisations and latents.

    Example:
        >>> found = StabilityStudy(images=200).findings(specimen)
        >>> found.numbers["relative_stability"]["trained"]["conv4"]
        [0.21, 0.2, 0.19, 0.2, 0.25]
    """

    images: int = 500
    cut: int = 3
    levels: int = 5
    draws: int = 5
    seed: int = 0

    def __post_init__(self):
        for name in ("images", "levels", "draws"):
            if getattr(self, name) < 1:
                raise InputError(f"expected at least 1 as {name}, received {getattr(self, name)}")

    def findings(self, specimen: Specimen, tell: Tell = nobody) -> Findings:
        """Measure, and draw what was measured.

        Args:
            specimen: the network, with a run or without.
            tell: takes each step as it begins.

        Raises:
            InputError: a cut that the size of the images does not allow.
        """
        images = to_unit_interval(specimen.dataset.x_test[: self.images])
        deformations = self.deformations(images)
        generated = specimen.run is not None
        steps = Steps(self.draws + 1 + generated * (self.draws + 1 + WALKS), tell)
        networks = self.networks(specimen, images, deformations, steps.begin)
        levels = [_level(deform, images) for deform in deformations]
        ratios = {
            title: {name: _over_draws(draws, average) for name, average in AVERAGES.items()}
            for title, draws in networks.items()
        }
        result = StabilityResult(
            network=specimen.title,
            **{**dataclasses.asdict(self), "images": len(images)},
            temperatures=levels,
            shown_temperature=int(np.argmin([abs(_octaves(level)) for level in levels])),
            relative_stability=ratios,
            walks=None if specimen.run is None else self.walks(specimen.run, steps.begin),
        )
        return Findings.of(result, stability_figure(result), _table(result))

    def deformations(self, images: np.ndarray) -> list[Diffeomorphisms]:
        """One for each temperature."""
        side = min(images.shape[1:3])
        return [
            Diffeomorphisms(self.cut, float(temperature), self.seed)
            for temperature in temperatures(side, self.cut, self.levels)
        ]

    def networks(
        self,
        specimen: Specimen,
        images: np.ndarray,
        deformations: list[Diffeomorphisms],
        begin: Begin = quietly,
    ) -> dict[str, list[Stability]]:
        """The stability of each network; of those that are drawn, one for each draw."""
        target = specimen.target

        def measure(kind: str, record: Record) -> Stability:
            begin(f"stability, {kind}")
            return relative_stability(record, images, deformations, self.seed)

        def untrained(seed: int) -> Record:
            network = at_initialisation(target.classifier, seed)
            return lambda x: recorded(network, x)

        seeds = range(self.seed, self.seed + self.draws)
        found = {
            "initial": [measure("initial", untrained(seed)) for seed in seeds],
            "trained": [measure("trained", target.record)],
        }
        if specimen.run is not None:
            sets = specimen.kernel_sets(self.draws, self.seed)
            mean = tf.reduce_mean(sets, axis=0)
            networks = [recorder(target, one) for one in tf.unstack(sets)]
            found["generated"] = [measure("generated", network) for network in networks]
            found["averaged"] = [measure("averaged", recorder(target, mean))]
        return found

    def walks(self, run: TrainedRun, begin: Begin = quietly) -> dict[str, float]:
        """The share of the change along walks that a smooth displacement makes, beside controls.

        The controls say what the figure means: displaced images have a share near 1, noise one
        near 0; but images half as bright do not have 0, as displacement makes strokes thinner.
        """
        begin("walks by inversion")
        found = run.subject().walk
        learned = run.transformed_walk(found.start, found.latents)
        images = found.start
        grey = randomness.stream(self.seed, randomness.GREY).standard_normal(images.shape)
        middle = self.deformations(images)[self.levels // 2]
        pairs = {
            "inversion": _cells(found),
            "transformation": _cells(learned),
            "control: displaced": (images, middle(images).numpy()),
            "control: half as bright": (images, 0.5 * images),
            "control: noise": (images, np.clip(images + 0.2 * grey, 0, 1)),
        }
        shares = {}
        for title, pair in pairs.items():
            begin(f"smooth share, {title}")
            start, changed = pair
            shares[title] = smooth_share(start, changed, self.cut)
        return shares


def _cells(walk: Walk) -> tuple[np.ndarray, np.ndarray]:
    """The original of each cell, and the picture found there."""
    shape = (-1, *walk.start.shape[1:])
    originals = np.broadcast_to(walk.start[:, None, None], walk.images.shape)
    return originals.reshape(shape), walk.images.reshape(shape)


def _level(deform: Diffeomorphisms, images: np.ndarray) -> Level:
    """What deformations of one temperature do to images."""
    field = deform.displacement(0, *images.shape[:3]).numpy()
    return Level(
        temperature=deform.temperature,
        displacement=float(np.sqrt(np.square(field).sum(axis=-1).mean())),
        noise_norm=noise_norm(deform(images).numpy(), images),
        folded_share=folded_share(field),
    )


def _octaves(level: Level) -> float:
    """How far a displacement is from one pixel, at which networks are usually compared."""
    return float(np.log2(level.displacement))


def _over_draws(draws: list[Stability], average: Callable) -> dict[str, list[float]]:
    """R_f of each layer, one number a level: the mean over draws."""
    ratios = [draw.relative(average) for draw in draws]
    return {layer: np.mean([one[layer] for one in ratios], axis=0).tolist() for layer in ratios[0]}


def _table(result: StabilityResult) -> str:
    """R_f of every layer at the temperature that is shown, one network a column."""
    ratios, shown = result.over_mean, result.shown_temperature
    width = max(len(layer) for layer in ratios["trained"])
    lines = [
        f"R_f (mean over images) at displacements of {result.shown.displacement:.1f} pixels",
        " " * width + "".join(f"{title:>12}" for title in ratios),
    ]
    for layer in ratios["trained"]:
        cells = [of_layers[layer][shown] for of_layers in ratios.values()]
        lines.append(layer.ljust(width) + "".join(f"{cell:12.3f}" for cell in cells))
    for title, share in (result.walks or {}).items():
        lines.append(f"share that a smooth displacement makes, {title}: {share:.2f}")
    return "\n".join(lines)
