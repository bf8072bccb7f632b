"""PNG and JPEG files to pixels: of any bit depth, with a palette or with an alpha channel."""

import io
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_filtergan.data.decoding.image_size import Size
from keras_filtergan.data.decoding.resizing import resized
from keras_filtergan.data.decoding.storage import empty_array
from keras_filtergan.errors import InputError
from keras_filtergan.guards.memory import check_memory
from keras_filtergan.guards.reading import read_plain_file

LARGEST_IMAGE = 2**28  # bytes of a file
PNG = b"\x89PNG\r\n\x1a\n"
DEPTH_AT, COLOUR_AT = 24, 25  # places in a PNG file; the first chunk is always its header
PALETTE = 3


def decode_files(
    files: Sequence[Path],
    splits: Sequence[np.ndarray],
    converted: Counter[str],
    size: Size | None = None,
) -> list[np.ndarray]:
    """Images of one size from files, an array a split.

    Alpha channels are left out and palettes looked up, as Keras' own loaders do. Where that gives
    three equal channels beside images of one channel, one of them is kept.

    Args:
        files: PNG or JPEG.
        splits: numbers of the files of each split, in the order wanted.
        converted: counts what is converted, by what it was.
        size: `(height, width)` to bring them to; with it files may be of several sizes.

    Returns:
        An array `(n, h, w, c)` a split, `uint8`, or `uint16` from files of 16 bits.

    Raises:
        InputError: a file that cannot be read or decoded, or that has another size, number of
            channels or depth than the first; the message names the files.

    Example:
        >>> files = sorted(Path("digits").rglob("*.png"))
        >>> [images] = decode_files(files, [np.array([3, 0])], Counter())
        >>> images.shape
        (2, 4, 4, 1)
    """
    found = _decode_into(files, splits, converted, size, grey=False)
    if found is None:
        converted.clear()
        found = _decode_into(files, splits, converted, size, grey=True)
    assert found is not None
    return found


def _decode_into(
    files: Sequence[Path],
    splits: Sequence[np.ndarray],
    converted: Counter[str],
    size: Size | None,
    grey: bool,
) -> list[np.ndarray] | None:
    """The arrays, or `None` if the first image turns out to be grey beside images of one channel.

    Args:
        files, splits, converted, size: as of `decode_files`.
        grey: keep one of three equal channels, of files with palette or alpha channel.
    """
    places = {
        int(number): (split, place)
        for split, numbers in enumerate(splits)
        for place, number in enumerate(numbers)
    }
    arrays: list[np.ndarray] = []
    first_may_be_grey = False
    for number, file in enumerate(files):
        if number not in places:
            continue
        image, was = decode(file)
        image = resized(image, size)
        first = arrays[0] if arrays else None
        may_be_grey = bool(was) and image.shape[-1] == 3 and _is_grey(image)
        if may_be_grey and (grey if first is None else first.shape[-1] == 1):
            image = image[..., :1]
        if first is None:
            arrays = [empty_array((len(n), *image.shape), image.dtype) for n in splits]
            first, first_may_be_grey = arrays[0], may_be_grey and not grey
        elif first_may_be_grey and image.shape == (*first.shape[1:3], 1):
            return None
        if (image.shape, image.dtype) != (first.shape[1:], first.dtype):
            raise InputError(
                "Expected images of one size, channel count and depth. Received: "
                f"{files[0]} {first.shape[1:]}{_depth(first)} and "
                f"{file} {image.shape}{_depth(image)}; "
                "convert them to (height, width, channels) alike; `image_size` resizes them."
            )
        converted.update([was] if was else [])
        split, place = places[number]
        arrays[split][place] = image
    return arrays


def decode(file: Path) -> tuple[np.ndarray, str]:
    """The pixels of a file, `(h, w, 1)` or `(h, w, 3)`, and what was converted.

    Args:
        file: PNG or JPEG.

    Returns:
        Pixels, `uint8`, or `uint16` if the file has 16 bits; and `"with alpha channel"`,
        `"with palette"` or an empty string.

    Raises:
        InputError: it cannot be read or decoded, is no plain file, or needs too much memory.

    Example:
        >>> decode(Path("digits/one/0.png"))[0].shape
        (4, 4, 1)
    """
    import tensorflow as tf  # 4 s to import: only when there is an image to decode

    try:
        content = read_plain_file(file, LARGEST_IMAGE)
        _check_pixels(file, content)
        is_png = content.startswith(PNG) and len(content) > COLOUR_AT
        deep = is_png and content[DEPTH_AT] == 16
        if deep:
            image = tf.io.decode_png(content, dtype=tf.uint16).numpy()
        else:
            image = tf.io.decode_image(content, expand_animations=False).numpy()
    except OSError as error:
        raise InputError(
            f"Expected a readable image file. Received: {file} ({error.strerror}); "
            "check its permissions."
        ) from error
    except tf.errors.InvalidArgumentError as error:
        raise InputError(
            f"Expected a PNG or JPEG image. Received: {file}, which cannot be decoded; "
            "replace or remove it."
        ) from error
    channels = image.shape[-1]
    if channels in (2, 4):
        return image[..., : channels - 1], "with alpha channel"
    if is_png and content[COLOUR_AT] == PALETTE:
        return image, "with palette"
    return image, ""


def _check_pixels(file: Path, content: bytes) -> None:
    """Refuse a picture of a few bytes that unpacks to gigabytes, by its header."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(content)) as picture:
                width, height = picture.size
        except Image.DecompressionBombError:
            width, height = 2**20, 2**20
        except Exception:  # TensorFlow says what is wrong with it
            return
    check_memory(4 * width * height, f"the image {file}", "make it smaller or remove it")


def _is_grey(image: np.ndarray) -> bool:
    return bool(np.all(image == image[..., :1]))


def _depth(images: np.ndarray) -> str:
    return "" if images.dtype == np.uint8 else f" of {8 * images.itemsize} bits"
