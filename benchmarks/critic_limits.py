"""What can vary how much before a fresh critic notices? Sources of activations, side by side.

    python benchmarks/critic_limits.py [--run DIR] [--json FILE]

The critic of the card (`critic_accuracy`) against

* `shift`: the real kernels on images moved by a random whole number of pixels,
* `bend`: the real kernels on images rotated and slanted by a little (bilinear),
* `noise`: the real kernels with white noise, on the images as they are,

each at several strengths, beside the variation V_z / V_x and the accuracy of the classifier. The
first two are images that the classifier takes for what they are: no generator of kernels that acts
as a change of images can be expected to be less conspicuous than they are.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_filtergan.data import to_unit_interval
from keras_filtergan.displacement import sample_bilinear
from keras_filtergan.evaluation.activation_variation import variance_over_images
from keras_filtergan.evaluation.baselines import NoisyKernels
from keras_filtergan.evaluation.critic_accuracy import accuracy_against, generated_by
from keras_filtergan.runs import latest_run, open_run
from keras_filtergan.trained import TrainedRun

STRENGTHS = {
    "shift": (0.25, 0.5, 1.0, 2.0),  # pixels: the standard deviation before rounding
    "bend": (0.01, 0.03, 0.1, 0.3),  # radians of rotation and slope of the slant
    "noise": (0.01, 0.03, 0.1, 0.3, 1.0),  # of the spread of the real kernels
}
IMAGES, DRAWS = 500, 10


def real_activations(subject, move):
    """A source: what the real kernels make of moved images."""
    target = subject.target

    @tf.function
    def activations(images, fields):
        return target.activations(target.features(sample_bilinear(images, fields)))

    def source(images, latents):
        return activations(images, tf.constant(move(np.asarray(latents), images.shape)))

    return source


def shift(strength):
    def fields(latents, shape):
        pixels = np.round(strength * latents[:, :2]).astype("float32")
        return np.broadcast_to(pixels[:, None, None, :], (*shape[:3], 2))

    return fields


def bend(strength):
    def fields(latents, shape):
        h, w = shape[1:3]
        down, right = np.meshgrid(np.arange(h) - (h - 1) / 2, np.arange(w) - (w - 1) / 2)
        down, right = down.T, right.T
        turn, slant = strength * latents[:, :2].T[..., None, None]
        move = np.stack([-turn * right, (turn + slant) * down], axis=-1)
        return move.astype("float32")

    return fields


def noise(strength):
    def source_of(subject):
        real = subject.target.kernel.numpy()
        kernels = NoisyKernels(real, subject.latent_dim, strength * real.std(), subject.seed)
        return generated_by(subject.with_kernels(kernels))

    return source_of


def source_of(kind, strength, subject):
    if kind == "noise":
        return noise(strength)(subject)
    return real_activations(subject, {"shift": shift, "bend": bend}[kind](strength))


def measure(subject, source):
    """Variation V_z / V_x, accuracy of the frozen classifier, accuracy of a fresh critic."""
    rows = slice(0, IMAGES)
    images = tf.constant(to_unit_interval(subject.dataset.x_test[rows]))
    latents = np.random.default_rng(1).standard_normal((DRAWS, IMAGES, subject.latent_dim))
    maps = np.stack([source(images, draw.astype("float32")) for draw in latents])
    variation = maps.var(axis=0, ddof=1).sum() / IMAGES / variance_over_images(subject)
    features = subject.target.features(images)
    answers = [np.argmax(subject.target.outputs(draw, features), axis=-1) for draw in maps]
    accuracy = np.mean(np.asarray(answers) == subject.labels[rows])
    return {
        "activation_variation": float(variation),
        "classifier": float(accuracy),
        "critic_accuracy": accuracy_against(subject, source),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="gives network and images; default the latest")
    parser.add_argument("--json", type=Path, help="write the table here as well")
    options = parser.parse_args()
    run = open_run(options.run) if options.run else latest_run(Path("runs"))
    subject = TrainedRun.load(run, os.environ.get("TFDS_DATA_DIR")).subject()
    print(f"{'':8}{'strength':>10}{'variation':>12}{'classifier':>12}{'critic':>10}")
    rows = []
    for kind, strengths in STRENGTHS.items():
        for strength in strengths:
            found = measure(subject, source_of(kind, strength, subject))
            numbers = f"{found['activation_variation']:12.4f}{found['classifier']:12.3f}"
            print(f"{kind:8}{strength:10g}{numbers}{found['critic_accuracy']:10.3f}", flush=True)
            rows.append({"source": kind, "strength": strength, **found})
    if options.json:
        options.json.write_text(json.dumps({"run": run.path.name, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
