"""What of a run is drawn."""

import dataclasses

from keras_filtergan.images.choices import PARAMETRIZATIONS, WALK_PRIORS
from keras_filtergan.names import check_name


@dataclasses.dataclass(frozen=True)
class View:
    """What of a run to look at.

    Attributes:
        images: numbers of test images; `None` for one of each of the first four classes.
        grid: pictures a side, odd.
        span: how far the grid reaches, in standard deviations of the latent.
        dims: two latent dimensions, the first two if not given; `"random"` draws them with the
            run's seed, as the paper does; `"principal"` takes the two directions that image changes
            explain best.
        parametrization: name of the coordinates that images are optimised in.
        prior: name of the image prior.
        jitter: pixels by which images are shifted at random while they are sought; what works at
            one registration of the pooling grid only is not found then.

    Raises:
        InputError: an unknown parametrisation or prior.

    Example:
        >>> View(images=(4, 7), dims="principal").grid
        7
    """

    images: tuple[int, ...] | None = None
    grid: int = 7
    span: float = 3.0
    dims: tuple[int, int] | str | None = None
    parametrization: str = "pixels"
    prior: str = "total_variation"
    jitter: int = 1

    def __post_init__(self) -> None:
        check_name("parametrization", self.parametrization, PARAMETRIZATIONS)
        check_name("prior", self.prior, WALK_PRIORS)
