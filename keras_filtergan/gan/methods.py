"""What Q reads, and what follows from it: the ways to train a generator, by name."""

from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.gan.natural_filtergan import NaturalFilterGAN
from keras_filtergan.names import by_name

METHODS: dict[str, type[FilterGAN]] = {"natural": NaturalFilterGAN, "infogan": FilterGAN}


def get_method(name: str) -> type[FilterGAN]:
    """The class that trains by the method of that name.

    Args:
        name: `natural`, Q reads changes in the directions in which images of a class differ; or
            `infogan`, Q reads activations, as in the paper.

    Raises:
        InputError: an unknown name; the message lists the names and the nearest one.
    """
    return by_name("method", name, METHODS)
