"""How unsure many networks are together, and whether that tells strange images from known ones."""

import numpy as np

from keras_filtergan.errors import InputError


def entropy(probabilities: np.ndarray) -> np.ndarray:
    """−Σ p ln p over the last axis, in nats.

    Args:
        probabilities: `(..., classes)`.

    Example:
        >>> entropy(np.array([[0.5, 0.5], [1.0, 0.0]]))
        array([0.69314718, 0.        ])
    """
    p = np.asarray(probabilities, np.float64)
    return -np.sum(p * np.log(np.where(p > 0, p, 1.0)), axis=-1) + 0.0


def predictive_entropy(probabilities: np.ndarray) -> np.ndarray:
    """Entropy of the mean answer of an ensemble, `(n,)` in nats: all that it does not know.

    Args:
        probabilities: of each network, `(networks, n, classes)`.

    Reference:
        Lakshminarayanan, Pritzel, Blundell (NeurIPS 2017), section 3.5; Ratzlaff and Li,
        "HyperGAN" (ICML 2019), section 4.4.
    """
    return entropy(np.asarray(np.mean(probabilities, axis=0, dtype=np.float64)))


def disagreement(probabilities: np.ndarray) -> np.ndarray:
    """Entropy of the mean answer above the mean entropy of the answers, `(n,)` in nats.

    What the networks would have to tell each other: the mutual information between the answer and
    the network that gives it. 0 where all say the same, however unsure each is.

    Args:
        probabilities: of each network, `(networks, n, classes)`.

    Reference:
        Houlsby, Huszár, Ghahramani, Lengyel (2011), "Bayesian active learning for classification
        and preference learning", eq. 2.
    """
    within = np.mean(entropy(probabilities), axis=0)
    return np.maximum(predictive_entropy(probabilities) - within, 0.0)


def auroc(known: np.ndarray, strange: np.ndarray) -> float:
    """The chance that a strange image scores higher than a known one, ties counting half.

    Args:
        known: scores of known images, `(n,)`.
        strange: scores of strange ones, `(k,)`.

    Returns:
        0.5 if the score tells nothing, 1 if it tells all.

    Raises:
        InputError: no scores.

    Example:
        >>> auroc([0.1, 0.2], [0.2, 0.9])
        0.875
    """
    known, strange = np.sort(np.asarray(known, np.float64)), np.asarray(strange, np.float64)
    if not known.size or not strange.size:
        raise InputError("expected scores of known and of strange images, received none")
    below = np.searchsorted(known, strange, "left")
    not_above = np.searchsorted(known, strange, "right")
    return float(np.mean((below + not_above) / 2) / known.size)
