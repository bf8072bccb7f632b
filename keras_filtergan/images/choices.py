"""Coordinates of images and priors of images, by name."""

from typing import TYPE_CHECKING

from keras_filtergan.names import Registry, by_name

if TYPE_CHECKING:
    from keras_filtergan.images.parametrizations import Parametrization
    from keras_filtergan.images.priors import Prior

PARAMETRIZATIONS = Registry(
    {
        "pixels": "images.parametrizations:Pixels",
        "fourier": "images.parametrizations:Fourier",
        "deformation": "images.parametrizations:Deformation",
    }
)
WALK_PRIORS = Registry(
    {
        "total_variation": "images.priors:WALK_TOTAL_VARIATION",
        "multiscale_edge": "images.priors:WALK_MULTISCALE_EDGE",
        "none": "images.priors:WALK_WITHOUT_PRIOR",
    }
)


def get_parametrization(name: str) -> "Parametrization":
    """The parametrisation of that name with its default settings.

    Args:
        name: `pixels`, `fourier` or `deformation`.

    Raises:
        InputError: an unknown name; the message lists the names and the nearest one.

    Example:
        >>> get_parametrization("pixels").name
        'pixels'
    """
    return by_name("parametrization", name, PARAMETRIZATIONS)()


def get_prior(name: str) -> "Prior":
    """The prior of that name with the settings for a walk.

    Args:
        name: `total_variation`, `multiscale_edge` or `none`.

    Raises:
        InputError: an unknown name; the message lists the names and the nearest one.

    Example:
        >>> get_prior("none").name
        'none'
    """
    return by_name("prior", name, WALK_PRIORS)
