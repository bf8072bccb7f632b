"""A training run from settings to card: `train` fills a run directory."""

import dataclasses
import os
import platform
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_filtergan.classifiers.classifier import build_classifier, load_classifier
from keras_filtergan.classifiers.copies import in_precision
from keras_filtergan.classifiers.cost import cost_note
from keras_filtergan.classifiers.differentiable import check_differentiable, check_finite
from keras_filtergan.classifiers.pixel_scale import scaled
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import ImageDataset, load_dataset, to_unit_interval
from keras_filtergan.distribution.engine import Engine
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation import TRAINING_CARD, evaluate
from keras_filtergan.evaluation.first_look import first_look
from keras_filtergan.evaluation.senseless import with_notes
from keras_filtergan.files import save_model
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.gan.methods import get_method
from keras_filtergan.guards.graphs import begin_afresh
from keras_filtergan.runs.callbacks import Tell, each_metric
from keras_filtergan.runs.checkpoints import Checkpoints, environment, identity_of
from keras_filtergan.runs.classifier_cache import cached_classifier
from keras_filtergan.runs.fitting import fit
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings, check_fit
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
        return identity_of(self.config)


def plan(
    settings: Settings, data_dir: str | None = None, say: Callable[[str], None] = print
) -> Plan:
    """Load the data and check everything that can be wrong before hours are spent on it.

    Args:
        settings: of the run.
        data_dir: where TFDS keeps its prepared sets.
        say: takes one line if a step will take more time or memory than one expects.

    Raises:
        InputError: data set, classifier or layer do not fit, or TensorFlow cannot differentiate the
            classifier here; one line says which and why.

    Example:
        >>> plan(Settings(layer=4, seed=1)).dataset.image_shape
        (28, 28, 1)
    """
    dataset = load_dataset(settings.dataset, data_dir, settings.image_size)
    if settings.classifier is None:
        classifier = build_classifier(dataset.image_shape, dataset.num_classes, seed=settings.seed)
    else:
        classifier = load_classifier(Path(settings.classifier))
        classifier = scaled(classifier, settings.pixel_range, settings.preprocessing)
    target = FrozenTarget(classifier, settings.layer)
    note = cost_note(target.classifier, target.layer_name, settings.batch_size)
    if note:
        say(note)
    check_fit(settings, dataset, target)
    image = to_unit_interval(dataset.x_test[:1])
    if settings.classifier is None:
        target(image)  # whatever else may not fit
        fingerprint = None
    else:
        check_differentiable(target, image)
        check_finite(target, to_unit_interval(dataset.x_test[:TRIED]))
        fingerprint = target.fingerprint()
    return Plan(settings, dataset, classifier, fingerprint, data_dir)


def train(
    settings: Settings | Plan,
    run: RunDirectory | str | os.PathLike,
    verbose: int = 1,
    say: Callable[[str], None] = print,
    metrics: Iterable[str] = TRAINING_CARD,
    tell: Tell | None = None,
    board: Path | None = None,
    engine: Engine | None = None,
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
        engine: on what; one device if it is not given. Of several processes all call this, and
            the chief writes.

    Returns:
        The trained run and its card.

    Raises:
        InputError: the run directory belongs to other settings, or another process writes there.
        DivergenceError: a loss became NaN or infinite.
        Interrupted: after SIGINT or SIGTERM; the state is saved.
        LostWorkerError: another process of the engine is gone.

    Example:
        >>> trained, card = train(Settings(layer=4), "runs/first")
        >>> card["swapped_accuracy"]["mean"]
        0.9806
    """
    begin_afresh()
    run = RunDirectory.of(run)
    planned = plan(settings) if isinstance(settings, Settings) else settings
    engine = engine or Engine()
    if not engine.is_chief:
        gan = _trained_gan(planned, run, 0, _nothing, engine)
        engine.wait()  # until the chief has written the card
        return _finished(planned, gan), run.read_evaluation()
    run.check(planned.config)
    with run.locked(say):
        run.create(planned.config)
        if planned.dataset.note:
            say(planned.dataset.note)
        gan = _trained_gan(planned, run, verbose, say, engine, tell, board)
        made = _recorded(planned, run, gan, say, metrics, tell)
    engine.wait()
    return made


def _nothing(line: str) -> None:
    """What processes say that are not the chief."""


def _finished(planned: Plan, gan: FilterGAN) -> TrainedRun:
    """What has been trained, its latent rotated: the last step of training, in every process."""
    trained = TrainedRun.of(gan, planned.settings, planned.dataset)
    trained.rotate_to_kinds()
    return trained


def _recorded(
    planned: Plan,
    run: RunDirectory,
    gan: FilterGAN,
    say: Callable[[str], None],
    metrics: Iterable[str],
    tell: Tell | None,
) -> tuple[TrainedRun, dict[str, Any]]:
    """What has been trained, with its card, both kept in the directory."""
    trained = _finished(planned, gan).save(run)
    if any(trained.kinds):
        say(f"latent dimensions: {', '.join(trained.dimensions)}")
    say("evaluating on held-out images")
    card = evaluate(trained.subject(), metrics, each_metric(list(metrics), tell))
    card = with_notes(card, planned.dataset)
    run.write_evaluation(card)
    return trained, card


def _trained_gan(
    plan: Plan,
    run: RunDirectory,
    verbose: int,
    say: Callable[[str], None],
    engine: Engine,
    tell: Tell | None = None,
    board: Path | None = None,
) -> FilterGAN:
    """The GAN of a run after its last step."""
    if engine.is_chief:
        classifier = _trained_classifier(plan, run, verbose, say, tell)
    engine.wait()
    with engine.scope():
        if engine.strategy is not None:  # else it would not be on all devices
            classifier = load_classifier(run.classifier)
        target = FrozenTarget(classifier, plan.settings.layer)
        is_brought = plan.settings.classifier is not None
        for line in first_look(target.classifier, plan.dataset, is_brought).lines:
            say(line)
        gan = build_gan(plan, target, engine.jit_compile)
    for line in gan.notes:
        say(line)
    if engine.is_chief:
        _record(run, plan, target)
    say(f"FilterGAN on {target.layer_name}: kernels {target.kernel_shape}")
    checkpoints = Checkpoints(run.checkpoints, plan.identity, say=say)
    fit(gan, plan.settings, plan.dataset, run, checkpoints, verbose, tell, board, engine)
    return gan


def build_gan(plan: Plan, target: FrozenTarget, jit_compile: bool = False) -> FilterGAN:
    """A compiled and adapted FilterGAN with the settings of a plan.

    Args:
        plan: from `plan`.
        target: its classifier, trained, and split at its layer.
        jit_compile: let XLA compile the step.
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
        jit_compile=jit_compile,
    )
    order = np.random.default_rng(settings.seed).permutation(len(plan.dataset.x_train))
    some = np.sort(order[:ADAPT_IMAGES])
    gan.adapt(plan.dataset.x_train[some], plan.dataset.y_train[some], settings.batch_size)
    return gan


def _trained_classifier(
    plan: Plan,
    run: RunDirectory,
    verbose: int,
    say: Callable[[str], None],
    tell: Tell | None,
) -> keras.Model:
    """The run's classifier: its own, the one named, one trained before, or a new one."""
    if run.classifier.exists():
        return load_classifier(run.classifier)
    settings = plan.settings
    if settings.classifier is not None:
        save_model(in_precision(plan.classifier, settings.precision), run.classifier)
        return load_classifier(run.classifier)
    recipe = plan.dataset, run.path.parent, settings.classifier_epochs, settings.seed
    standard = cached_classifier(*recipe, verbose, say, tell=tell)
    classifier = in_precision(load_classifier(standard), settings.precision)
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
