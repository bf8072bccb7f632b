"""Does `augment` help? A classifier trained on images alone, and on them and what `augment` adds.

    python benchmarks/augmented_set.py --run DIR [--labels 50 200 1000 all] [--seeds N]
                                        [--draws N] [--json FILE]

A standard classifier learns from n labelled images of the run's data set, class-balanced, for the
same number of steps in each condition:

* `images`: the n images;
* `by transformation`, `by inversion`: they and what `Augmentation` makes of them, as `augment` does
  (`--draws` of each image, the label checked by the run's classifier);
* `shifted`: they and as many that are moved by up to two pixels, the plainest augmentation.

All test images judge. Seeds draw the images, the first weights and the order; conditions share
them, so differences are paired. Note that the run's classifier and generator have seen all labels:
where n is few, this asks whether their knowledge can be handed on by images, not whether few labels
are enough (benchmarks/few_labels.py asks that).
"""

import argparse
import dataclasses
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from few_labels_data import balanced_subset, batches

from keras_filtergan.augmentation.augmentation import Augmentation
from keras_filtergan.augmentation.recipe import Recipe
from keras_filtergan.classifiers.classifier import build_classifier
from keras_filtergan.data import to_unit_interval
from keras_filtergan.files import write_json
from keras_filtergan.runs.trained import TrainedRun

BATCH_SIZE = 64
FEW_STEPS, EPOCHS = 600, 3  # at least so many steps; so many passes over the images alone
MOST_INVERTED = 1000  # images; more would take hours
SHIFT = 2  # pixels
WAYS = {"by transformation": "transformation", "by inversion": "inversion"}

Examples = tuple[np.ndarray, np.ndarray]  # images (n, h, w, c) uint8, labels (n,)


def subset(trained: TrainedRun, count: int, seed: int) -> TrainedRun:
    """The run with so many training images alone."""
    data = trained.dataset
    rows = balanced_subset(data.y_train, count, seed)
    fewer = dataclasses.replace(data, x_train=data.x_train[rows], y_train=data.y_train[rows])
    return dataclasses.replace(trained, dataset=fewer)


def made(trained: TrainedRun, way: str, draws: int, seed: int) -> Examples:
    """What `augment` adds to the images of a run."""
    pieces = Augmentation(trained, Recipe(by=way, draws=draws, seed=seed))
    found = [pieces.piece(number) for number in range(len(pieces))]
    return np.concatenate([p.images for p in found]), np.concatenate([p.labels for p in found])


def shifted(images: np.ndarray, labels: np.ndarray, draws: int, seed: int) -> Examples:
    """Each image so many times, moved by up to `SHIFT` pixels; what comes in is the edge."""
    random, (height, width) = np.random.default_rng(seed), images.shape[1:3]
    padding = ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0))
    wide = np.pad(np.repeat(images, draws, axis=0), padding, mode="edge")
    corners = random.integers(0, 2 * SHIFT + 1, (len(wide), 2))
    moved = [one[y : y + height, x : x + width] for one, (y, x) in zip(wide, corners, strict=True)]
    return np.stack(moved), np.repeat(labels, draws)


def accuracy_of(trained: TrainedRun, examples: Examples, steps: int, seed: int) -> float:
    """Of a standard classifier that learns from examples for so many steps."""
    images, labels = examples
    keras.utils.set_random_seed(seed)
    model = build_classifier(images.shape[1:], trained.dataset.num_classes)
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"])
    rows = tf.data.Dataset.from_tensor_slices(batches(len(images), BATCH_SIZE, steps, seed))
    held, known = tf.constant(images), tf.constant(labels)
    stream = rows.map(
        lambda row: (tf.cast(tf.gather(held, row), tf.float32) / 255.0, tf.gather(known, row))
    )
    model.fit(stream.prefetch(2), verbose=0)
    data = trained.dataset
    answers = model.predict(to_unit_interval(data.x_test), batch_size=500, verbose=0).argmax(-1)
    return float(np.mean(answers == data.y_test))


def conditions(trained: TrainedRun, draws: int, seed: int) -> dict[str, Examples]:
    """What is learned from, by name of the condition."""
    own = trained.dataset.x_train, trained.dataset.y_train
    added = {"images": None, "shifted": shifted(*own, draws, seed)}
    for name, way in WAYS.items():
        if way == "transformation" or len(own[0]) <= MOST_INVERTED:
            added[name] = made(trained, way, draws, seed)
    return {
        name: own if more is None else tuple(map(np.concatenate, zip(own, more, strict=True)))
        for name, more in added.items()
    }


def measure(trained: TrainedRun, count: int, draws: int, seeds: int) -> dict:
    """Test accuracy of each condition and seed, and how many images were learned from."""
    steps = max(FEW_STEPS, EPOCHS * count // BATCH_SIZE)
    accuracy, learned = {}, {}
    for seed in range(seeds):
        few = subset(trained, count, seed)
        for name, examples in conditions(few, draws, seed).items():
            accuracy.setdefault(name, []).append(accuracy_of(few, examples, steps, seed))
            learned[name] = len(examples[0])
            print(f"{count} labels, seed {seed}, {name}: {accuracy[name][-1]:.4f}", flush=True)
    return {"labels": count, "steps": steps, "learned_from": learned, "accuracy": accuracy}


def table(results: list[dict]) -> str:
    """Mean accuracy, and the paired difference to images alone with its standard deviation."""
    lines = ["| labels | learned from | images | accuracy | above images alone, points |"]
    lines.append("|---:|---|---:|---:|---:|")
    for row in results:
        alone = np.array(row["accuracy"]["images"])
        for name, found in row["accuracy"].items():
            above = 100 * (np.array(found) - alone)
            more = "–" if name == "images" else f"{above.mean():+.2f} ± {above.std(ddof=1):.2f}"
            lines.append(
                f"| {row['labels']:,} | {name} | {row['learned_from'][name]:,} "
                f"| {np.mean(found):.4f} | {more} |"
            )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--labels", nargs="+", default=["50", "200", "1000", "all"])
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    trained = TrainedRun.load(options.run)
    sizes = np.unique(trained.dataset.y_train, return_counts=True)[1]
    every = int(sizes.min()) * len(sizes)  # as many of each class as of the smallest
    results = []
    for word in options.labels:
        count = every if word == "all" else int(word)
        results.append(measure(trained, count, options.draws, options.seeds))
        if options.json:
            write_json(options.json, {"run": options.run.name, "results": results})
    print(table(results))


if __name__ == "__main__":
    main()
