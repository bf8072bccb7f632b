"""What a study of the reach of kernels found."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class LayerReach:
    """What kernels of one layer can make of known changes.

    Attributes:
        kernels: `(kh, kw, cin / groups, cout)`.
        maps: `(h', w', cout)`.
        share: change → the share of it that kernels make.
        accuracy: change → what the network keeps with these kernels.
    """

    kernels: list[int]
    maps: list[int]
    share: dict[str, float]
    accuracy: dict[str, float]


@dataclasses.dataclass(frozen=True)
class ReachResult:
    """What kernels of each layer can do.

    Attributes:
        network: its title.
        images: how many were `fit` and how many `measured`.
        classifier_accuracy: with real kernels, on images as they are.
        accuracy_on_changed_images: change → with real kernels, on images changed by it.
        layers: name → its reach.
    """

    network: str
    images: dict[str, int]
    classifier_accuracy: float
    accuracy_on_changed_images: dict[str, float]
    layers: dict[str, LayerReach]

    @property
    def changes(self) -> list[str]:
        """Names of the known changes."""
        return list(self.accuracy_on_changed_images)
