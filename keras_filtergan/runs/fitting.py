"""The steps of a run: from checkpoint to checkpoint, with a history."""

from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import tensorflow as tf

from keras_filtergan.data import ImageDataset, to_unit_interval, training_stream
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

    Raises:
        DivergenceError: a loss became NaN or infinite.
        Interrupted: after SIGINT or SIGTERM, when the state is saved.
    """
    first = checkpoints.restore(gan, settings.steps)
    run.truncate_history(first)
    if first == 0:
        checkpoints.save(gan, 0)
    guard = DivergenceGuard(checkpoints, first)
    history = HistoryWriter(run, first, checkpoints.means)
    if first % LOG_INTERVAL == 0 or first == settings.steps:
        history.complete(gan)

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
        ([guard], [history, *_watchers(settings, dataset, run, first, tell, board)]),
        verbose if tell is None else 0,
    )


def fit_steps(
    model: keras.Model,
    stream_from: Callable[[int], tf.data.Dataset],
    span: tuple[int, int],
    epoch_steps: int,
    checkpoints: Checkpoints,
    callbacks: tuple[Callbacks, Callbacks] = ((), ()),
    verbose: int = 0,
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

    Raises:
        Interrupted: after SIGINT or SIGTERM, when the state is saved.
    """
    first, last = span
    with Interruption(first) as interruption:
        writer = CheckpointWriter(checkpoints, first, last, CHECKPOINT_INTERVAL)
        for start, steps, epochs in segments(first, last, epoch_steps):
            epoch = start // epoch_steps
            try:
                model.fit(
                    stream_from(start),
                    steps_per_epoch=steps,
                    initial_epoch=epoch,
                    epochs=epoch + epochs,
                    callbacks=[*callbacks[0], writer, interruption, *callbacks[1]],
                    verbose=verbose,
                    shuffle=False,
                )
            except Exception as error:
                error.add_note(f"in step {interruption.step + 1} of {last}")
                raise
            if interruption.request.signum is not None:
                checkpoints.save(model, interruption.step)
                raise Interrupted(
                    f"stopped after step {interruption.step} of {last}", interruption.request.signum
                )


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
