"""What a study of uncertainty found."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Quality:
    """How good answers to known images are.

    Attributes:
        accuracy: share of right answers.
        negative_log_likelihood: mean over images, in nats.
    """

    accuracy: float
    negative_log_likelihood: float


@dataclasses.dataclass(frozen=True)
class UncertaintyResult:
    """How well scores tell strange images from known ones.

    Attributes:
        network: its title.
        images, networks, seed: of the `UncertaintyStudy`; the images that there were.
        quality: way to answer → how good it is on known images.
        auroc: kind of image → score → area under the curve, strange against known.
        mean_nats: kind of image → score → its mean, in nats.
    """

    network: str
    images: int
    networks: int
    seed: int
    quality: dict[str, Quality]
    auroc: dict[str, dict[str, float]]
    mean_nats: dict[str, dict[str, float]]
