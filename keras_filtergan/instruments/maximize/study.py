"""What does a unit, a channel, a layer or a class want to see, under real and generated kernels?"""

import dataclasses
import re
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import to_unit_interval
from keras_filtergan.data.batches import map_in_batches
from keras_filtergan.errors import InputError
from keras_filtergan.instruments.film import enlarged
from keras_filtergan.instruments.findings import Findings
from keras_filtergan.instruments.maximize.ascent import Ascent, Maximum, ascend, start_near, survey
from keras_filtergan.instruments.maximize.objectives import ClassLogit, Objective
from keras_filtergan.instruments.specimen import Specimen
from keras_filtergan.instruments.steps import Steps, Tell, nobody
from keras_filtergan.plots import maxima_figure

CLASSES = 10  # of the default objectives, at most
GREY = 0.5


@dataclasses.dataclass(frozen=True)
class _Seen:
    """What test images are to the objectives."""

    values: np.ndarray  # (objectives, n)

    @property
    def best(self) -> np.ndarray:
        """Number of the image with most of each objective, `(objectives,)`."""
        return np.argmax(self.values, axis=1)

    @property
    def spread(self) -> np.ndarray:
        """Standard deviation of each objective over images; 1 where nothing varies."""
        deviation = self.values.std(axis=1)
        return np.where(deviation > 0, deviation, 1.0)


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
    target, images = specimen.target, specimen.dataset.x_test
    how = Ascent() if how is None else how
    objectives = list(objectives) or [ClassLogit(k) for k in range(target.num_classes)][:CLASSES]
    first = start_near(_start(specimen, start), seed)
    steps = Steps(3, tell)
    steps.begin("test images")
    seen = _Seen(survey(target, objectives, images))
    kernels = target.kernel[None]
    if specimen.run is not None and sets:
        kernels = tf.concat([kernels, specimen.kernel_sets(sets, seed)], axis=0)
    steps.begin(f"ascent of {len(objectives) * len(kernels)} images")
    found = ascend(target, objectives, kernels, first, how, seen.spread)
    steps.begin("figure and films")
    under_real = _under_real(target, objectives, found)
    names = ["real kernels", *(f"G(z{i})" for i in range(1, len(kernels)))]
    chosen = to_unit_interval(images[seen.best])
    numbers = {
        "network": specimen.title,
        "settings": {
            "start": start,
            "seed": seed,
            "steps": how.steps,
            "learning_rate": how.learning_rate,
            "prior": {"name": how.prior.name, **how.prior.get_config()},
            "parametrization": {
                "name": how.parametrization.name,
                **how.parametrization.get_config(),
            },
            "views": dataclasses.asdict(how.views),
            "test_images": len(images),
        },
        "objectives": [
            _row(objective, names, seen, found, under_real, i)
            for i, objective in enumerate(objectives)
        ],
    }
    figure = maxima_figure(
        found.images,
        found.end,
        names,
        [str(objective) for objective in objectives],
        np.asarray(chosen),
        seen.values.max(axis=1),
        _sentence(specimen, seen, found, under_real),
    )
    films = {
        f"maximize-{i}-{_slug(objective)}": _side_by_side(found.film[:, i - 1])
        for i, objective in enumerate(objectives, 1)
    }
    return Findings(numbers, figure, _table(objectives, names, seen, found), films)


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


def _row(
    objective: Objective,
    names: Sequence[str],
    seen: _Seen,
    found: Maximum,
    under_real: np.ndarray,
    i: int,
) -> dict:
    """One objective, for JSON."""
    return {
        "objective": str(objective),
        "spread": float(seen.spread[i]),
        "best_test_image": {"number": int(seen.best[i]), "value": float(seen.values[i].max())},
        "kernels": {
            name: {
                "start": float(found.start[i, k]),
                "end": float(found.end[i, k]),
                "end_under_real_kernels": float(under_real[i, k]),
            }
            for k, name in enumerate(names)
        },
    }


def _sentence(specimen: Specimen, seen: _Seen, found: Maximum, under_real: np.ndarray) -> str:
    """What the picture shows, in standard deviations over test images."""
    gain = (found.end - found.start) / seen.spread[:, None]
    text = (
        f"What maximises each objective: {specimen.title}; above each picture its value\n"
        f"mean ascent in standard deviations of test images: {gain[:, 0].mean():.1f} under the "
        "real kernels"
    )
    if gain.shape[1] > 1:
        kept = (under_real - found.start[:, :1])[:, 1:] / seen.spread[:, None]
        text += (
            f",\n{gain[:, 1:].mean():.1f} under generated ones, "
            f"whose pictures are worth {kept.mean():.1f} to the real ones"
        )
    return text


def _table(
    objectives: Sequence[Objective], names: Sequence[str], seen: _Seen, found: Maximum
) -> str:
    """The values at the end, for the screen."""
    rows = [["objective", "best test image", *names]]
    for objective, values, ends in zip(objectives, seen.values, found.end, strict=True):
        rows.append([str(objective), *(f"{value:#.3g}" for value in (values.max(), *ends))])
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
