"""The steps of a GAN on several devices: what `fit` does on one.

Keras' own `fit` fails on several machines (keras issue 20585), so the loop is written out here: as
short as can be, and the same for one machine and for several.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.distribution.engine import naming_lost_workers
from keras_filtergan.errors import InputError
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.private_keras import parts_of


def fit_on(
    strategy: tf.distribute.Strategy,
    gan: FilterGAN,
    stream: tf.data.Dataset,
    steps_per_epoch: int,
    epochs: int,
    initial_epoch: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: int = 0,
) -> None:
    """Train as `gan.fit` does, each step on all replicas of a strategy.

    Args:
        strategy: in whose scope the GAN was made.
        gan: compiled and adapted.
        stream: batches of `data.training_stream`, the same in each process.
        steps_per_epoch, epochs, initial_epoch, callbacks, verbose: as of `fit`.

    Raises:
        InputError: a batch that cannot be dealt out evenly, or networks with batch norm.
        LostWorkerError: another process is gone.
    """
    check_examples_apart(gan)
    batches = iter(dealt_out(strategy, gan, stream))

    @tf.function
    def step(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        logs = strategy.run(gan.train_step, args=(batch,))
        return {name: strategy.experimental_local_results(v)[0] for name, v in logs.items()}

    callback = keras.callbacks.CallbackList(
        list(callbacks),
        add_progbar=verbose != 0,
        verbose=verbose,
        epochs=epochs,
        steps=steps_per_epoch,
        model=gan,
    )
    gan.stop_training = False
    callback.on_train_begin()
    for epoch in range(initial_epoch, epochs):
        gan.reset_metrics()
        logs: dict[str, float] = {}
        callback.on_epoch_begin(epoch)
        for number in range(steps_per_epoch):
            callback.on_train_batch_begin(number)
            with naming_lost_workers():
                logs = {name: float(value) for name, value in step(next(batches)).items()}
            callback.on_train_batch_end(number, logs)
            if gan.stop_training:
                break
        callback.on_epoch_end(epoch, logs)
        if gan.stop_training:
            break
    callback.on_train_end()


def dealt_out(
    strategy: tf.distribute.Strategy, gan: FilterGAN, stream: tf.data.Dataset
) -> tf.distribute.DistributedDataset:
    """Batches of a stream, each dealt out to the replicas in the order that the GAN asks for.

    Every process makes whole batches, which are functions of seed and step, and keeps its part.

    Args:
        strategy, gan, stream: as of `fit_on`.

    Raises:
        InputError: a batch that cannot be dealt out evenly.
    """
    replicas = strategy.num_replicas_in_sync
    size = int(stream.element_spec["latent"].shape[0])
    if size % (2 * replicas):
        raise InputError(
            f"expected a `batch_size` that is a multiple of {2 * replicas}, twice the number of "
            f"devices, received {size}"
        )
    order = gan.batch_order(size, replicas)  # (R, size / R)

    def mine(context: tf.distribute.InputContext) -> tf.data.Dataset:
        here = replicas // context.num_input_pipelines
        rows = order[context.input_pipeline_id * here :][:here]

        def cut(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
            batch = {**batch, "place": tf.range(size)}
            return {name: tf.gather(part, rows) for name, part in batch.items()}

        return stream.map(cut).unbatch().prefetch(2 * here)

    return strategy.distribute_datasets_from_function(mine)


def check_examples_apart(gan: FilterGAN) -> None:
    """Refuse networks whose examples see each other, which replicas keep apart.

    Raises:
        InputError: there is a batch norm.
    """
    players = (gan.raw_generator, gan.discriminator, gan.transformation)
    norms = [
        part.name
        for player in players
        for part in parts_of(player)
        if isinstance(part, keras.layers.BatchNormalization)
    ]
    if norms:
        raise InputError(
            f"expected an `architecture` without batch norm for a `strategy`, received one with "
            f"{np.unique(norms)[0]}; take linear or shared"
        )
