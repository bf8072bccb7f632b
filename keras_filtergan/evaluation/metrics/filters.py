"""How different generated kernel sets are from each other and from the real one."""

import itertools

import numpy as np

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject

LATENTS = 20


@metric()
def filter_diversity(subject: Subject) -> Measurement:
    """Mean over pairs of latents of ‖G(z) − G(z')‖ / ‖W‖ (Frobenius)."""
    pairs = itertools.combinations(subject.kernel_sets(LATENTS).numpy(), 2)
    distances = [np.linalg.norm(a - b) for a, b in pairs]
    return Measurement(float(np.mean(distances) / _real_norm(subject)), {"latents": LATENTS})


@metric()
def filter_distance(subject: Subject) -> Measurement:
    """Mean over latents of ‖G(z) − W‖ / ‖W‖ (Frobenius); 0 would be memorisation."""
    real = subject.target.kernel.numpy()
    distances = [np.linalg.norm(a - real) for a in subject.kernel_sets(LATENTS).numpy()]
    return Measurement(float(np.mean(distances) / _real_norm(subject)), {"latents": LATENTS})


def _real_norm(subject: Subject) -> float:
    return float(np.linalg.norm(subject.target.kernel))
