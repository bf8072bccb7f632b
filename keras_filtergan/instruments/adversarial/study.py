"""How little it takes to mislead the network, and whether averaging over kernel sets makes it more.

A defence that only hides its gradient looks robust and is not. So attacks on averages go through
the averaging, and each attack is also tried on the networks that it was not made for.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from keras_filtergan.data import to_unit_interval
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation.grids import one_of_each_class
from keras_filtergan.instruments.adversarial.attacker import Attacker, in_parts
from keras_filtergan.instruments.adversarial.averages import (
    ACTIVATIONS,
    PROBABILITIES,
    REAL,
    Network,
    compared,
)
from keras_filtergan.instruments.adversarial.projected_gradient import Norm, ProjectedGradient
from keras_filtergan.instruments.adversarial.smallest_change import median_change, refined
from keras_filtergan.instruments.findings import Findings
from keras_filtergan.instruments.specimen import Specimen
from keras_filtergan.instruments.steps import Steps, Tell, nobody
from keras_filtergan.plots import adversarial_figure

SINGLES = "single kernel sets"
EXAMPLES = 10
RADII = 9  # of the default curve, with 0
RESAMPLES = 2000  # for an interval


@dataclasses.dataclass(frozen=True)
class _Attacked:
    """What attacks made of one network under one norm."""

    pictures: np.ndarray  # (radii, n, h, w, c)
    misled: np.ndarray  # (radii, n)
    smallest: np.ndarray  # (n,)
    changed: np.ndarray  # (n, h, w, c), by the smallest change
    answers: np.ndarray  # (n,), of the network to the changed images
    attacker: Attacker


def adversarial_study(
    specimen: Specimen,
    norms: Sequence[Norm],
    radii: Sequence[float] | None = None,
    images: int = 100,
    sets: int = 10,
    singles: int = 3,
    steps: int = 40,
    seed: int = 0,
    tell: Tell = nobody,
) -> Findings:
    """Attack the network with real, with generated and with averaged kernels.

    Args:
        specimen: the network, with images and perhaps a generator; without, only the real kernels.
        norms: in which changes are measured, of `projected_gradient.NORMS`.
        radii: ε at which the accuracy is taken; by default up to twice the median smallest change
            of the real network.
        images: test images, evenly over the classes.
        sets: kernel sets of the averages.
        singles: how many of these are attacked one by one.
        steps: of an attack.
        seed: of the latents.
        tell: takes each step as it begins.

    Raises:
        InputError: an ε below 0 or not finite, no kernel sets, more singles than sets, or no image
            that all networks get right.

    Example:
        >>> found = adversarial_study(specimen, [NORMS["l2"]], radii=[0.5, 1, 2])
        >>> paths = found.write(Path("out"), "adversarial")

    Reference:
        Madry et al. (ICLR 2018), section 2; Athalye, Carlini, Wagner (ICML 2018), "Obfuscated
        gradients give a false sense of security", section 3.1, for the checks.
    """
    radii = None if radii is None else _check_radii(radii)
    if not 1 <= singles <= sets:
        raise InputError(
            f"expected 1 to {sets} single kernel sets of {sets}, received {singles}; "
            "an average needs at least one"
        )
    dataset = specimen.dataset
    numbers = one_of_each_class(dataset.y_test, np.ones(len(dataset.y_test), bool), images)
    x = np.asarray(to_unit_interval(dataset.x_test[numbers]))
    y = np.asarray(dataset.y_test[numbers])
    kernels = None if specimen.run is None else specimen.kernel_sets(sets, seed)
    networks = compared(specimen.target, kernels, singles)
    answers = [np.argmax(in_parts(network, x), axis=1) for network in networks.values()]
    clean = np.all(np.equal(answers, y), axis=0)
    if not clean.any():
        raise InputError("expected an image that the networks get right, they get none")
    parts, drawn = {}, []
    attacks = RADII if radii is None else len(radii)  # a step each above 0, one for what is between
    progress = Steps(len(norms) * (len(networks) * attacks + (radii is None)), tell)
    for norm in norms:
        attacked, used = _attack(networks, ProjectedGradient(norm, steps), x, y, radii, progress)
        parts[norm.name] = {
            "epsilons": [float(f"{radius:.6g}") for radius in used],
            "networks": _summarise(attacked, clean),
            "transfer": _transfer(attacked, y),
        }
        drawn.append((norm, used, attacked))
    found = {
        "network": specimen.title,
        "settings": {
            "images": len(y),
            "clean_images": int(clean.sum()),
            "kernel_sets": sets if specimen.run is not None else 0,
            "steps": steps,
            "seed": seed,
        },
        "norms": parts,
    }
    examples = _examples(*drawn[0], x, y, clean)
    figure = adversarial_figure(
        parts, examples, dataset.class_names, _sentence(specimen, parts, len(y))
    )
    return Findings(found, figure, _table(parts))


def _check_radii(radii: Sequence[float]) -> np.ndarray:
    """In ascending order, from 0 on, each once."""
    given = np.asarray(radii, "float64")
    if not given.size or not np.all((given >= 0) & np.isfinite(given)):
        raise InputError(f"expected finite ε of at least 0, received {list(radii)}")
    return np.unique([0.0, *given])


def _attack(
    networks: Mapping[str, Network],
    attack: ProjectedGradient,
    images: np.ndarray,
    labels: np.ndarray,
    radii: np.ndarray | None,
    steps: Steps,
) -> tuple[dict[str, _Attacked], np.ndarray]:
    """Attack each network; radii that are not given come from the first one."""
    attacked: dict[str, _Attacked] = {}
    for name, attacker in _attackers(networks, attack).items():
        what = f"{_sign(attack.norm.name)} attacks on {name}"
        if radii is None:
            steps.begin(f"{_sign(attack.norm.name)} radii")
            radii = _radii(attack.norm, median_change(attacker, images, labels), images.shape[1:])
        curve = attacker.curve(images, labels, radii, lambda what=what: steps.begin(what))
        steps.begin(what)
        smallest, changed = refined(attacker, images, labels, radii, curve)
        # what was found between two radii is an attack as well
        pictures, misled = curve.pictures, curve.misled
        nearer = (smallest <= radii[:, None]) & ~misled
        for i, row in enumerate(nearer):
            pictures[i][row] = changed[row]
        answers = np.argmax(attacker.scores(changed), axis=1)
        attacked[name] = _Attacked(pictures, misled | nearer, smallest, changed, answers, attacker)
    return attacked, radii


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


def _summarise(attacked: Mapping[str, _Attacked], clean: np.ndarray) -> dict[str, Any]:
    """Accuracy against ε and smallest changes, with the single kernel sets taken together."""
    real = attacked[REAL].smallest[clean]
    rows = {}
    for name, members in _grouped(attacked).items():
        smallest = np.mean([one.smallest[clean] for one in members], axis=0)
        accuracies = np.mean([1 - one.misled.mean(axis=1) for one in members], axis=0)
        rows[name] = {
            "accuracy": [float(accuracy) for accuracy in accuracies],
            "smallest_change": _quartiles(smallest),
            "ratio_to_real": _ratio(smallest, real),
        }
    return rows


def _grouped(attacked: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The networks by what they are; the single kernel sets are one kind."""
    groups: dict[str, list[Any]] = {}
    for name, one in attacked.items():
        groups.setdefault(SINGLES if name.startswith("G(") else name, []).append(one)
    return groups


def _quartiles(values: np.ndarray) -> dict[str, float]:
    """By the values that there are: no mean of a finite and an infinite one."""
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75], method="nearest")
    return {"median": float(median), "lower_quartile": float(low), "upper_quartile": float(high)}


def _ratio(values: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """Median over images of smallest change / that of the real kernels, with a 95 % interval."""
    known = np.isfinite(values) & np.isfinite(real) & (real > 0)
    if not known.any():
        return {"median": float("nan"), "low": float("nan"), "high": float("nan")}
    ratios = values[known] / real[known]
    draws = np.random.default_rng(0).integers(len(ratios), size=(RESAMPLES, len(ratios)))
    low, high = np.quantile(np.median(ratios[draws], axis=1), [0.025, 0.975])
    return {"median": float(np.median(ratios)), "low": float(low), "high": float(high)}


def _transfer(
    attacked: Mapping[str, _Attacked], labels: np.ndarray
) -> dict[str, dict[str, list[float]]]:
    """Made on → judged by → accuracy at each ε; `any` is the worst of all attacks an image."""
    misled = {
        (source, name): np.stack(
            [judge.attacker.margins(pictures, labels) >= 0 for pictures in one.pictures]
        )
        if source != name
        else one.misled
        for source, one in attacked.items()
        for name, judge in attacked.items()
    }
    table: dict[str, dict[str, list[float]]] = {}
    groups = _grouped({name: name for name in attacked})
    for source, sources in groups.items():
        for judge, judges in groups.items():
            rates = [misled[s, j].mean(1) for s in sources for j in judges]
            table.setdefault(source, {})[judge] = [float(1 - r) for r in np.mean(rates, axis=0)]
    for judge, judges in groups.items():
        worst = [np.any([misled[s, j] for s in attacked], axis=0).mean(1) for j in judges]
        table.setdefault("any", {})[judge] = [float(1 - rate) for rate in np.mean(worst, axis=0)]
    return table


def _examples(
    norm: Norm,
    radii: np.ndarray,
    attacked: Mapping[str, _Attacked],
    images: np.ndarray,
    labels: np.ndarray,
    clean: np.ndarray,
) -> dict[str, Any]:
    """Images that all networks get right, one a class, with the smallest change of each network."""
    chosen = one_of_each_class(labels, clean, EXAMPLES)
    shown = [name for name in (REAL, ACTIVATIONS, PROBABILITIES) if name in attacked]
    return {
        "norm": norm.name,
        "images": images[chosen],
        "labels": labels[chosen],
        "changed": {
            name: (
                attacked[name].changed[chosen],
                attacked[name].smallest[chosen],
                attacked[name].answers[chosen],
            )
            for name in shown
        },
    }


def _sentence(specimen: Specimen, parts: Mapping[str, Any], count: int) -> str:
    text = f"How little misleads {specimen.title}: projected gradient on {count} test images"
    for norm, part in parts.items():
        ratio = part["networks"].get(ACTIVATIONS, {}).get("ratio_to_real")
        if ratio is not None:
            text += (
                f"\n{_sign(norm)}: with averaged activations the smallest change is "
                f"{ratio['median']:.2f} times that of the real kernels "
                f"(95 %: {ratio['low']:.2f} to {ratio['high']:.2f})"
            )
    return text


def _sign(norm: str) -> str:
    return {"l2": "L2", "linf": "L∞"}[norm]


def _table(parts: Mapping[str, Any]) -> str:
    """Smallest changes and accuracies in the middle of the curve, for the screen."""
    lines = []
    for norm, part in parts.items():
        i = len(part["epsilons"]) // 2
        lines.append(
            f"{_sign(norm):24}  smallest change   ratio to real        accuracy   "
            f"at {part['epsilons'][i]:.3g}   by any attack"
        )
        for name, row in part["networks"].items():
            ratio = row["ratio_to_real"]
            lines.append(
                f"  {name:22}  {row['smallest_change']['median']:15.3f}   "
                f"{ratio['median']:.2f} ({ratio['low']:.2f}–{ratio['high']:.2f})   "
                f"{row['accuracy'][0]:11.3f}   {row['accuracy'][i]:7.3f}   "
                f"{part['transfer']['any'][name][i]:13.3f}"
            )
    return "\n".join(lines)
