"""The slow and obvious way to what the metrics compute."""

import keras
import numpy as np

from keras_filtergan.evaluation import Subject


def images(subject: Subject) -> np.ndarray:
    return (subject.dataset.x_test / 255.0).astype("float32")


def activations(subject: Subject, kernels: np.ndarray, of: np.ndarray | None = None) -> np.ndarray:
    """Activations of images, all test images by default, under one kernel set.

    By a copy of the layer itself.
    """
    layer = subject.target.layer
    copy = keras.layers.Conv2D.from_config({**layer.get_config(), "activation": None})
    features = subject.target.prefix(images(subject) if of is None else of)
    copy.build(features.shape)
    copy.set_weights([np.asarray(kernels), *layer.get_weights()[1:]])
    return copy(features).numpy()


def answers(subject: Subject, maps: np.ndarray) -> np.ndarray:
    """Classes that the rest of the network makes of activations."""
    return np.argmax(subject.target.suffix(subject.target.layer.activation(maps)), axis=-1)


def accuracy(subject: Subject, maps: np.ndarray) -> float:
    right = 0
    for answer, label in zip(answers(subject, maps), subject.dataset.y_test, strict=True):
        right += int(answer == label)
    return right / len(subject.dataset.y_test)


def all_activations(subject: Subject, count: int) -> np.ndarray:
    """`(count, n, h', w', cout)`: all test images under the first latents, one by one."""
    latents = subject.latents(count)
    return np.stack(
        [activations(subject, np.asarray(subject.kernels(z[None]))[0]) for z in latents]
    ).astype("float64")
