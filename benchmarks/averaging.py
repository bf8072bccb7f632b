"""Is an average over ten generated layers worth re-training for? Several re-trainings, in pairs.

    python benchmarks/averaging.py --runs DIR [DIR ...] [--orders 3] [--json FILE]

The card re-trains once and compares two numbers that differ by a handful of images. Here each of
several orders of the training images (with ten latents of its own) re-trains what follows the layer

* `real`: on the real activations, the control;
* `averaged`: on activations averaged over ten latents, as on the card: as a convolution is linear
  in its kernels, this is one convolution with the mean kernels;
* `pooled`: on the average of what the layer's nonlinearity makes of them, which no single set of
  kernels makes; what precedes the nonlinearity stays frozen;
* `pooled real`: the control of that, real kernels with the same layers frozen.
"""

import argparse
import dataclasses
import os
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.copies import copied
from keras_filtergan.data import to_unit_interval
from keras_filtergan.data.batches import cached_map, map_in_batches
from keras_filtergan.evaluation import Subject
from keras_filtergan.evaluation.metrics.accuracy import AVERAGED_LATENTS as LATENTS
from keras_filtergan.evaluation.metrics.retraining import (
    retrain,
    retrained_accuracy,
)
from keras_filtergan.files import write_json
from keras_filtergan.runs.run_directory import open_run
from keras_filtergan.runs.trained import TrainedRun

KINDS = ("real", "averaged", "pooled real", "pooled")


def measured(subject: Subject) -> dict[str, float]:
    """Test accuracy of each kind, for this subject's order and latents."""
    real = subject.target.kernel
    return {
        "real": retrained_accuracy(subject, real),
        "averaged": retrained_accuracy(subject, subject.mean_kernels(LATENTS)),
        "pooled real": pooled_accuracy(subject, real[None]),
        "pooled": pooled_accuracy(subject, subject.kernel_sets(LATENTS)),
    }


def pooled_accuracy(subject: Subject, kernels: tf.Tensor) -> float:
    """Test accuracy with the rectified activations of `(n, kh, kw, cin, cout)` averaged.

    What follows the nonlinearity is re-trained as `retrained_suffix` does it.
    """
    target, dataset = subject.target, subject.dataset
    rectifier = nonlinearity(target.classifier, target.layer)

    @tf.function
    def pooled(images: tf.Tensor) -> list[tf.Tensor]:
        scaled = to_unit_interval(images)
        parts = [target.record(scaled, one)[rectifier.name] for one in tf.unstack(kernels)]
        return [tf.add_n(parts) / len(parts)]

    head = copied(keras.Model(rectifier.output, target.classifier.output))
    entering = cached_map(pooled, dataset.x_train)
    retrain(head, lambda parts: head(parts[0], training=True), entering, subject)
    [testing] = map_in_batches(pooled, dataset.x_test)
    answers = [head(testing[i : i + 250], training=False) for i in range(0, len(testing), 250)]
    return float(np.mean(np.argmax(np.concatenate(answers), axis=-1) == dataset.y_test))


def nonlinearity(classifier: keras.Model, layer: keras.Layer) -> keras.Layer:
    """The first ReLU behind a convolution of the standard network."""
    layers = classifier.layers
    behind = layers[layers.index(layer) :]
    return next(one for one in behind if isinstance(one, keras.layers.ReLU))


def mean_gain(rows: list[dict], kind: str, control: str) -> tuple[float, float]:
    """Mean difference of two kinds, and its standard error.

    Orders of one run share its generator and classifier: of several runs, each one's mean counts
    as one observation. Of a single run its orders do, and the error says nothing of other runs.
    """
    of_run: dict[str, list[float]] = {}
    for row in rows:
        of_run.setdefault(row["run"], []).append(row[kind] - row[control])
    gains = [np.mean(one) for one in of_run.values()]
    if len(gains) == 1:
        [gains] = of_run.values()
    error = np.std(gains, ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
    return float(np.mean(gains)), float(error)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, nargs="+", required=True)
    parser.add_argument("--orders", type=int, default=3, help="re-trainings of each kind")
    parser.add_argument("--json", type=Path, help="write the table here as well")
    options = parser.parse_args()
    rows = []
    for path in options.runs:
        subject = TrainedRun.load(open_run(path), os.environ.get("TFDS_DATA_DIR")).subject()
        for order in range(options.orders):
            found = measured(dataclasses.replace(subject, seed=subject.seed + 100 * order))
            print(path.name, order, *(f"{kind} {found[kind]:.4f}" for kind in KINDS), flush=True)
            rows.append({"run": path.name, "order": order, **found})
    for kind, control in (("averaged", "real"), ("pooled", "pooled real"), ("pooled", "real")):
        gain, error = mean_gain(rows, kind, control)
        print(f"{kind} - {control}: {gain:+.5f} ± {error:.5f} (standard error)")
    if options.json:
        write_json(options.json, {"rows": rows})


if __name__ == "__main__":
    main()
