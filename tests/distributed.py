"""Trains a small GAN for some steps on one device or on several; run by the tests in processes.

`python distributed.py KIND ENGINE OPTIMIZER STEPS OUT`: KIND `natural` or `infogan`; ENGINE `one`,
`shuffled` (one device, the examples of each batch in another order), `nudged` (one device, every
entry of every gradient larger or smaller by what single precision can just tell from it),
`mirrored` (two virtual devices) or `multi-worker` (as TF_CONFIG says); OPTIMIZER `sgd`, `rmsprop`
or `default` (RMSprop, but Adam for T). Writes the weights and the last logs.
"""

import sys

import keras
import numpy as np
import tensorflow as tf
from patterns import make_dataset

from keras_filtergan.classifiers.classifier import build_classifier
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import training_stream
from keras_filtergan.distribution.engine import Engine
from keras_filtergan.distribution.loop import fit_on
from keras_filtergan.gan.methods import get_method

BATCH = 16


def engine_of(name):
    if name != "mirrored":
        return Engine.of("one" if name in ("shuffled", "nudged") else name)
    [cpu] = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    return Engine(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))


def shuffled(batch):
    """Pairs of examples in another order, with their places: what else changes is rounding."""
    half = np.random.default_rng(0).permutation(BATCH // 2)
    order = np.concatenate([half, half + BATCH // 2])
    batch = {**batch, "place": tf.range(BATCH)}
    return {name: tf.gather(part, order) for name, part in batch.items()}


class Nudged:
    """What rounding does to a gradient at the least: entries are off by one place in turn."""

    def apply(self, gradients, variables=None):
        off = []
        for gradient in gradients:
            signs = 1 - 2 * (tf.range(tf.size(gradient)) % 2)
            signs = tf.cast(tf.reshape(signs, gradient.shape), tf.float32)
            off.append(gradient * (1 + 2**-23 * signs))
        super().apply(off, variables)


def optimizers(name, engine_name, kind):
    """Of G, D, Q and T."""
    rate = 1e-4 if kind == "natural" else 1e-3  # plain descent runs away on larger weights
    sgd, rmsprop, adam = (getattr(keras.optimizers, n) for n in ("SGD", "RMSprop", "Adam"))
    kinds, rates = {
        "sgd": ([sgd] * 4, [rate] * 4),
        "rmsprop": ([rmsprop] * 4, [1e-3, 5e-4, 5e-4, 1e-3]),
        "default": ([*[rmsprop] * 3, adam], [1e-3, 5e-4, 5e-4, 3e-3]),
    }[name]
    if engine_name == "nudged":
        kinds = [type("Nudged", (Nudged, kind), {}) for kind in kinds]
    return [kind(rate) for kind, rate in zip(kinds, rates, strict=True)]


def main(kind, engine_name, optimizer, steps, out):
    engine = engine_of(engine_name)
    dataset = make_dataset()
    with engine.scope():
        model = build_classifier((12, 12, 1), 3, widths=(4, 5, 6, 7, 8))
        gan = get_method(kind)(FrozenTarget(model, 4), latent_dim=3)
        gan.compile(*optimizers(optimizer, engine_name, kind))
        gan.adapt(dataset.x_train, dataset.y_train)
    stream = training_stream(
        dataset.x_train,
        dataset.y_train,
        batch_size=BATCH,
        latent_dim=3,
        noise_shape=gan.target.activation_shape,
        code_shape=gan.code_shape,
        seed=0,
    )
    stream = stream.map(shuffled) if engine_name == "shuffled" else stream
    history = keras.callbacks.History()
    start = [w.numpy() for w in gan.weights]
    how = dict(steps_per_epoch=int(steps), epochs=1, callbacks=[history], verbose=0)
    if engine.strategy is None:
        gan.fit(stream, **how, shuffle=False)
    else:
        fit_on(engine.strategy, gan, stream, **how)
    engine.wait()
    if engine.is_chief:
        weights = {f"{i} {w.path}": w.numpy() for i, w in enumerate(gan.weights)}
        logs = {f"log {name}": values[-1] for name, values in history.history.items()}
        moved = max(np.abs(w - s).max() for w, s in zip(weights.values(), start, strict=True))
        np.savez(out, replicas=engine.replicas, moved=moved, **weights, **logs)


if __name__ == "__main__":
    main(*sys.argv[1:])
