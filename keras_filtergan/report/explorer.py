"""The explorer: which images, over which planes, and all that its script needs, as plain values."""

import dataclasses
import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_filtergan.data import to_unit_interval
from keras_filtergan.data.pixels import to_bytes
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation.grids import SPAN
from keras_filtergan.inversion.walks import Walk
from keras_filtergan.report.grids import (
    Grid,
    Network,
    frozen_network,
    inverted_grid,
    other_network,
    transformed_grids,
)
from keras_filtergan.report.pictures import bytes_text, picture_uri, sheet_uri
from keras_filtergan.report.planes import IMAGES, Axis, Plane, image_numbers, planes_of
from keras_filtergan.runs.trained import TrainedRun

MOST_CLASSES = 10  # that the bars of one image show
LAYOUTS = ((12, 9), (12, 7), (6, 7), (12, 5), (6, 5), (1, 5), (1, 3))  # planes, latents a side
SHEETS = 4_500_000  # characters that all pictures may take
PIXELS = 3e7  # of all pictures: bounds the time
SMALLEST = 16  # pixels a side of a picture that was made smaller
UNDEFINED = 255  # in the place of a share that is not defined


@dataclasses.dataclass(frozen=True)
class Explorer:
    """Everything that can be looked at.

    Attributes:
        numbers: of the test images.
        labels: their classes.
        images: x, `(n, h, w, c)` in [0, 1].
        class_names: of all classes.
        planes: pairs of latent directions.
        grids: what is there, at most one an image, plane and method.
        span: how far the grids reach, in standard deviations.
        notes: sentences on what is left out.
    """

    numbers: list[int]
    labels: list[int]
    images: np.ndarray
    class_names: tuple[str, ...]
    planes: list[Plane]
    grids: list[Grid]
    span: float
    notes: list[str]

    @property
    def has_independent(self) -> bool:
        """Whether a second network was asked."""
        return any(grid.independent is not None for grid in self.grids)

    @property
    def inverted(self) -> list[int]:
        """Numbers of the test images that have pictures found by inversion."""
        found = {self.numbers[grid.image] for grid in self.grids if grid.method == "inversion"}
        return sorted(found)

    def payload(self) -> dict[str, Any]:
        """What the script reads: plain dicts, lists, texts and numbers.

        Of each grid it has the pictures as one sheet and, for each cell, a byte for the share
        explained (in percent, plus 150, at most 250; 255 where it is not defined) and one for each
        probability (of 255): the frozen network's, then the independent one's.
        """
        shown = [self._classes_of(i) for i in range(len(self.numbers))]
        return {
            "span": self.span,
            "classes": list(self.class_names),
            "independent": self.has_independent,
            "images": [
                {
                    "number": number,
                    "label": label,
                    "picture": picture_uri(image),
                    "classes": classes,
                }
                for number, label, image, classes in zip(
                    self.numbers, self.labels, self.images, shown, strict=True
                )
            ],
            "planes": [
                {"down": _axis(plane.down), "right": _axis(plane.right)} for plane in self.planes
            ],
            "grids": {
                f"{grid.image}/{grid.plane}/{grid.method}": {
                    "rows": grid.pictures.shape[0],
                    "columns": grid.pictures.shape[1],
                    "sheet": sheet_uri(grid.pictures),
                    "numbers": bytes_text(numbers_of(grid, shown[grid.image])),
                }
                for grid in self.grids
            },
        }

    def smaller(self) -> "Explorer | None":
        """The same without its last plane, or with half the pixels; `None` if both cannot be."""
        last = len(self.planes) - 1
        if last > 0:
            kept = [grid for grid in self.grids if grid.plane != last]
            return dataclasses.replace(self, planes=self.planes[:-1], grids=kept)
        if min(self.images.shape[1:3]) < 2 * SMALLEST:
            return None
        halved = [dataclasses.replace(one, pictures=_halved(one.pictures)) for one in self.grids]
        return dataclasses.replace(self, images=_halved(self.images), grids=halved)

    def _classes_of(self, image: int) -> list[int]:
        """The classes whose probabilities are shown for an image, ascending."""
        if len(self.class_names) <= MOST_CLASSES:
            return list(range(len(self.class_names)))
        highest = np.zeros(len(self.class_names))
        for grid in self.grids:
            if grid.image == image:
                highest = np.maximum(highest, grid.frozen.max(axis=(0, 1)))
        highest[self.labels[image]] = 2.0  # first in any case
        return sorted(int(k) for k in np.argsort(-highest)[:MOST_CLASSES])


def explore(
    trained: TrainedRun,
    walks: Iterable[Walk] = (),
    independent: keras.Model | None = None,
) -> Explorer:
    """Compute what the explorer of a run shows.

    Args:
        trained: the run.
        walks: what has been found by inversion, of n = 1 image each.
        independent: a second network that was trained on the same images.

    Returns:
        For two test images of each class (at least 20 in all, if there are so many; of more than
        ten classes, of ten) the learned transformation over each plane, and of those images that
        were inverted what was found.
    """
    walks = list(walks)
    labels = trained.dataset.y_test
    shown = {*image_numbers(labels), *_numbers_of(trained, walks)}
    numbers = sorted(shown, key=lambda i: (labels[i], i))
    images = to_unit_interval(trained.dataset.x_test[numbers])
    planes, note = planes_of(trained)
    count, size = _layout(images, len(planes))
    notes = [note] if note else []
    if count < len(planes):
        planes = planes[:count]
        notes.append("The pictures are large: the explorer has fewer directions and cells.")
    other = None if independent is None else other_network(independent)
    grids = list(transformed_grids(trained, images, planes, size, SPAN, other))
    grids += _inverted_grids(walks, images, planes, frozen_network(trained), other)
    classes = [int(label) for label in labels[numbers]]
    names = trained.dataset.class_names
    return Explorer(numbers, classes, images, names, planes, grids, SPAN, notes)


def _inverted_grids(
    walks: list[Walk],
    images: np.ndarray,
    planes: list[Plane],
    frozen: Network,
    independent: Network | None,
) -> list[Grid]:
    """The walks that lie in one of the planes, the last one of each image and plane."""
    found = {}
    for walk, (p, plane) in itertools.product(walks, enumerate(planes)):
        seen, i = plane.view_of(walk), _place(walk, to_bytes(images))
        if seen is not None and i is not None and _reach(seen) == SPAN:
            found[i, p] = inverted_grid(seen, i, p, frozen, independent)
    return list(found.values())


def numbers_of(grid: Grid, classes: list[int]) -> np.ndarray:
    """The bytes of a grid: see `Explorer.payload`.

    Returns:
        `(cells, 1 + classes)`, or `(cells, 1 + 2 · classes)` with a second network.
    """
    share = np.clip(np.round(100 * grid.explained), -150, 100) + 150
    columns = [np.where(np.isfinite(share), share, UNDEFINED)[..., None]]
    for said in (grid.frozen, grid.independent):
        if said is not None:
            columns.append(np.round(255 * said[..., classes]))
    return np.concatenate(columns, axis=-1).reshape(grid.explained.size, -1)


def saved_walks(folder: Path) -> tuple[list[Walk], list[str]]:
    """The walks that a gallery has kept in a folder, and a line on each that cannot be read."""
    walks, notes = [], []
    for path in sorted(folder.glob("*.npz")):
        try:
            walks.append(Walk.load(path))
        except InputError as error:
            notes.append(f"{error}.")
    return walks, notes


def _layout(images: np.ndarray, planes: int) -> tuple[int, int]:
    """How many planes, and latents a side, fit into the file and the time there is."""
    cell = len(sheet_uri(images[None])) / len(images)
    pixels = images[0, ..., 0].size
    for count, size in LAYOUTS:
        cells = len(images) * min(count, planes) * size**2
        if cells * cell <= SHEETS and cells * pixels <= PIXELS:
            return min(count, planes), size
    return 1, LAYOUTS[-1][1]


def _numbers_of(trained: TrainedRun, walks: list[Walk]) -> list[int]:
    """Which test images walks start at; at most as many as the explorer would show by itself."""
    images = to_bytes(trained.dataset.x_test)
    found = [_place(walk, images) for walk in walks]
    return list(dict.fromkeys(i for i in found if i is not None))[:IMAGES]


def _place(walk: Walk, images: np.ndarray) -> int | None:
    """Which of the images, bytes, a walk starts at; `None` if it is none of them."""
    if walk.start.shape[1:] != images.shape[1:]:
        return None
    same = np.all(images == to_bytes(walk.start[0]), axis=(1, 2, 3))
    return int(np.argmax(same)) if same.any() else None


def _halved(pictures: np.ndarray) -> np.ndarray:
    """Pictures `(…, h, w, c)` at half the size, means of 2 × 2 pixels."""
    h, w, c = (side // 2 for side in (*pictures.shape[-3:-1], 2 * pictures.shape[-1]))
    even = pictures[..., : 2 * h, : 2 * w, :]
    return even.reshape(*pictures.shape[:-3], h, 2, w, 2, c).mean(axis=(-4, -2))


def _reach(walk: Walk) -> float:
    middle = len(walk.latents) // 2
    return round(float(np.linalg.norm(walk.latents[middle, -1])), 3)


def _axis(axis: Axis | None) -> dict[str, Any] | None:
    return None if axis is None else {"kind": axis.kind, "number": axis.number, "name": axis.name}
