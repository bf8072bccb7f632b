"""How little it takes to mislead the network, and whether averaging over kernel sets makes it more.

A defence that only hides its gradient looks robust and is not. So attacks on averages go through
the averaging, and each attack is also tried on the networks that it was not made for.
"""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from keras_filtergan.data import to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation.grids import one_of_each_class
from keras_filtergan.instruments.adversarial.attacker import in_parts
from keras_filtergan.instruments.adversarial.attacks import RADII, SIGNS, Attacked, attack_all
from keras_filtergan.instruments.adversarial.averages import (
    ACTIVATIONS,
    PROBABILITIES,
    REAL,
    Network,
    compared,
)
from keras_filtergan.instruments.adversarial.figure import (
    Changed,
    Examples,
    adversarial_figure,
)
from keras_filtergan.instruments.adversarial.projected_gradient import Norm, ProjectedGradient
from keras_filtergan.instruments.adversarial.summary import NormResult, robustness, transfer
from keras_filtergan.instruments.findings import Findings
from keras_filtergan.instruments.specimen import Specimen
from keras_filtergan.instruments.steps import Steps, Tell, nobody

EXAMPLES = 10


@dataclasses.dataclass(frozen=True)
class Attack:
    """How much is attacked, and how hard.

    Attributes:
        radii: ε at which the accuracy is taken; by default up to twice the median smallest change
            of the real network.
        images: test images, evenly over the classes.
        sets: kernel sets of the averages.
        singles: how many of these are attacked one by one.
        steps: of an attack.
        seed: of the latents.

    Raises:
        InputError: an ε below 0 or not finite, no kernel sets, or more singles than sets.
    """

    radii: Sequence[float] | None = None
    images: int = 60
    sets: int = 10
    singles: int = 3
    steps: int = 40
    seed: int = 0

    def __post_init__(self) -> None:
        if self.radii is not None:
            given = np.asarray(self.radii, "float64")
            if not given.size or not np.all((given >= 0) & np.isfinite(given)):
                raise InputError(f"expected finite ε of at least 0, received {list(self.radii)}")
        if not 1 <= self.singles <= self.sets:
            raise InputError(
                f"expected 1 to {self.sets} single kernel sets of {self.sets}, received "
                f"{self.singles}; an average needs at least one"
            )

    @property
    def ascending_radii(self) -> np.ndarray | None:
        """ε from 0 on, each once."""
        return None if self.radii is None else np.unique([0.0, *self.radii])


@dataclasses.dataclass(frozen=True)
class AdversarialResult:
    """What attacks found.

    Attributes:
        network: its title.
        settings: counts of images and kernel sets, steps and seed.
        norms: name → what was found under it.
    """

    network: str
    settings: dict[str, int]
    norms: dict[str, NormResult]


def adversarial_study(
    specimen: Specimen,
    norms: Sequence[Norm],
    attack: Attack | None = None,
    tell: Tell = nobody,
) -> Findings:
    """Attack the network with real, with generated and with averaged kernels.

    Args:
        specimen: the network, with images and perhaps a generator; without, only the real kernels.
        norms: in which changes are measured, of `projected_gradient.NORMS`.
        attack: how much and how hard; the defaults of `Attack` if not given.
        tell: takes each step as it begins.

    Raises:
        InputError: no image that all networks get right.

    Example:
        >>> found = adversarial_study(specimen, [NORMS["l2"]], Attack(radii=[0.5, 1, 2]))
        >>> paths = found.write(Path("out"), "adversarial")

    Reference:
        Madry et al. (ICLR 2018), section 2; Athalye, Carlini, Wagner (ICML 2018), "Obfuscated
        gradients give a false sense of security", section 3.1, for the checks.
    """
    attack = Attack() if attack is None else attack
    images, labels = _taken(specimen, attack.images)
    kernels = None if specimen.run is None else specimen.kernel_sets(attack.sets, attack.seed)
    networks = compared(specimen.target, kernels, attack.singles)
    clean = _clean(networks, images, labels)
    progress = _progress(attack, len(norms), len(networks), tell)
    results, drawn = {}, []
    for norm in norms:
        projected = ProjectedGradient(norm, attack.steps)
        attacked, radii = attack_all(
            networks, projected, images, labels, attack.ascending_radii, progress
        )
        epsilons = [float(f"{radius:.6g}") for radius in radii]
        found = robustness(attacked, clean), transfer(attacked, labels)
        results[norm.name] = NormResult(epsilons, *found)
        drawn.append(_examples(norm, attacked, images, labels, clean))
    settings = {
        "images": len(labels),
        "clean_images": int(clean.sum()),
        "kernel_sets": 0 if kernels is None else attack.sets,
        "steps": attack.steps,
        "seed": attack.seed,
    }
    result = AdversarialResult(specimen.title, settings, results)
    title = _sentence(specimen, results, len(labels))
    figure = adversarial_figure(results, drawn[0], specimen.dataset.class_names, title)
    return Findings.of(result, figure, _table(results))


def _taken(specimen: Specimen, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Test images, evenly over the classes, and their labels."""
    dataset = specimen.dataset
    numbers = one_of_each_class(dataset.y_test, np.ones(len(dataset.y_test), bool), count)
    images = np.asarray(to_unit_interval(dataset.x_test[numbers]))
    return images, np.asarray(dataset.y_test[numbers])


def _clean(networks: Mapping[str, Network], images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The images that all networks get right, booleans `(n,)`."""
    answers = [np.argmax(in_parts(network, images), axis=1) for network in networks.values()]
    clean = np.all(np.equal(answers, labels), axis=0)
    if not clean.any():
        raise InputError("expected an image that the networks get right, they get none")
    return clean


def _progress(attack: Attack, norms: int, networks: int, tell: Tell) -> Steps:
    """A step for each radius above 0, and one for what is between them."""
    radii = attack.ascending_radii
    each = RADII if radii is None else len(radii)
    return Steps(norms * (networks * each + (radii is None)), tell)


def _examples(
    norm: Norm,
    attacked: Mapping[str, Attacked],
    images: np.ndarray,
    labels: np.ndarray,
    clean: np.ndarray,
) -> Examples:
    """Images that all networks get right, one a class, with the smallest change of each network."""
    chosen = one_of_each_class(labels, clean, EXAMPLES)
    changed = {
        name: Changed(one.changed[chosen], one.smallest[chosen], one.answers[chosen])
        for name, one in attacked.items()
        if name in (REAL, ACTIVATIONS, PROBABILITIES)
    }
    return Examples(norm.name, images[chosen], labels[chosen], changed)


def _sentence(specimen: Specimen, parts: Mapping[str, NormResult], count: int) -> str:
    text = f"How little misleads {specimen.title}: projected gradient on {count} test images"
    for norm, part in parts.items():
        if ACTIVATIONS in part.networks:
            ratio = part.networks[ACTIVATIONS].ratio_to_real
            text += (
                f"\n{SIGNS[norm]}: with averaged activations the smallest change is "
                f"{ratio.median:.2f} times that of the real kernels "
                f"(95 %: {ratio.low:.2f} to {ratio.high:.2f})"
            )
    return text


def _table(parts: Mapping[str, NormResult]) -> str:
    """Smallest changes and accuracies in the middle of the curve, for the screen."""
    lines = []
    for norm, part in parts.items():
        i = len(part.epsilons) // 2
        lines.append(
            f"{SIGNS[norm]:24}  smallest change   ratio to real        accuracy   "
            f"at {part.epsilons[i]:.3g}   by any attack"
        )
        for name, row in part.networks.items():
            ratio = row.ratio_to_real
            lines.append(
                f"  {name:22}  {row.smallest_change.median:15.3f}   "
                f"{ratio.median:.2f} ({ratio.low:.2f}–{ratio.high:.2f})   "
                f"{row.accuracy[0]:11.3f}   {row.accuracy[i]:7.3f}   "
                f"{part.transfer['any'][name][i]:13.3f}"
            )
    return "\n".join(lines)
