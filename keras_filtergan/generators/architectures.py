"""Which networks play: pairs of a generator and a discriminator, by name."""

from typing import TYPE_CHECKING, NamedTuple

from keras_filtergan.names import Registry, by_name

if TYPE_CHECKING:
    from keras_filtergan.generators.discriminator import Discriminator
    from keras_filtergan.generators.filter_generator import FilterGenerator

GENERATORS = Registry(
    {
        "linear": "generators.linear_filter_generator:LinearFilterGenerator",
        "shared": "generators.filter_generator:FilterGenerator",
        "dcgan": "generators.dcgan:UpsamplingGenerator",
    }
)
DISCRIMINATORS = Registry(
    {
        "linear": "generators.discriminator:Discriminator",
        "shared": "generators.discriminator:Discriminator",
        "dcgan": "generators.dcgan:StridedDiscriminator",
    }
)


class Architecture(NamedTuple):
    """The networks of both players.

    Attributes:
        generator: class of G, latents → kernels.
        discriminator: class of D with its code head Q.
    """

    generator: "type[FilterGenerator]"
    discriminator: "type[Discriminator]"


def get_architecture(name: str) -> Architecture:
    """The architecture of that name.

    Args:
        name: `shared`, one network for every output channel; `linear`, the same and a part linear
            in the latent with weights of its own for every kernel; or `dcgan`.

    Raises:
        InputError: an unknown name; the message lists the names and the nearest one.

    Example:
        >>> get_architecture("shared").generator.__name__
        'FilterGenerator'
    """
    return Architecture(by_name("architecture", name, GENERATORS), DISCRIMINATORS[name])
