"""What does a unit, a channel, a layer or a class want to see, under real and generated kernels?"""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import to_unit_interval
from keras_filtergan.data.batches import map_in_batches
from keras_filtergan.errors import InputError
from keras_filtergan.instruments.film import enlarged
from keras_filtergan.instruments.findings import Findings
from keras_filtergan.instruments.maximize.ascent import Ascent, Maximum, ascend, start_near, survey
from keras_filtergan.instruments.maximize.figure import maxima_figure
from keras_filtergan.instruments.maximize.objectives import ClassLogit, Objective
from keras_filtergan.instruments.specimen import Specimen
from keras_filtergan.instruments.steps import Steps, Tell, nobody

CLASSES = 10  # of the default objectives, at most
GREY = 0.5


@dataclasses.dataclass(frozen=True)
class Worth:
    """What the picture for one objective and one kernel set is worth.

    Attributes:
        start, end: value of the objective where the ascent began, and at the picture.
        end_under_real_kernels: value of the picture under the real kernels.
    """

    start: float
    end: float
    end_under_real_kernels: float


@dataclasses.dataclass(frozen=True)
class ObjectiveResult:
    """What was found for one objective.

    Attributes:
        objective: as text.
        spread: its standard deviation over test images; 1 where nothing varies.
        best_test_image: `number` of the test image that has most of it, and `value` there.
        kernels: name of the kernel set → what its picture is worth.
    """

    objective: str
    spread: float
    best_test_image: dict[str, float]
    kernels: dict[str, Worth]


@dataclasses.dataclass(frozen=True)
class MaximizationResult:
    """What was found for all objectives; the pictures are in the figure.

    Attributes:
        network: its title.
        settings: how it was sought.
        objectives: in the order in which they were asked.
    """

    network: str
    settings: dict[str, Any]
    objectives: list[ObjectiveResult]

    def values(self, name: str) -> np.ndarray:
        """One field of `Worth`, `(objectives, sets)`."""
        rows = [list(one.kernels.values()) for one in self.objectives]
        return np.array([[getattr(worth, name) for worth in row] for row in rows])

    @property
    def kernel_sets(self) -> list[str]:
        """Names of the kernel sets, the real ones first."""
        return list(self.objectives[0].kernels)

    @property
    def best_values(self) -> np.ndarray:
        """The most that a test image has of each objective, `(objectives,)`."""
        return np.array([one.best_test_image["value"] for one in self.objectives])


def maximization_study(
    specimen: Specimen,
    objectives: Sequence[Objective] = (),
    sets: int = 3,
    start: str | int = "mean",
    how: Ascent | None = None,
    seed: int = 0,
    tell: Tell = nobody,
) -> Findings:
    """Find the images that have most of some objectives, under real and generated kernels.

    Beside each image stands what it is worth: next to the most that any test image reaches, and
    under the real kernels if it was made for generated ones. Kernels that want the same pictures
    keep their worth there.

    Args:
        specimen: the network, with images and perhaps a generator.
        objectives: what to maximise; the logits of the first ten classes if none are given.
        sets: generated kernel sets beside the real one, if there is a generator.
        start: `"mean"`, the mean training image; `"grey"`; or the number of a test image.
        how: prior, coordinates, views and steps.
        seed: of the latents and of the trace of noise at the start.
        tell: takes each step as it begins.

    Raises:
        InputError: an objective of something that the network does not have, or no such start.

    Example:
        >>> paths = maximization_study(specimen, [class_logit(7)]).write(Path("out"), "maximize")

    Reference:
        Fleuret, deep learning course, 9.4 "Optimizing inputs".
    """
    target, how = specimen.target, Ascent() if how is None else how
    asked = list(objectives) or [ClassLogit(k) for k in range(target.num_classes)][:CLASSES]
    first = start_near(_start(specimen, start), seed)
    steps = Steps(3, tell)
    steps.begin("test images")
    seen = survey(target, asked, specimen.dataset.x_test)
    kernels = target.kernel[None]
    if specimen.run is not None and sets:
        kernels = tf.concat([kernels, specimen.kernel_sets(sets, seed)], axis=0)
    steps.begin(f"ascent of {len(asked) * len(kernels)} images")
    found = ascend(target, asked, kernels, first, how, _spread(seen))
    steps.begin("figure and films")
    settings = {"start": start, "seed": seed, **_described(how), "test_images": seen.shape[1]}
    rows = _rows(asked, seen, found, _under_real(target, asked, found))
    result = MaximizationResult(specimen.title, settings, rows)
    best = to_unit_interval(specimen.dataset.x_test[np.argmax(seen, axis=1)])
    figure = maxima_figure(
        found.images,
        found.end,
        result.kernel_sets,
        [one.objective for one in rows],
        np.asarray(best),
        result.best_values,
        _sentence(result),
    )
    films = {
        f"maximize-{i}-{_slug(objective)}": _side_by_side(found.film[:, i - 1])
        for i, objective in enumerate(asked, 1)
    }
    return Findings.of(result, figure, _table(result), films)


def _described(how: Ascent) -> dict[str, Any]:
    """How it was sought, for JSON."""
    return {
        "steps": how.steps,
        "learning_rate": how.learning_rate,
        "prior": {"name": how.prior.name, **how.prior.get_config()},
        "parametrization": {"name": how.parametrization.name, **how.parametrization.get_config()},
        "views": dataclasses.asdict(how.views),
    }


def _spread(seen: np.ndarray) -> np.ndarray:
    """Standard deviation of each objective over images; 1 where nothing varies."""
    deviation = seen.std(axis=1)
    return np.where(deviation > 0, deviation, 1.0)


def _start(specimen: Specimen, start: str | int) -> np.ndarray:
    """The image `(h, w, c)` from which all start."""
    dataset = specimen.dataset
    if start == "mean":
        [images] = map_in_batches(lambda batch: [to_unit_interval(batch)], dataset.x_train)
        return np.mean(images, axis=0, dtype="float64")
    if start == "grey":
        return np.full(specimen.target.image_shape, GREY)
    if not isinstance(start, int) or not 0 <= start < len(dataset.x_test):
        raise InputError(
            f"expected mean, grey or a test image from 0 to {len(dataset.x_test) - 1} to start "
            f"from, received {start!r}"
        )
    return np.asarray(to_unit_interval(dataset.x_test[start]))


def _under_real(
    target: FrozenTarget, objectives: Sequence[Objective], found: Maximum
) -> np.ndarray:
    """What each image is worth under the real kernels, `(objectives, sets)`."""
    count, sets = found.end.shape
    values = survey(target, objectives, found.images.reshape(-1, *target.image_shape))
    return values.reshape(count, count, sets)[np.arange(count), np.arange(count)]


def _rows(
    objectives: Sequence[Objective], seen: np.ndarray, found: Maximum, under_real: np.ndarray
) -> list[ObjectiveResult]:
    """One an objective."""
    names = ["real kernels", *(f"G(z{i})" for i in range(1, found.end.shape[1]))]
    worth = np.stack([found.start, found.end, under_real], axis=-1)  # (objectives, sets, 3)
    best, spread = np.argmax(seen, axis=1), _spread(seen)
    return [
        ObjectiveResult(
            str(objective),
            float(spread[i]),
            {"number": int(best[i]), "value": float(seen[i].max())},
            {name: Worth(*map(float, worth[i, k])) for k, name in enumerate(names)},
        )
        for i, objective in enumerate(objectives)
    ]


def _sentence(result: MaximizationResult) -> str:
    """What the picture shows, in standard deviations over test images."""
    spread = np.array([one.spread for one in result.objectives])[:, None]
    start = result.values("start")
    gain = (result.values("end") - start) / spread
    text = (
        f"What maximises each objective: {result.network}; above each picture its value\n"
        f"mean ascent in standard deviations of test images: {gain[:, 0].mean():.1f} under the "
        "real kernels"
    )
    if gain.shape[1] > 1:
        kept = (result.values("end_under_real_kernels") - start[:, :1])[:, 1:] / spread
        text += (
            f",\n{gain[:, 1:].mean():.1f} under generated ones, "
            f"whose pictures are worth {kept.mean():.1f} to the real ones"
        )
    return text


def _table(result: MaximizationResult) -> str:
    """The values at the end, for the screen."""
    rows = [["objective", "best test image", *result.kernel_sets]]
    columns = result.objectives, result.best_values, result.values("end")
    for one, best, ends in zip(*columns, strict=True):
        rows.append([one.objective, *(f"{value:#.3g}" for value in (best, *ends))])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
    return "\n".join(lines)


def _slug(objective: Objective) -> str:
    """The name of an objective as part of a file name."""
    return re.sub(r"[^A-Za-z0-9]+", "_", str(objective)).strip("_")[:60]


def _side_by_side(film: np.ndarray) -> np.ndarray:
    """`(frames, sets, h, w, c)` → `(frames, h', w', c)`: enlarged, with grey lines between."""
    pictures = enlarged(film)
    gap = np.full((*pictures.shape[:1], pictures.shape[2], 4, film.shape[-1]), GREY, "float32")
    parts = [part for k in range(film.shape[1]) for part in (gap, pictures[:, k])]
    return np.concatenate(parts[1:], axis=2)
