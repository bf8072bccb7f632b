"""The steps of a run: from checkpoint to checkpoint, with a history."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from keras_filtergan.data import ImageDataset, to_unit_interval, training_stream
from keras_filtergan.distribution.engine import Engine, naming_lost_workers
from keras_filtergan.distribution.loop import fit_on
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.guards.stops import Interrupted
from keras_filtergan.runs.callbacks import (
    CheckpointWriter,
    DivergenceGuard,
    HistoryWriter,
    Interruption,
    ProgressPictures,
    StepTeller,
    Tell,
)
from keras_filtergan.runs.checkpoints import Checkpoints
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings

LOG_INTERVAL = 100  # steps a logged interval, which is one Keras epoch
CHECKPOINT_INTERVAL = 500

Callbacks = Sequence[keras.callbacks.Callback]


def fit(
    gan: FilterGAN,
    settings: Settings,
    dataset: ImageDataset,
    run: RunDirectory,
    checkpoints: Checkpoints,
    verbose: int,
    tell: Tell | None = None,
    board: Path | None = None,
    engine: Engine | None = None,
) -> None:
    """Train from the last checkpoint, if there is one, to the last step.

    Args:
        gan: compiled and adapted.
        settings, dataset: of the run.
        run: takes the history.
        checkpoints: of this run.
        verbose: as in Keras.
        tell: takes how far training is, after every step.
        board: folder for TensorBoard, if it is wanted.
        engine: on what; one device if it is not given. Its chief alone writes and tells.

    Raises:
        DivergenceError: a loss became NaN or infinite.
        Interrupted: after SIGINT or SIGTERM, when the state is saved.
        LostWorkerError: another process of the engine is gone.
    """
    engine = engine or Engine()
    first = checkpoints.restore(gan, settings.steps)
    engine.wait()  # until all have read what the chief may overwrite
    guard, watchers = DivergenceGuard(checkpoints, first), []
    if engine.is_chief:
        run.truncate_history(first)
        if first == 0:
            checkpoints.save(gan, 0)
        history = HistoryWriter(run, first, checkpoints.means)
        if first % LOG_INTERVAL == 0 or first == settings.steps:
            history.complete()
        watchers = [history, *_watchers(settings, dataset, run, first, tell, board)]

    def stream_from(step: int) -> tf.data.Dataset:
        return training_stream(
            dataset.x_train,
            dataset.y_train,
            batch_size=settings.batch_size,
            latent_dim=settings.latent_dim,
            noise_shape=gan.target.activation_shape,
            code_shape=gan.code_shape,
            seed=settings.seed,
            start_step=step,
        )

    fit_steps(
        gan,
        stream_from,
        (first, settings.steps),
        LOG_INTERVAL,
        checkpoints,
        ([guard], watchers),
        verbose if tell is None else 0,
        engine,
    )


def fit_steps(
    model: keras.Model,
    stream_from: Callable[[int], tf.data.Dataset],
    span: tuple[int, int],
    epoch_steps: int,
    checkpoints: Checkpoints,
    callbacks: tuple[Callbacks, Callbacks] = ((), ()),
    verbose: int = 0,
    engine: Engine | None = None,
) -> None:
    """Train a compiled model from one step to another, with states on the way and at the end.

    Args:
        model: whose state is that after the first step of `span`.
        stream_from: a step → the batches from there on; a function of the step alone.
        span: steps done, and to do in all.
        epoch_steps: steps of a Keras epoch.
        checkpoints: takes the states.
        callbacks: those that see a step before its state is saved, and those after.
        verbose: as in Keras.
        engine: on what; one device if it is not given. Its chief alone saves states.

    Raises:
        Interrupted: after SIGINT or SIGTERM, when the state is saved.
        LostWorkerError: another process of the engine is gone.
    """
    engine = engine or Engine()
    first, last = span
    with Interruption(first) as interruption:
        writer = CheckpointWriter(checkpoints, first, last, CHECKPOINT_INTERVAL)
        writers = [writer] if engine.is_chief else []
        how: dict[str, Any] = {
            "callbacks": [*callbacks[0], *writers, interruption, *callbacks[1]],
            "verbose": verbose if engine.is_chief else 0,
        }
        for start, steps, epochs in segments(first, last, epoch_steps):
            epoch = start // epoch_steps
            how |= {"steps_per_epoch": steps, "initial_epoch": epoch, "epochs": epoch + epochs}
            try:
                _fit(model, engine, stream_from(start), how)
            except Exception as error:
                error.add_note(f"in step {interruption.step + 1} of {last}")
                raise
            if interruption.request.signum is not None:
                if engine.is_chief:
                    checkpoints.save(model, interruption.step)
                raise Interrupted(
                    f"stopped after step {interruption.step} of {last}", interruption.request.signum
                )


def _fit(model: keras.Model, engine: Engine, stream: tf.data.Dataset, how: dict[str, Any]) -> None:
    """Keras' `fit` on one device, `fit_on` on several, which are for a GAN alone."""
    if engine.strategy is None:
        model.fit(stream, **how, shuffle=False)
    else:
        assert isinstance(model, FilterGAN)
        with naming_lost_workers():  # also where a callback is the first to notice
            fit_on(engine.strategy, model, stream, **how)


def _watchers(
    settings: Settings,
    dataset: ImageDataset,
    run: RunDirectory,
    first: int,
    tell: Tell | None,
    board: Path | None,
) -> list[keras.callbacks.Callback]:
    """What shows how training goes, and changes nothing."""
    watchers: list[keras.callbacks.Callback] = []
    pictures = None
    if board is not None:
        watchers.append(keras.callbacks.TensorBoard(board, write_graph=False))
        pictures = tf.summary.create_file_writer(str(board / "pictures"))
    image = to_unit_interval(dataset.x_test[0])
    folder = run.figures / "progress"
    watchers.append(ProgressPictures(folder, image, first, CHECKPOINT_INTERVAL, pictures))
    if tell is not None:
        watchers.append(StepTeller(tell, first, settings.steps))
    return watchers


def segments(first: int, last: int, interval: int = LOG_INTERVAL) -> list[tuple[int, int, int]]:
    """Cut the steps from `first` to `last` into `fit` calls that keep to the grid of epochs.

    Returns:
        `(start, steps an epoch, epochs)` each: the rest of an interval that was interrupted, the
        whole intervals, and what is left at the end.

    Example:
        >>> segments(130, 450, 100)
        [(130, 70, 1), (200, 100, 2), (400, 50, 1)]
    """
    whole_from = min(-(-first // interval) * interval, last)
    whole_to = max(last // interval * interval, whole_from)
    cuts = [
        (first, whole_from - first, 1),
        (whole_from, interval, (whole_to - whole_from) // interval),
        (whole_to, last - whole_to, 1),
    ]
    return [cut for cut in cuts if cut[1] and cut[2]]
