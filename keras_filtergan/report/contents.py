"""What a report says in words: the finding, the figures that matter, what they do not show.

Everything here takes the plain dicts of a run directory, as far as they are there.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

Card = dict[str, Any]
GOOD = 0.03  # of accuracy that generated kernels may cost before the sentence says so
CLOSE = 0.01  # up to which they do as well as the network's own
NOTICED = 0.6  # from which on a critic tells two things apart
EVEN = 0.35  # share of an even change from which pictures are hardly opposite
DATASETS = {  # names of data sets, as a sentence has them
    "mnist": "MNIST",
    "mnist_sample": "the bundled MNIST sample",
    "cifar10": "CIFAR-10",
}


@dataclasses.dataclass(frozen=True)
class Headline:
    """One figure that matters.

    Attributes:
        value: as text.
        title: what it is of.
        meaning: in a sentence or two; what is good.
        beside: what it is to be held against: who, and the figure there.
    """

    value: str
    title: str
    meaning: str
    beside: list[tuple[str, str]] = dataclasses.field(default_factory=list)


def finding(card: Card, layer: str, dataset: str) -> str:
    """The one sentence that a reader takes home.

    Args:
        card: of the run; may be empty.
        layer, dataset: their names.

    Example:
        >>> finding({}, "conv4", "mnist")
        'This run has no card yet, so nothing is known of what conv4 ignores.'
    """
    own, swapped = card.get("classifier_accuracy"), figure_of(card, "swapped_accuracy", "mean")
    if own is None or swapped is None:
        return f"This run has no card yet, so nothing is known of what {layer} ignores."
    kept, whole = percent(swapped), percent(own)
    variation = card.get("activation_variation")
    if own - swapped > GOOD:
        return (
            f"With generated kernels in layer {layer} the classifier of {dataset} is right on "
            f"{kept} of the test images instead of {whole}: these kernels do not keep "
            "what the network needs, so what they change is no invariance."
        )
    if variation is not None and variation < 0.05:
        return (
            f"Generated kernels in layer {layer} keep the classifier of {dataset} right on "
            f"{kept} of the test images ({whole} with its own), but they hardly change "
            f"what the layer computes ({variation:.3f} of the variation between images)."
        )
    well, all_of_it = ("as well", "") if own - swapped <= CLOSE else ("nearly as well", "most of ")
    moved = (
        ""
        if variation is None
        else (
            f"From one generated set to the next, activations vary {variation:.2f} times as "
            "much as from image to image. "
        )
    )
    return (
        f"Other kernels do {well}: with kernels that a generator made for {layer}, the classifier "
        f"of {dataset} is right on {kept} of the test images ({whole} with its own). {moved}"
        f"The rest of the network ignores {all_of_it}that change."
    )


def headlines(card: Card, dataset: str = "") -> list[Headline]:
    """The figures that matter, as far as the card has them, in the order to be read in.

    Args:
        card: of the run, perhaps with `baselines`.
        dataset: its name, as of `dataset_name`; the paper's figures stand beside those of MNIST.
    """
    of_paper = "MNIST" in dataset
    found = [
        _accuracy(card, of_paper),
        _swapped(card),
        _variation(card),
        _natural(card),
        _of_pictures(card, "explained_fraction", "found by inversion"),
        _of_pictures(card, "transformed_fraction", "made by the learned transformation"),
        _critic(card),
        _retrained(card, of_paper),
    ]
    return [headline for headline in found if headline is not None]


def _accuracy(card: Card, of_paper: bool) -> Headline | None:
    value = card.get("classifier_accuracy")
    if value is None:
        return None
    meaning = f"Share of {_over(card, 'classifier_accuracy', 'images')} test images that the "
    meaning += "frozen network gets right with the kernels it learned."
    paper = [("the paper's own network, full MNIST", "97.1 %")] if of_paper else []
    return Headline(percent(value), "right with its own kernels", meaning, paper)


def _swapped(card: Card) -> Headline | None:
    value = figure_of(card, "swapped_accuracy", "mean")
    if value is None:
        return None
    worst, latents = figure_of(card, "swapped_accuracy", "min"), _over(card, "swapped_accuracy")
    meaning = f"The same with the layer's kernels replaced, mean of {latents} latents"
    meaning += "" if worst is None else f" (the worst: {percent(worst)})"
    meaning += "; nothing is re-trained. Good is close to the figure with its own kernels."
    beside = _baselines(card, "swapped_accuracy", "mean", percent)
    return Headline(percent(value), "right with generated kernels", meaning, beside)


def _variation(card: Card) -> Headline | None:
    value = card.get("activation_variation")
    if value is None:
        return None
    meaning = "How much activations vary with the latent, as a share of how much they vary between "
    meaning += "images. Near 0 the generator would only copy the kernels."
    beside = _baselines(card, "activation_variation", None, number)
    return Headline(number(value), "variation with the latent", meaning, beside)


def _natural(card: Card) -> Headline | None:
    value = card.get("natural_share")
    if value is None:
        return None
    meaning = "Share of the change that lies where images of one class differ. Speckle that no "
    meaning += "image has scores near 0; the difference between two images of a class is the goal."
    images = card.get("natural_share_of_images")
    beside = [] if images is None else [("two images of a class", number(images))]
    beside += _baselines(card, "natural_share", None, number)
    return Headline(number(value), "natural share of the change", meaning, beside)


def _of_pictures(card: Card, name: str, how: str) -> Headline | None:
    value = card.get(name)
    if value is None:
        return None
    meaning = f"Share of the change of kernels that pictures {how} undo. At 100 % each change of "
    meaning += "kernels is a change of the image; at 0 % no picture does what the kernels do."
    beside = _baselines(card, name, None, percent)
    return Headline(percent(value), f"explained by pictures {how}", meaning, beside)


def _critic(card: Card) -> Headline | None:
    value = card.get("critic_accuracy")
    if value is None:
        return None
    can = "can hardly" if value < NOTICED else "can"
    meaning = (
        "How often a newly trained critic, which sees all activations, says rightly whether real "
        f"or generated kernels made them. The network takes either; the critic {can} tell them "
        "apart."
    )
    beside = [("chance", "50 %"), *_baselines(card, "critic_accuracy", None, percent)]
    return Headline(
        percent(value), "told apart by a fresh critic that sees everything", meaning, beside
    )


def _retrained(card: Card, of_paper: bool) -> Headline | None:
    value = card.get("averaged_retrained_accuracy")
    if value is None:
        return None
    meaning = "With the activations of ten latents averaged and all later layers re-trained. It "
    meaning += "says something only beside the real kernels, re-trained in the same way."
    control = card.get("control_retrained_accuracy")
    beside = [] if control is None else [("real kernels, re-trained", percent(control))]
    if of_paper:
        beside += [("the paper's own network, full MNIST, no such control", "98.2 %")]
    return Headline(percent(value), "right after averaging and re-training", meaning, beside)


def limits(card: Card) -> list[str]:
    """Sentences on what a run does not show, as far as its card says so.

    Args:
        card: of the run.

    Example:
        >>> limits({"natural_critic": 0.789})[0][:54]
        'Generated activations do not pass for real: in 78.9 % '
    """
    found = [str(note) for note in card.get("notes", ())]
    critic, even = card.get("natural_critic"), card.get("even_share")
    if critic is not None and critic >= NOTICED:
        moved = figure_of(card, "natural_critic_of_images", "moved_1")
        beside = f", {percent(moved)} for images moved by one pixel" if moved is not None else ""
        found.append(
            f"Generated activations do not pass for real: in {percent(critic)} of the cases a "
            "fresh critic is right even if it sees natural coordinates only, the main directions "
            f"in which images of one class differ (50 % is chance{beside}, and below 80 % is our "
            "own bar)."
        )
    if even is not None and even >= EVEN:
        found.append(
            f"Opposite steps do not make opposite pictures: {percent(even)} of the change of "
            "pixels is the same at +s and at −s. MNIST's digits that are really changed as much "
            "have 38 to 65 %."
        )
    return found


def dimensions(kinds: Sequence[str | None]) -> str:
    """A sentence on what the latent's dimensions are, or nothing where none has a name.

    Args:
        kinds: of `TrainedRun.kinds`.

    Example:
        >>> dimensions(["stroke width", None])[-56:]
        'z[0] has most of stroke width; z[1] is of no known kind.'
    """
    known = [f"z[{i}] has most of {kind}" for i, kind in enumerate(kinds) if kind]
    unknown = [f"z[{i}]" for i, kind in enumerate(kinds) if not kind]
    if not known:
        return ""
    found = "After training the latent was rotated so that each dimension is as far as possible "
    found += f"one known kind of change: {', '.join(known)}"
    if unknown:
        found += (
            f"; {' and '.join(unknown)} {'is' if len(unknown) == 1 else 'are'} of no known kind"
        )
    return f"{found}."


def is_evaluated(card: Card) -> bool:
    """Whether the card has what only `evaluate` computes and a headline shows."""
    return "explained_fraction" in card and "critic_accuracy" in card


def dataset_name(dataset: str) -> str:
    """What a reader calls a data set.

    Example:
        >>> dataset_name("mnist_sample")
        'the bundled MNIST sample'
    """
    return DATASETS.get(dataset, dataset)


def figure_of(card: Card, name: str, part: str | None) -> float | None:
    """A number of a card, or a part of it; `None` where there is none.

    Example:
        >>> figure_of({"swapped_accuracy": {"mean": 0.98}}, "swapped_accuracy", "mean")
        0.98
    """
    value = card.get(name)
    if isinstance(value, dict):
        value = value.get(part) if part is not None else None
    return value if isinstance(value, int | float) else None


def _over(card: Card, name: str, what: str = "latents") -> str:
    count = card.get("taken_over", {}).get(name, {}).get(what)
    return "the" if count is None else f"{count:,}"


def _baselines(card: Card, name: str, part: str | None, shown) -> list[tuple[str, str]]:
    found = {title: figure_of(one, name, part) for title, one in card.get("baselines", {}).items()}
    return [(f"baseline: {title}", shown(v)) for title, v in found.items() if v is not None]


def percent(value: float | None) -> str:
    """A share as a reader has it.

    Example:
        >>> percent(0.5)
        '50.0 %'
    """
    return "–" if value is None else f"{100 * value:.1f} %"


def number(value: float | None) -> str:
    """A figure to three digits, or a dash.

    Example:
        >>> number(0.25)
        '0.250'
    """
    return "–" if value is None else f"{value:.3f}"
