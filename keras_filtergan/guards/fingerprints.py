"""Which network is this? Short hashes that tell whether two things belong together."""

import hashlib

import keras
import numpy as np


def fingerprint(model: keras.Model, name: str = "") -> str:
    """Short hash of every weight of a model, and of a name.

    Args:
        model: a built model; a loaded copy has the hash of what was saved.
        name: of what in it is meant, where that makes a difference.

    Returns:
        16 hexadecimal digits.

    Example:
        >>> fingerprint(generator) == fingerprint(kfg.load_generator(path))
        True
    """
    digest = hashlib.sha256(name.encode())
    for weight in model.weights:
        digest.update(np.ascontiguousarray(weight.numpy()).tobytes())
    return digest.hexdigest()[:16]
