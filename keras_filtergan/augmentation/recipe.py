"""What decides an augmentation, in one plain value."""

import dataclasses
from typing import Any

from keras_filtergan.errors import InputError
from keras_filtergan.names import by_name
from keras_filtergan.runs.settings import check_option

WAY_NAMES = ("inversion", "transformation")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a data set is augmented; equal recipes of one run give equal images.

    Attributes:
        images: how many training images to take, drawn by the seed; `None` for all. More of them
            with the same seed are the same and others.
        draws: latents an image, that is, how many images are made of each.
        span: standard deviation of the latents; 1 is the prior that the generator was trained on.
        by: `"inversion"` looks for each image (exact, slow), `"transformation"` takes what the
            run's image transformation makes of the original (one evaluation).
        steps: of the descent that looks for an image; the transformation takes none.
        seed: of images and latents.

    Raises:
        InputError: a number is out of its range, or the way is unknown.

    Example:
        >>> Recipe(images=1000, draws=2, by="transformation").draws
        2
    """

    images: int | None = None
    draws: int = 1
    span: float = 1.0
    by: str = "inversion"
    steps: int = 60
    seed: int = 0

    _check = check_option

    def __post_init__(self):
        if self.images is not None:
            self._check("images", lambda value: value >= 1, "an integer of at least 1", int)
        for name in ("draws", "steps"):
            many = "an integer from 1 to 10⁶"
            self._check(name, lambda value: 1 <= value <= 10**6, many, int)
        self._check("span", lambda value: value > 0, "a number above 0")
        self._check("seed", lambda value: 0 <= value < 2**31, "an integer from 0 to 2³¹ − 1", int)
        by_name("`by`", self.by, dict.fromkeys(WAY_NAMES))

    def resolved(self, count: int) -> "Recipe":
        """The recipe for a training set of `count` images: `images` is a number then.

        Raises:
            InputError: there are fewer images.
        """
        if self.images is not None and self.images > count:
            raise InputError(
                f"expected `images` of at most the {count} training images of the run, "
                f"received {self.images}"
            )
        return dataclasses.replace(self, images=self.images or count)

    def to_dict(self) -> dict[str, Any]:
        """A plain dict, for a record of what was done."""
        return dataclasses.asdict(self)
