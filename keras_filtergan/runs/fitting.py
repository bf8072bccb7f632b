"""The steps of a run: from checkpoint to checkpoint, with a history."""

from pathlib import Path

import keras
import tensorflow as tf

from keras_filtergan.data import ImageDataset, to_unit_interval, training_stream
from keras_filtergan.gan.filtergan import FilterGAN
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


class Interrupted(Exception):
    """SIGINT arrived; the state is saved and `--resume` goes on from it."""


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
        Interrupted: after SIGINT, when the state is saved.
    """
    first = checkpoints.restore(gan)
    run.truncate_history(first)
    if first == 0:
        checkpoints.save(gan, 0)
    with Interruption(first) as interruption:
        callbacks = [
            DivergenceGuard(checkpoints, first),
            CheckpointWriter(checkpoints, first, settings.steps, CHECKPOINT_INTERVAL),
            interruption,
            HistoryWriter(run, first),
            *_watchers(settings, dataset, run, first, tell, board),
        ]
        for start, steps, epochs in segments(first, settings.steps):
            stream = training_stream(
                dataset.x_train,
                dataset.y_train,
                batch_size=settings.batch_size,
                latent_dim=settings.latent_dim,
                noise_shape=gan.target.activation_shape,
                code_shape=gan.code_shape,
                seed=settings.seed,
                start_step=start,
            )
            epoch = start // LOG_INTERVAL
            try:
                gan.fit(
                    stream,
                    steps_per_epoch=steps,
                    initial_epoch=epoch,
                    epochs=epoch + epochs,
                    callbacks=callbacks,
                    verbose=verbose if tell is None else 0,
                    shuffle=False,
                )
            except Exception as error:
                error.add_note(f"in step {interruption.step + 1} of {settings.steps}")
                raise
            if interruption.requested:
                checkpoints.save(gan, interruption.step)
                raise Interrupted(f"stopped after step {interruption.step} of {settings.steps}")


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


def segments(first: int, last: int) -> list[tuple[int, int, int]]:
    """Cut the steps from `first` to `last` into `fit` calls that keep to the logging grid.

    Returns:
        `(start, steps an epoch, epochs)` each: the rest of an interval that was interrupted, the
        whole intervals, and what is left at the end.

    Example:
        >>> segments(130, 450)      # with intervals of 100
        [(130, 70, 1), (200, 100, 2), (400, 50, 1)]
    """
    whole_from = min(-(-first // LOG_INTERVAL) * LOG_INTERVAL, last)
    whole_to = max(last // LOG_INTERVAL * LOG_INTERVAL, whole_from)
    cuts = [
        (first, whole_from - first, 1),
        (whole_from, LOG_INTERVAL, (whole_to - whole_from) // LOG_INTERVAL),
        (whole_to, last - whole_to, 1),
    ]
    return [cut for cut in cuts if cut[1] and cut[2]]
