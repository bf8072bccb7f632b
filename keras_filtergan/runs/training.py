"""A training run from settings to card: `train` fills a run directory."""

import dataclasses
import hashlib
import itertools
import json
import math
import os
import platform
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_filtergan.classifiers.classifier import build_classifier, load_classifier
from keras_filtergan.classifiers.differentiable import check_differentiable
from keras_filtergan.classifiers.pixel_scale import with_pixel_range, with_preprocessing
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import ImageDataset, load_dataset, to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation import TRAINING_CARD, evaluate
from keras_filtergan.evaluation.chance import chance_note
from keras_filtergan.evaluation.senseless import with_notes
from keras_filtergan.files import save_model
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.gan.methods import get_method
from keras_filtergan.guards.memory import check_memory
from keras_filtergan.runs.callbacks import Tell
from keras_filtergan.runs.checkpoints import Checkpoints, environment
from keras_filtergan.runs.classifier_cache import cached_classifier
from keras_filtergan.runs.fitting import fit
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings
from keras_filtergan.runs.trained import TrainedRun

ADAPT_IMAGES = 4096
TRIED = 16  # test images that a classifier has to have finite answers to


@dataclasses.dataclass(frozen=True)
class Plan:
    """A run whose input has been checked, before anything is written.

    Attributes:
        settings: what is to be done.
        dataset: loaded and validated.
        classifier: trained, if the settings name a file; otherwise the untrained network.
        classifier_fingerprint: of the one that the settings name.
        data_dir: where the data set was found.
    """

    settings: Settings
    dataset: ImageDataset
    classifier: keras.Model
    classifier_fingerprint: str | None = None
    data_dir: str | None = None

    @property
    def config(self) -> dict[str, Any]:
        """Content of `config.json`."""
        return {
            "settings": self.settings.to_dict(),
            "made_of": {
                "dataset": self.dataset.fingerprint,
                "classifier": self.classifier_fingerprint,
            },
            "data_dir": self.data_dir,
            "environment": {**environment(), "python": platform.python_version()},
        }

    @property
    def identity(self) -> str:
        """Hash of settings and data: what a checkpoint belongs to."""
        decisive = [self.config["settings"], self.config["made_of"]]
        return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:16]


def plan(settings: Settings, data_dir: str | None = None) -> Plan:
    """Load the data and check everything that can be wrong before hours are spent on it.

    Args:
        settings: of the run.
        data_dir: where TFDS keeps its prepared sets.

    Raises:
        InputError: data set, classifier or layer do not fit, or TensorFlow cannot differentiate the
            classifier here; one line says which and why.

    Example:
        >>> plan(Settings(layer=4, seed=1)).dataset.image_shape
        (28, 28, 1)
    """
    dataset = load_dataset(settings.dataset, data_dir)
    if settings.batch_size > len(dataset.x_train):
        raise InputError(
            f"expected `batch_size` of at most the {len(dataset.x_train)} training images, "
            f"received {settings.batch_size}"
        )
    if settings.classifier is None:
        classifier = build_classifier(dataset.image_shape, dataset.num_classes, seed=settings.seed)
    else:
        classifier = _scaled(load_classifier(Path(settings.classifier)), settings)
    target = FrozenTarget(classifier, settings.layer)
    if target.image_shape != dataset.image_shape or target.num_classes != dataset.num_classes:
        raise InputError(
            f"expected a classifier of {dataset.image_shape} images in {dataset.num_classes} "
            f"classes, received one of {target.image_shape} in {target.num_classes}"
        )
    if len(np.unique(dataset.y_train)) < 2:
        raise InputError(
            "expected training images of two classes or more, all are of class "
            f"{dataset.class_names[dataset.y_train[0]]!r}; bring images of another"
        )
    weights = 4 * math.prod(target.kernel_shape)  # of G, its average and the slots of its optimizer
    check_memory(
        4 * settings.latent_dim * (weights + 4 * settings.batch_size),
        f"a `latent_dim` of {settings.latent_dim:,}",
        "choose a smaller one",
    )
    image = to_unit_interval(dataset.x_test[:1])
    if settings.classifier is None:
        target(image)  # whatever else may not fit
        fingerprint = None
    else:
        check_differentiable(target, image)
        _check_finite(target, dataset)
        fingerprint = target.fingerprint()
    return Plan(settings, dataset, classifier, fingerprint, data_dir)


def _check_finite(target: FrozenTarget, dataset: ImageDataset) -> None:
    """Refuse a classifier whose weights are finite and whose answers are not."""
    images = to_unit_interval(dataset.x_test[:TRIED])
    features = target.features(images)
    for what, values in (
        (f"what {target.layer_name!r} makes", target.activations(features)),
        ("the answers", target.log_probabilities(target.activations(features), features)),
    ):
        if not np.isfinite(values).all():
            raise InputError(
                f"{what} of the classifier on test images is not finite: its weights are too "
                "large; train it again"
            )


def _scaled(classifier: keras.Model, settings: Settings) -> keras.Model:
    """A user's classifier behind the scaling of pixels that it expects, if it is another."""
    if settings.pixel_range is not None:
        return with_pixel_range(classifier, *settings.pixel_range)
    if settings.preprocessing is not None:
        return with_preprocessing(classifier, settings.preprocessing)
    return classifier


def train(
    settings: Settings | Plan,
    run: RunDirectory | str | os.PathLike,
    verbose: int = 1,
    say: Callable[[str], None] = print,
    metrics: Iterable[str] = TRAINING_CARD,
    tell: Tell | None = None,
    board: Path | None = None,
) -> tuple[TrainedRun, dict[str, Any]]:
    """Train, or go on training, and write the card.

    Args:
        settings: of the run, which are checked first; or a plan, which has been checked.
        run: the directory where everything goes; a checkpoint in it is continued.
        verbose: Keras verbosity, 1 for progress bars.
        say: takes one-line messages for the user.
        metrics: what the card shall hold.
        tell: takes how far a long phase is: its name, steps done, steps in all, and a text.
        board: folder for TensorBoard, if it is wanted.

    Returns:
        The trained run and its card.

    Raises:
        InputError: the run directory belongs to other settings, or another process writes there.
        DivergenceError: a loss became NaN or infinite.
        Interrupted: after SIGINT or SIGTERM; the state is saved.

    Example:
        >>> trained, card = train(Settings(layer=4), "runs/first")
        >>> card["swapped_accuracy"]["mean"]
        0.9806
    """
    run = RunDirectory.of(run)
    planned = plan(settings) if isinstance(settings, Settings) else settings
    run.check(planned.config)
    with run.locked(say):
        return _train(planned, run, verbose, say, metrics, tell, board)


def _train(
    planned: Plan,
    run: RunDirectory,
    verbose: int,
    say: Callable[[str], None],
    metrics: Iterable[str],
    tell: Tell | None,
    board: Path | None,
) -> tuple[TrainedRun, dict[str, Any]]:
    run.create(planned.config)
    if planned.dataset.note:
        say(planned.dataset.note)
    target = FrozenTarget(_trained_classifier(planned, run, verbose, say), planned.settings.layer)
    note = chance_note(target, planned.dataset) if planned.settings.classifier else None
    if note:
        say(note)
    gan = build_gan(planned, target)
    for line in gan.notes:
        say(line)
    _record(run, planned, target)
    say(f"FilterGAN on {target.layer_name}: kernels {target.kernel_shape}")
    checkpoints = Checkpoints(run.checkpoints, planned.identity, say=say)
    fit(gan, planned.settings, planned.dataset, run, checkpoints, verbose, tell, board)
    say("evaluating on held-out images")
    trained = TrainedRun.of(gan, planned.settings, planned.dataset).save(run)
    card = evaluate(trained.subject(), metrics, _each_metric(list(metrics), tell))
    card = with_notes(card, planned.dataset)
    run.write_evaluation(card)
    return trained, card


def _each_metric(names: list[str], tell: Tell | None) -> Callable[[str], None] | None:
    """Counts the lines that evaluation says, one a metric."""
    if tell is None:
        return None
    done = itertools.count(1)
    return lambda line: tell("evaluating", next(done), len(names), line)


def build_gan(plan: Plan, target: FrozenTarget) -> FilterGAN:
    """A compiled and adapted FilterGAN with the settings of a plan.

    Args:
        plan: from `plan`.
        target: its classifier, trained, and split at its layer.
    """
    settings = plan.settings
    kind = get_method(settings.method)
    gan = kind(
        target,
        **{name: getattr(settings, name) for name in kind.hyperparameters},
        seed=settings.seed,
    )

    def falling(learning_rate: float) -> keras.optimizers.schedules.LearningRateSchedule:
        return keras.optimizers.schedules.CosineDecay(learning_rate, settings.steps)

    gan.compile(
        g_optimizer=keras.optimizers.RMSprop(falling(settings.g_learning_rate)),
        d_optimizer=keras.optimizers.RMSprop(falling(settings.dq_learning_rate)),
        q_optimizer=keras.optimizers.RMSprop(falling(settings.dq_learning_rate)),
        t_optimizer=keras.optimizers.Adam(falling(settings.t_learning_rate)),
    )
    order = np.random.default_rng(settings.seed).permutation(len(plan.dataset.x_train))
    some = np.sort(order[:ADAPT_IMAGES])
    gan.adapt(plan.dataset.x_train[some], plan.dataset.y_train[some])
    return gan


def _trained_classifier(
    plan: Plan, run: RunDirectory, verbose: int, say: Callable[[str], None]
) -> keras.Model:
    """The run's classifier: its own, the one named, one trained before, or a new one."""
    if run.classifier.exists():
        return load_classifier(run.classifier)
    settings = plan.settings
    if settings.classifier is not None:
        save_model(plan.classifier, run.classifier)
        return load_classifier(run.classifier)
    standard = cached_classifier(
        plan.dataset, run.path.parent, settings.classifier_epochs, settings.seed, verbose, say
    )
    classifier = load_classifier(standard)
    save_model(classifier, run.classifier)
    return classifier


def _record(run: RunDirectory, plan: Plan, target: FrozenTarget) -> None:
    """Write down which network this run is about.

    A resumed run must still be about that network.
    """
    fingerprint = target.fingerprint()
    if not run.is_complete:  # a card of networks that are no longer all there
        run.evaluation.unlink(missing_ok=True)
    if run.read_config().get("target_fingerprint", fingerprint) != fingerprint:
        raise InputError(f"{str(run.classifier)!r} is not the classifier this run was begun with")
    run.write_config({**plan.config, "target_fingerprint": fingerprint})
