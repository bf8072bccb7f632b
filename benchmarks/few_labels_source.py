"""The network and the generator of the first half of a set's classes, on which all else stands."""

import argparse
from pathlib import Path

import tensorflow as tf
from few_labels_conditions import Condition, kernel_draws
from few_labels_data import save_npz

from keras_filtergan.data import ImageDataset
from keras_filtergan.evaluation.baselines import matching_amount
from keras_filtergan.evaluation.metrics.activations import activation_variation
from keras_filtergan.gan.methods import METHODS
from keras_filtergan.generators.kernel_source import KernelFunction, KernelSource
from keras_filtergan.runs import training
from keras_filtergan.runs.run_directory import RunDirectory, open_run
from keras_filtergan.runs.settings import Settings
from keras_filtergan.runs.trained import TrainedRun

CARD = (
    *("classifier_accuracy", "swapped_accuracy", "averaged_accuracy"),
    *("activation_variation", "activation_bias", "code_r2"),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `trained_on` needs to know."""
    add = parser.add_argument
    add("--dataset", default="mnist")
    add("--layer", type=int, default=Settings.layer)
    add("--method", choices=METHODS, default="infogan", help="of the FilterGAN")
    add("--seed", type=int, default=0, help="of classifier and FilterGAN")
    add("--filtergan-steps", type=int, default=3000)
    add("--classifier-epochs", type=int, default=Settings.classifier_epochs)
    add("--out", type=Path, default=Path("runs/few_labels"), help="where the trained run goes")


def trained_on(old: ImageDataset, options: argparse.Namespace) -> TrainedRun:
    """Classifier and FilterGAN of the first half of the classes, trained unless they are there."""
    settings = Settings.of_method(
        options.method,
        layer=options.layer,
        dataset=str(save_npz(old, options.out)),
        steps=options.filtergan_steps,
        classifier_epochs=options.classifier_epochs,
        seed=options.seed,
    )
    named = () if options.method == "infogan" else (options.method,)
    words = [old.name, *named]
    words += [f"{name}{getattr(settings, name)}" for name in ("layer", "seed", "steps")]
    run = RunDirectory(options.out / "-".join(words))
    plan = training.plan(settings)
    run.check(plan.config)  # what is there may have been trained otherwise
    if not run.is_complete:
        training.train(plan, run, verbose=0, say=lambda line: None, metrics=CARD)
    return TrainedRun.load(open_run(run.path))


def noise_scale(trained: TrainedRun) -> float:
    """Noise on the real kernels at which activations vary as they do with the latent."""
    subject = trained.subject()
    noise = Condition("noise", "noise")

    def make(scale: float) -> KernelSource:
        draw = kernel_draws(noise, trained.target, trained.generator, scale)
        key = tf.constant([0, 0], tf.int64)
        return KernelFunction(lambda latents: draw(key, len(latents)), subject.latent_dim)

    return matching_amount(subject, make, activation_variation(subject).value)
