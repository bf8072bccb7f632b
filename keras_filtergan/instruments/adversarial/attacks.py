"""Attacks on several networks under one norm."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_filtergan.instruments.adversarial.attacker import Attacker
from keras_filtergan.instruments.adversarial.averages import Network
from keras_filtergan.instruments.adversarial.projected_gradient import Norm, ProjectedGradient
from keras_filtergan.instruments.adversarial.smallest_change import median_change, refined
from keras_filtergan.instruments.steps import Steps

RADII = 9  # of the default curve, with 0
SIGNS = {"l2": "L2", "linf": "L∞"}


@dataclasses.dataclass(frozen=True)
class Attacked:
    """What attacks made of one network under one norm.

    Attributes:
        pictures: attacked images at each radius, `(radii, n, h, w, c)`.
        misled: whether they mislead, `(radii, n)`.
        smallest: size of the smallest change that does, `(n,)`.
        changed: the images with that change, `(n, h, w, c)`.
        answers: of the network to them, `(n,)`.
        attacker: the attack.
    """

    pictures: np.ndarray
    misled: np.ndarray
    smallest: np.ndarray
    changed: np.ndarray
    answers: np.ndarray
    attacker: Attacker


def attack_all(
    networks: Mapping[str, Network],
    attack: ProjectedGradient,
    images: np.ndarray,
    labels: np.ndarray,
    radii: np.ndarray | None,
    steps: Steps,
) -> tuple[dict[str, Attacked], np.ndarray]:
    """Attack each network.

    Args:
        networks: by name.
        attack: the norm and the steps.
        images, labels: `(n, h, w, c)` and `(n,)`.
        radii: ε in ascending order from 0; if not given, up to twice the median smallest change of
            the first network.
        steps: is told of each radius.

    Returns:
        What was made of each network, and the radii.
    """
    attacked, sign = {}, SIGNS[attack.norm.name]
    used = np.zeros(0) if radii is None else radii
    for name, attacker in _attackers(networks, attack).items():
        if not used.size:
            steps.begin(f"{sign} radii")
            used = _radii(attack.norm, median_change(attacker, images, labels), images.shape[1:])

        def begin(what: str = f"{sign} attacks on {name}") -> None:
            steps.begin(what)

        curve = attacker.curve(images, labels, used, begin)
        begin()
        smallest, changed = refined(attacker, images, labels, used, curve)
        # what was found between two radii is an attack as well
        pictures, misled = curve.pictures, curve.misled
        nearer = (smallest <= used[:, None]) & ~misled
        for i, row in enumerate(nearer):
            pictures[i][row] = changed[row]
        answers = np.argmax(attacker.scores(changed), axis=1)
        attacked[name] = Attacked(pictures, misled | nearer, smallest, changed, answers, attacker)
    return attacked, used


def _attackers(networks: Mapping[str, Network], attack: ProjectedGradient) -> dict[str, Attacker]:
    """One a network; those of networks that differ in kernels alone are compiled together."""
    kinds: dict[Any, Attacker] = {}
    found = {}
    for name, network in networks.items():
        if network.answer not in kinds:
            kinds[network.answer] = Attacker(network.answer, attack, network.kernels)
        found[name] = kinds[network.answer].of(network.kernels)
    return found


def _radii(norm: Norm, median: float, image_shape: tuple[int, int, int]) -> np.ndarray:
    """Evenly up to twice the median smallest change."""
    top = 2 * median if 0 < median < np.inf else norm.largest(image_shape)
    return np.linspace(0, float(f"{top:.1g}"), RADII)
