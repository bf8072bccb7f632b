"""The steps of a run: from checkpoint to checkpoint, with a history."""

from collections.abc import Callable, Sequence

import keras
import tensorflow as tf

from keras_filtergan.data import ImageDataset, training_stream
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.guards.stops import Interrupted
from keras_filtergan.runs.callbacks import (
    CheckpointWriter,
    DivergenceGuard,
    HistoryWriter,
    Interruption,
    StepCounter,
)
from keras_filtergan.runs.checkpoints import Checkpoints
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings

LOG_INTERVAL = 100  # steps a logged interval, which is one Keras epoch
CHECKPOINT_INTERVAL = 500


def fit(
    gan: FilterGAN,
    settings: Settings,
    dataset: ImageDataset,
    run: RunDirectory,
    checkpoints: Checkpoints,
    verbose: int,
) -> None:
    """Train from the last checkpoint, if there is one, to the last step.

    Args:
        gan: compiled and adapted.
        settings, dataset: of the run.
        run: takes the history.
        checkpoints: of this run.
        verbose: as in Keras.

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
        ([guard], [history]),
        verbose,
    )


def fit_steps(
    model: keras.Model,
    stream_from: Callable[[int], tf.data.Dataset],
    span: tuple[int, int],
    epoch_steps: int,
    checkpoints: Checkpoints,
    callbacks: tuple[Sequence[StepCounter], Sequence[StepCounter]] = ((), ()),
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
