"""Classifiers that several runs share, trained once and kept beside them."""

import hashlib
import inspect
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import keras

from keras_filtergan.classifiers.classifier import (
    POOL_AFTER,
    SMALLEST_SIDE,
    STANDARDS,
    classifier_training,
    load_classifier,
    train_classifier,
)
from keras_filtergan.data import ImageDataset
from keras_filtergan.files import save_model
from keras_filtergan.guards.locks import locked
from keras_filtergan.runs.callbacks import StepTeller, Tell, accuracy_figure
from keras_filtergan.runs.checkpoints import Checkpoints
from keras_filtergan.runs.fitting import fit_steps
from keras_filtergan.runs.trained import TrainedRun

INDEPENDENT_SEED = 1000  # added to the run's


def cached_classifier(
    dataset: ImageDataset,
    runs: Path,
    epochs: int,
    seed: int,
    verbose: int = 0,
    say: Callable[[str], None] = print,
    widths: tuple[int, ...] | None = None,
    tell: Tell | None = None,
) -> Path:
    """The standard classifier for some data and settings; trained if it is not there yet.

    A training that was stopped goes on from its last state, to the same bits; of two processes
    that want the same classifier, one trains it and the other waits.

    Args:
        dataset: what it is trained on.
        runs: folder of the runs; the cache is `classifiers/` in it.
        epochs, seed, widths: as in `train_classifier`.
        verbose: Keras verbosity of the training.
        say: takes one line on what happens.
        tell: takes how far the training is, after every step, in the place of Keras's bars.

    Returns:
        Its `.keras` file, written aside and renamed: there is never half a classifier.

    Raises:
        Interrupted: after SIGINT or SIGTERM; the state is saved.
    """
    path = _place(dataset, runs, epochs, seed, widths)
    if path.exists():
        say(f"reusing the classifier {path}")
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    widths = STANDARDS[dataset.image_shape[-1]].widths if widths is None else widths
    with locked(path.with_suffix(".lock"), f"the classifier {path}", wait=True, say=say):
        if path.exists():
            say(f"reusing the classifier {path}, which is finished now")
            return path
        training = classifier_training(dataset, epochs, widths=widths, seed=seed)
        checkpoints = Checkpoints(path.with_suffix(".training"), path.stem, say=say)
        first = checkpoints.restore(training.model, training.steps)
        say(
            f"training a classifier for {epochs} epochs"
            + (f", from step {first} of {training.steps}" if first else "")
        )
        steps, epoch = (first, training.steps), training.epoch_steps
        watchers = []
        if tell is not None:
            what = "training the classifier"
            watchers.append(StepTeller(tell, *steps, what, accuracy_figure))
            verbose = 0
        beside = ((), watchers)
        fit_steps(training.model, training.stream_from, steps, epoch, checkpoints, beside, verbose)
        finished = keras.models.clone_model(training.model)  # which says nothing of its training
        finished.set_weights(training.model.get_weights())
        save_model(finished, path)
        shutil.rmtree(checkpoints.folder, ignore_errors=True)
    return path


def independent_classifier(
    trained: TrainedRun, runs: Path, tell: Tell | None = None
) -> Callable[[], keras.Model] | None:
    """A network of another seed and width on the data of a run, trained when it is first asked for.

    Args:
        trained: the run.
        runs: folder of the runs, where the cache is.
        tell: as of `cached_classifier`.

    Returns:
        Gives the network, or `None` for images that are too small for the standard one.
    """
    if independent_path(trained, runs) is None:
        return None

    def provide() -> keras.Model:
        return load_classifier(cached_classifier(*_independent_recipe(trained, runs), tell=tell))

    return provide


def independent_path(trained: TrainedRun, runs: Path) -> Path | None:
    """Where the independent network of a run is kept, whether or not it has been trained.

    Args:
        trained, runs: as in `independent_classifier`.

    Returns:
        The file, or `None` for images that are too small for the standard network.
    """
    if min(trained.dataset.image_shape[:2]) < SMALLEST_SIDE:
        return None
    dataset, runs, epochs, seed, *_, widths = _independent_recipe(trained, runs)
    return _place(dataset, runs, epochs, seed, widths)


def _independent_recipe(trained: TrainedRun, runs: Path) -> tuple:
    """Arguments of `cached_classifier`: another seed, and half as wide again."""
    settings, usual = trained.settings, STANDARDS[trained.dataset.image_shape[-1]].widths
    widths = tuple(width * 3 // 2 for width in usual)
    seed = settings.seed + INDEPENDENT_SEED
    return trained.dataset, runs, settings.classifier_epochs, seed, 0, print, widths


def _place(
    dataset: ImageDataset, runs: Path, epochs: int, seed: int, widths: tuple[int, ...] | None
) -> Path:
    """The file of a classifier by a hash of what makes it."""
    recipe = str(inspect.signature(train_classifier))  # its defaults are settings too
    kind = STANDARDS[dataset.image_shape[-1]]
    how = [kind.widths if widths is None else widths, kind.shift, POOL_AFTER, recipe]
    made_of = [dataset.fingerprint, seed, epochs, how, keras.__version__]
    key = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:12]
    return runs / "classifiers" / f"{dataset.name}-{key}.keras"
