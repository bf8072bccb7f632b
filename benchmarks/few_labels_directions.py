"""Along which directions do augmentations move activations, of old classes and of new ones?

    python benchmarks/few_labels_directions.py [--dataset NAME] [--filtergan-steps N] [--rank N]
                                               [--json FILE]

The sources are those of `few_labels.py`, behind the same frozen network: drawn kernels, changed
images, and, as what one would wish for, another image of the same class. Each gives changes of the
activations at the layer, one an image of the test set. Of the classes that the generator was
trained on, and of the new ones:

* `variation`: mean square of the changes over that of the distances from the mean activation,
* `discriminant`: how well the classes can be told apart along the changes (`discriminant`),
* `natural`: share of the changes in the main directions by which images of one class differ,
* `coverage`: share of what images of one class differ by in the main directions of the changes.

Of a good augmentation the discriminant is low and the two shares are high.
"""

import argparse
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf
from few_labels import CENTRED, GENERATED, IMAGES, NOISE
from few_labels_conditions import Condition, ImageAugmentation, kernel_draws
from few_labels_data import halves
from few_labels_source import add_options, noise_scale, trained_on

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import ImageDataset, load_dataset, to_unit_interval
from keras_filtergan.data.batches import map_in_batches
from keras_filtergan.files import write_json
from keras_filtergan.runs.trained import TrainedRun

SOURCES = (
    Condition("generated", **GENERATED),
    Condition("centred", **CENTRED),
    Condition("noise", **NOISE),
    Condition("images", images=IMAGES),
)
FIGURES = ("variation", "discriminant", "natural", "coverage")
SAME_CLASS = "same class"  # two images of it, the wish
COUNT = 2000  # images that are changed, and as many that judge


def changes(
    condition: Condition, trained: TrainedRun, scale: float, images: np.ndarray
) -> np.ndarray:
    """What the condition changes the activations by, one draw an image, `(n, features)`."""
    target = trained.target
    draw = kernel_draws(condition, target, trained.generator, scale)
    augment = ImageAugmentation(condition, trained.transformation)
    augment.restart(seed=0)
    batches = iter(range(len(images)))

    def change(batch: np.ndarray) -> list[tf.Tensor]:
        batch, key = to_unit_interval(batch), tf.constant((0, next(batches)), tf.int64)
        kernels = None if draw is None else draw(key, len(batch))
        moved = target.activations(target.features(augment(batch, key)), kernels)
        return [moved - target.activations(target.features(batch))]

    return _rows(map_in_batches(change, images)[0])


def activations_of(target: FrozenTarget, images: np.ndarray) -> np.ndarray:
    """What the real kernels make of images, `(n, features)`."""

    def activate(batch: np.ndarray) -> list[tf.Tensor]:
        return [target.activations(target.features(to_unit_interval(batch)))]

    return _rows(map_in_batches(activate, images)[0])


def same_class(activations: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Differences between each image and the next one of its class, `(n, features)`."""
    following = np.empty(len(labels), int)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        following[members] = np.roll(members, -1)
    return activations[following] - activations


def discriminant(changes: np.ndarray, activations: np.ndarray, labels: np.ndarray) -> float:
    """Variance between class means over variance within classes, along the changes.

    Fisher's criterion Σ u'S_B u / Σ u'S_W u, summed over the changes u, each class with the same
    weight: 0 for changes at right angles to all differences between class means.

    Args:
        changes: `(k, features)`.
        activations: `(n, features)`.
        labels: theirs, `(n,)`.
    """
    means, residuals = class_means(activations, labels)
    between = (means - means.mean(axis=0)) @ changes.T
    within = np.mean(np.square(residuals @ changes.T), axis=0)
    return float(np.mean(np.square(between), axis=0).sum() / within.sum())


def captured(values: np.ndarray, directions_of: np.ndarray, rank: int) -> float:
    """Share of the squares of `values` in the `rank` main directions of the others.

    Both are `(n, features)`; directions through the origin: no mean is taken away.
    """
    directions = np.linalg.svd(directions_of, full_matrices=False)[2][:rank]
    return float(np.square(values @ directions.T).sum() / np.square(values).sum())


def class_means(activations: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean of each class, and each activation less that of its class."""
    classes, places = np.unique(labels, return_inverse=True)
    means = np.stack([activations[labels == label].mean(axis=0) for label in classes])
    return means, activations - means[places]


def _rows(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1).astype("float64")


def measured(
    trained: TrainedRun, classes: ImageDataset, conditions: Iterable[Condition], rank: int
) -> dict[str, dict]:
    """The four figures of each source on the test images of some classes.

    Changes are of `COUNT` images, what they are held against is of as many others.
    """
    scale = noise_scale(trained)
    images, labels = classes.x_test[:COUNT], classes.y_test[:COUNT]
    others, other_labels = classes.x_test[COUNT : 2 * COUNT], classes.y_test[COUNT : 2 * COUNT]
    activations = activations_of(trained.target, images)
    held = activations_of(trained.target, others), other_labels
    spread = np.square(activations - activations.mean(axis=0)).sum(axis=1).mean()
    sources = {one.title: changes(one, trained, scale, images) for one in conditions}
    sources[SAME_CLASS] = same_class(activations, labels)
    residuals = class_means(*held)[1]
    return {
        name: {
            "variation": float(np.square(moved).sum(axis=1).mean() / spread),
            "discriminant": discriminant(moved, *held),
            "natural": captured(moved, residuals, rank),
            "coverage": captured(residuals, moved, rank),
        }
        for name, moved in sources.items()
    }


def table_of(results: dict[str, dict[str, dict]]) -> str:
    """Markdown: a row a source, a column a figure of old and of new classes."""
    figures = [(figure, half) for figure in FIGURES for half in results]
    lines = ["| | " + " | ".join(f"{figure}, {half}" for figure, half in figures) + " |"]
    lines.append("|---" * (len(figures) + 1) + "|")
    for source in next(iter(results.values())):
        values = [f"{results[half][source][figure]:.3f}" for figure, half in figures]
        lines.append(f"| {source} | " + " | ".join(values) + " |")
    return "\n".join(lines)


def main() -> None:
    options = parse()
    old, new = halves(load_dataset(options.dataset, os.environ.get("TFDS_DATA_DIR")))
    trained = trained_on(old, options)
    results = {half.name: measured(trained, half, SOURCES, options.rank) for half in (old, new)}
    print(table_of(results))
    if options.json:
        write_json(options.json, results)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_options(parser)
    parser.add_argument(
        "--rank", type=int, default=50, help="how many directions are the main ones"
    )
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
