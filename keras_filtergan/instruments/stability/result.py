"""What a study of stability found."""

import dataclasses

# layer → R_f, one number a level
Ratios = dict[str, list[float]]


@dataclasses.dataclass(frozen=True)
class Level:
    """What deformations of one temperature do to images.

    Attributes:
        temperature: T.
        displacement: root mean square, in pixels.
        noise_norm: r = ⟨‖τx − x‖⟩, in pixel values.
        folded_share: of the places at which the image is turned over.
    """

    temperature: float
    displacement: float
    noise_norm: float
    folded_share: float


@dataclasses.dataclass(frozen=True)
class StabilityResult:
    """Relative stability of every layer of several networks.

    Attributes:
        network: its title.
        images, cut, levels, draws, seed: of the `StabilityStudy`; the images that there were.
        temperatures: what each level does to images.
        shown_temperature: number of the level whose displacement is nearest to one pixel.
        relative_stability: network → average over images (`mean`, `median`) → R_f of each layer.
        walks: what is displaced → the share that a smooth displacement makes; nothing without a
            run.
    """

    network: str
    images: int
    cut: int
    levels: int
    draws: int
    seed: int
    temperatures: list[Level]
    shown_temperature: int
    relative_stability: dict[str, dict[str, Ratios]]
    walks: dict[str, float] | None = None

    @property
    def shown(self) -> Level:
        """The level that is shown."""
        return self.temperatures[self.shown_temperature]

    @property
    def over_mean(self) -> dict[str, Ratios]:
        """Network → R_f of each layer, by means over images."""
        return {name: kinds["mean"] for name, kinds in self.relative_stability.items()}
