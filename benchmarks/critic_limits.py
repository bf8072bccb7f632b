"""What can vary how much before a fresh critic notices? Sources of activations, side by side.

    python benchmarks/critic_limits.py [--run DIR] [--json FILE]

The critic of the card (`critic_accuracy`) against

* `shift`: the real kernels on images moved by that many whole pixels in a random direction,
* `slant`: the real kernels on images whose rows are moved by whole pixels, in proportion to their
  height above the middle, by up to that many, to the left or to the right,
* `noise`: the real kernels with white noise of that share of their spread,

beside the variation V_z / V_x, the accuracy of the classifier, and `natural_critic`, which sees
natural coordinates only. Whole pixels need no interpolation, whose blur a critic would notice
first. The first two are ordinary images to the classifier: they say how conspicuous changes are
that nobody would call unnatural.
"""

import argparse
import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_filtergan.data import to_unit_interval
from keras_filtergan.displacement import sample_bilinear
from keras_filtergan.evaluation.baselines import NoisyKernels
from keras_filtergan.evaluation.metrics.activations import variance_over_images
from keras_filtergan.evaluation.metrics.critic import accuracy_against, generated_by
from keras_filtergan.evaluation.metrics.natural_critic import build_natural_critic, moved_images
from keras_filtergan.files import write_json
from keras_filtergan.runs.run_directory import latest_run, open_run
from keras_filtergan.runs.trained import TrainedRun

STRENGTHS = {
    "shift": (1, 2, 3),
    "slant": (1, 2, 4),
    "noise": (0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
}
IMAGES, DRAWS = 500, 10


def shift(pixels):
    return lambda subject: moved_images(subject, pixels)


def slant(pixels):
    """Rows moved by whole pixels, to the side of the sign of a latent's first number."""

    def of_subject(subject):
        @tf.function
        def activations(images, fields):
            slanted = sample_bilinear(images, fields)
            return subject.target.activations(subject.target.features(slanted))

        def source(images, latents):
            height = np.linspace(-1, 1, images.shape[1])
            side = np.sign(np.asarray(latents)[:, :1])
            fields = np.zeros((*images.shape[:3], 2))
            fields[..., 1] = np.round(pixels * side * height)[:, :, None]
            return activations(images, tf.constant(fields, tf.float32))

        return source

    return of_subject


def noise(share):
    def of_subject(subject):
        real = subject.target.kernel.numpy()
        kernels = NoisyKernels(real, subject.latent_dim, share * real.std(), subject.seed)
        return generated_by(subject.with_kernels(kernels))

    return of_subject


def measure(subject, source):
    """Variation V_z / V_x, accuracy of the frozen classifier, accuracy of a fresh critic."""
    count = min(IMAGES, len(subject.labels))
    images = tf.constant(to_unit_interval(subject.dataset.x_test[:count]))
    latents = np.random.default_rng(1).standard_normal((DRAWS, count, subject.latent_dim))
    maps = np.stack([source(images, draw.astype("float32")) for draw in latents])
    variation = maps.var(axis=0, ddof=1).sum() / count / variance_over_images(subject)
    features = subject.target.features(images)
    answers = [np.argmax(subject.target.outputs(draw, features), axis=-1) for draw in maps]
    return {
        "activation_variation": float(variation),
        "classifier": float(np.mean(np.asarray(answers) == subject.labels[:count])),
        "critic_accuracy": accuracy_against(subject, source),
        "natural_critic": accuracy_against(subject, source, build_natural_critic),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="gives network and images; default the latest")
    parser.add_argument("--json", type=Path, help="write the table here as well")
    options = parser.parse_args()
    run = open_run(options.run) if options.run else latest_run(Path("runs"))
    subject = TrainedRun.load(run, os.environ.get("TFDS_DATA_DIR")).subject()
    head = f"{'':8}{'strength':>10}{'variation':>12}{'classifier':>12}{'critic':>10}{'natural':>10}"
    print(head)
    rows = []
    for kind, make in {"shift": shift, "slant": slant, "noise": noise}.items():
        for strength in STRENGTHS[kind]:
            found = measure(subject, make(strength)(subject))
            numbers = f"{found['activation_variation']:12.4f}{found['classifier']:12.3f}"
            critics = f"{found['critic_accuracy']:10.3f}{found['natural_critic']:10.3f}"
            print(f"{kind:8}{strength:10g}{numbers}{critics}", flush=True)
            rows.append({"source": kind, "strength": strength, **found})
    if options.json:
        write_json(options.json, {"run": run.path.name, "rows": rows})


if __name__ == "__main__":
    main()
