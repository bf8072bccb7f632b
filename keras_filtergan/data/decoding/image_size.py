"""The size that images shall have, as it is asked for."""

import numbers
from typing import Any

from keras_filtergan.errors import InputError

Size = tuple[int, int]


def check_size(size: Any) -> Size | None:
    """A size of images `(height, width)`; one number stands for both.

    Raises:
        InputError: something else than one or two whole numbers from 1 on.

    Example:
        >>> check_size(96), check_size((96, 128)), check_size(None)
        ((96, 96), (96, 128), None)
    """
    if size is None:
        return None
    given = size if isinstance(size, list | tuple) else (size,)
    if len(given) not in (1, 2) or not all(_is_side(side) for side in given):
        raise InputError(
            f"expected `image_size` as height and width in pixels, or one number for both, "
            f"received {size!r}"
        )
    return int(given[0]), int(given[-1])


def _is_side(side: Any) -> bool:
    return isinstance(side, numbers.Integral) and not isinstance(side, bool) and int(side) >= 1
