"""What a study of a latent space found."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Arithmetic:
    """What a direction from averaged latents does to a property of other images.

    Attributes:
        length: ‖v‖.
        effect: mean change by v, in standard deviations of the property over latents.
        agreement: share of latents for which it is an increase.
        random_effect: that of random directions of the same length, without their sign.
    """

    length: float
    effect: float
    agreement: float
    random_effect: float


@dataclasses.dataclass(frozen=True)
class Held:
    """Accuracy over draws of the labels."""

    mean: float
    std: float
    count: int


@dataclasses.dataclass(frozen=True)
class Representation:
    """What a linear reader makes of features.

    Attributes:
        features: how many there are.
        accuracy: number of labels, as text → test accuracy.
    """

    features: int
    accuracy: dict[str, Held]


@dataclasses.dataclass(frozen=True)
class LatentsResult:
    """What latent dimensions do, and what D has learned.

    Attributes:
        network: its title.
        images, points, frames, labels, seed: of the `LatentsStudy`; the images that there were.
        dimensions: of each, `pixel_distance`, `pixels`, `shares`, and the change of each of
            `PROPERTIES`, by name.
        arithmetic: property → what a direction for it does.
        representation: features → what a linear reader makes of them.
    """

    network: str
    images: int
    points: int
    frames: int
    labels: int
    seed: int
    dimensions: list[dict[str, Any]]
    arithmetic: dict[str, Arithmetic]
    representation: dict[str, Representation]
