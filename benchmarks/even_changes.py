"""How even are real changes of images? What `even_share` and T could reach, in closed form.

    python benchmarks/even_changes.py RUN [--json FILE]

Images are moved along each known displacement (`images.known_changes`) by an amount and by its
opposite. For each amount: the size of the change of real activations, as a share of their variance
over images, and how much of the change is the same for both signs, in pixels and in activations.
An amount of 1 is that of `known_changes`: a shift by one pixel, a slant of 0.2 pixels a row.

A generator that is linear in z changes activations by opposite amounts at +s and −s. So a moved
image can follow it in the odd part of its own change only.
"""

import argparse
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_filtergan.data import to_unit_interval
from keras_filtergan.displacement import sample_cubic
from keras_filtergan.files import write_json
from keras_filtergan.images.known_changes import displacement_fields
from keras_filtergan.runs.trained import TrainedRun

AMOUNTS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0)
IMAGES, OF_VARIANCE = 200, 2000  # test images that are moved, and those of the variance


def measured(trained: TrainedRun) -> dict[str, dict[str, dict[str, float]]]:
    """Kind of change → amount → size, even share of pixels, even share of activations."""
    target = trained.target

    def activations(images: tf.Tensor) -> np.ndarray:
        return _rows(target.activations(target.features(images)))

    images = tf.constant(to_unit_interval(trained.dataset.x_test[:OF_VARIANCE]))
    variance = activations(images).var(axis=0).sum()
    images = images[:IMAGES]
    pixels, real = _rows(images), activations(images)
    found: dict = {}
    for kind, field in displacement_fields(target.image_shape).items():
        found[kind] = {}
        for amount in AMOUNTS:
            moved = [_moved(images, sign * amount * field(images)) for sign in (1, -1)]
            changes = [activations(each) - real for each in moved]
            size = np.mean([np.square(change).sum(axis=1).mean() for change in changes])
            found[kind][f"{amount:g}"] = {
                "size": size / variance,
                "even in pixels": _even(*(_rows(each) - pixels for each in moved)),
                "even in activations": _even(*changes),
            }
    return found


def _moved(images: tf.Tensor, field: np.ndarray | tf.Tensor) -> tf.Tensor:
    everywhere = tf.broadcast_to(tf.cast(field, tf.float32), [*images.shape[:3], 2])
    return tf.clip_by_value(sample_cubic(images, everywhere), 0.0, 1.0)


def _even(forth: np.ndarray, back: np.ndarray) -> float:
    """Share of two changes that is the same: `anatomy.even_share` of a walk of two cells."""
    return np.square(forth + back).sum() / 2 / (np.square(forth).sum() + np.square(back).sum())


def _rows(values: tf.Tensor) -> np.ndarray:
    return values.numpy().reshape(len(values), -1).astype(np.float64)


def table_of(found: dict[str, dict[str, dict[str, float]]]) -> str:
    """A row a kind, a column an amount: size, even in pixels, even in activations."""
    lines = [f"{'':13}" + "".join(f"{amount:>18g}" for amount in AMOUNTS)]
    for kind, amounts in found.items():
        cells = ("  ".join(f"{value:.2f}" for value in row.values()) for row in amounts.values())
        lines.append(f"{kind:13}" + "".join(f"{cell:>18}" for cell in cells))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = measured(TrainedRun.load(options.run, os.environ.get("TFDS_DATA_DIR")))
    print(table_of(found))
    if options.json:
        write_json(options.json, found)


if __name__ == "__main__":
    main()
