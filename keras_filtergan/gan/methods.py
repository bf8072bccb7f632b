"""What Q reads, and what follows from it: the ways to train a generator, by name."""

from typing import TYPE_CHECKING

from keras_filtergan.gan.hyperparameters import INFOGAN, NATURAL, Hyperparameters
from keras_filtergan.names import Registry, by_name

if TYPE_CHECKING:
    from keras_filtergan.gan.filtergan import FilterGAN

METHODS = Registry(
    {
        "natural": "gan.natural_filtergan:NaturalFilterGAN",
        "infogan": "gan.filtergan:FilterGAN",
    }
)
DEFAULTS: dict[str, Hyperparameters] = {"natural": NATURAL, "infogan": INFOGAN}


def get_method(name: str) -> "type[FilterGAN]":
    """The class that trains by the method of that name.

    Args:
        name: `natural`, Q reads changes in the directions in which images of a class differ; or
            `infogan`, Q reads activations, as in the paper.

    Raises:
        InputError: an unknown name; the message lists the names and the nearest one.
    """
    return by_name("method", name, METHODS)
