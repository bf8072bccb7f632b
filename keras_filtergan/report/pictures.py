"""Pictures as text: what a file that makes no request holds its images as."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

LEVELS = 63  # grey levels above black that small grey pictures keep: 2 of 255 is not seen
SMALL = 64  # pixels a side up to which pictures are kept without loss
QUALITY = 80  # of larger pictures and of those in colour
PNG_LIMIT = 700_000  # bytes of a figure that is taken into the report


def picture_uri(image: np.ndarray) -> str:
    """One image as a data URI of WebP.

    Small grey images (up to 64 pixels a side) are exact to 2 of 255; others are compressed with
    loss, as a JPEG is.

    Args:
        image: `(h, w, c)` in [0, 1], grey or in colour.

    Example:
        >>> picture_uri(np.zeros([28, 28, 1]))[:22]
        'data:image/webp;base64'
    """
    return _uri(image, is_small=max(image.shape[:2]) <= SMALL)


def sheet_uri(pictures: np.ndarray) -> str:
    """Pictures side by side in one image, as a data URI of WebP; see `picture_uri`.

    Args:
        pictures: `(rows, columns, h, w, c)` in [0, 1].
    """
    rows, columns, h, w, c = pictures.shape
    sheet = np.moveaxis(pictures, 2, 1).reshape(rows * h, columns * w, c)
    return _uri(sheet, is_small=max(h, w) <= SMALL)


def figure_uri(path: Path) -> str | None:
    """A PNG file as a data URI; `None` if it is too large for a report.

    Raises:
        OSError: it cannot be read.
    """
    content = path.read_bytes()
    if len(content) > PNG_LIMIT:
        return None
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def bytes_text(values: np.ndarray) -> str:
    """Whole numbers from 0 to 255 as base64.

    Example:
        >>> bytes_text(np.array([0, 255]))
        'AP8='
    """
    return base64.b64encode(values.astype("uint8").tobytes()).decode()


def _uri(image: np.ndarray, is_small: bool) -> str:
    exact = is_small and image.shape[-1] == 1
    levels = LEVELS if exact else 255
    steps = np.round(np.clip(image, 0.0, 1.0) * levels) / levels
    content = np.round(255 * steps).astype("uint8")
    picture = Image.fromarray(content[..., 0] if image.shape[-1] == 1 else content)
    how = {"lossless": True, "method": 2, "quality": 50} if exact else {"quality": QUALITY}
    file = io.BytesIO()
    picture.save(file, "WEBP", **how)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
