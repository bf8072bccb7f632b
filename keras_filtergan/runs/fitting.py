"""The steps of a run: from checkpoint to checkpoint, with a history."""

from typing import Any

import tensorflow as tf

from keras_filtergan.data import ImageDataset, training_stream
from keras_filtergan.distribution.engine import Engine, naming_lost_workers
from keras_filtergan.distribution.loop import fit_on
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.runs.callbacks import (
    CheckpointWriter,
    DivergenceGuard,
    HistoryWriter,
    Interruption,
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
    engine: Engine | None = None,
) -> None:
    """Train from the last checkpoint, if there is one, to the last step.

    Args:
        gan: compiled and adapted.
        settings, dataset: of the run.
        run: takes the history.
        checkpoints: of this run.
        verbose: as in Keras.
        engine: on what; one device if it is not given.

    Raises:
        DivergenceError: a loss became NaN or infinite.
        Interrupted: after SIGINT, when the state is saved.
        LostWorkerError: another process of the engine is gone.
    """
    engine = engine or Engine()
    first = checkpoints.restore(gan)
    engine.wait()  # until all have read what the chief may overwrite
    if engine.is_chief:
        run.truncate_history(first)
    if first == 0 and engine.is_chief:
        checkpoints.save(gan, 0)
    with Interruption(first) as interruption:
        guard = DivergenceGuard(checkpoints, first)
        writer = CheckpointWriter(checkpoints, first, settings.steps, CHECKPOINT_INTERVAL)
        callbacks = [guard, writer, interruption, HistoryWriter(run, first)]
        if not engine.is_chief:
            callbacks, verbose = [guard, interruption], 0
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
            how = {"steps_per_epoch": steps, "initial_epoch": epoch, "epochs": epoch + epochs}
            how |= {"callbacks": callbacks, "verbose": verbose}
            try:
                _fit(gan, engine, stream, how)
            except Exception as error:
                error.add_note(f"in step {interruption.step + 1} of {settings.steps}")
                raise
            if interruption.requested:
                if engine.is_chief:
                    checkpoints.save(gan, interruption.step)
                raise Interrupted(f"stopped after step {interruption.step} of {settings.steps}")


def _fit(gan: FilterGAN, engine: Engine, stream: tf.data.Dataset, how: dict[str, Any]) -> None:
    """Keras' `fit` on one device, `fit_on` on several."""
    if engine.strategy is None:
        gan.fit(stream, **how, shuffle=False)
    else:
        with naming_lost_workers():  # also where a callback is the first to notice
            fit_on(engine.strategy, gan, stream, **how)


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
