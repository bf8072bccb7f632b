"""Which networks play: pairs of a generator and a discriminator, by name."""

from typing import NamedTuple

from keras_filtergan.generators.dcgan import StridedDiscriminator, UpsamplingGenerator
from keras_filtergan.generators.discriminator import Discriminator
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.generators.linear_filter_generator import LinearFilterGenerator
from keras_filtergan.names import by_name


class Architecture(NamedTuple):
    """The networks of both players.

    Attributes:
        generator: class of G, latents → kernels.
        discriminator: class of D with its code head Q.
    """

    generator: type[FilterGenerator]
    discriminator: type[Discriminator]


ARCHITECTURES: dict[str, Architecture] = {
    "linear": Architecture(LinearFilterGenerator, Discriminator),
    "shared": Architecture(FilterGenerator, Discriminator),
    "dcgan": Architecture(UpsamplingGenerator, StridedDiscriminator),
}


def get_architecture(name: str) -> Architecture:
    """The architecture of that name.

    Args:
        name: `shared`, one network for every output channel; `linear`, the same and a part linear
            in the latent with weights of its own for every kernel; or `dcgan`.

    Raises:
        InputError: an unknown name; the message lists the names and the nearest one.
    """
    return by_name("architecture", name, ARCHITECTURES)
