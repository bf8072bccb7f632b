"""What a study of spectra found. Dictionaries are by name of layer, network or family."""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class KernelSpectrum:
    """How rough the kernels of one convolution are.

    Attributes:
        eigenvalues, multiplicity: λ of the grid's Laplacian and how often each comes.
        components: network → c_λ, one number an eigenvalue.
        roughness: network → the mean λ.
    """

    eigenvalues: np.ndarray
    multiplicity: np.ndarray
    components: dict[str, np.ndarray]
    roughness: dict[str, float]


@dataclasses.dataclass(frozen=True)
class MapSpectrum:
    """How slow the maps of one layer are.

    Attributes:
        frequencies: of each ring, in cycles a place.
        power: network → mean power of each ring.
        mean_frequency: network → in cycles a place.
    """

    frequencies: np.ndarray
    power: dict[str, np.ndarray]
    mean_frequency: dict[str, float]


@dataclasses.dataclass(frozen=True)
class NetworkStability:
    """What deformation and noise do to every layer of one kind of network.

    Attributes:
        relative: layer → R_f.
        deformed, noisy: layer → D_f and G_f, in units of the distance between images.
        accuracy: of the network.
    """

    relative: dict[str, float]
    deformed: dict[str, float]
    noisy: dict[str, float]
    accuracy: float

    @property
    def at_the_answer(self) -> dict[str, float]:
        """The numbers of the last layer, and the accuracy."""
        kinds = {"deformed": self.deformed, "noisy": self.noisy, "relative": self.relative}
        last = {kind: list(values.values())[-1] for kind, values in kinds.items()}
        return {**last, "accuracy": self.accuracy}


@dataclasses.dataclass(frozen=True)
class UnitStability:
    """What the unit in the middle of a layer sees, and how it responds to local deformations.

    Attributes:
        unit: its row and column.
        size, stride, start: of its receptive field in pixels, where arithmetic knows it.
        pixels: how many it sees.
        ratios: network → family of deformations → its change by them / by noise.
    """

    unit: list[int]
    size: list[int] | None
    stride: list[int] | None
    start: list[int] | None
    pixels: int
    ratios: dict[str, dict[str, float]]


@dataclasses.dataclass(frozen=True)
class SpectraResult:
    """Smoothness of kernels and activations, and what it does.

    Attributes:
        network: its title.
        images, draws, seed: of the `SpectraStudy`; the images that there were.
        layer: path of the layer in question.
        kernels: convolution → how rough its kernels are.
        power_spectrum: layer → how slow its maps are.
        stability: network → what deformation and noise do to it.
        local_deformations: layer → how its middle unit responds.
    """

    network: str
    images: int
    draws: int
    seed: int
    layer: str
    kernels: dict[str, KernelSpectrum]
    power_spectrum: dict[str, MapSpectrum]
    stability: dict[str, NetworkStability]
    local_deformations: dict[str, UnitStability]
