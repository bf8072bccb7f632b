"""Labelled images in memory: the one form in which data enters the package."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from keras_filtergan.data.decoding.depth import to_depth
from keras_filtergan.data.pixels import ROUNDING
from keras_filtergan.errors import InputError


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Images and labels for training and testing, checked on construction.

    Everything that trains or evaluates takes its images from here, so that a
    wrong shape, a NaN or a label out of range is found before any training.

    Args:
        name: What reports and run directories call the set, e.g. `"mnist"`.
        x_train: Images `(n, height, width, channels)`, 1 or 3 channels, either whole numbers
            (see `decoding.depth.to_depth`; stored as `uint8` if they are bytes) or floating in
            [0, 1] (stored as `float32`).
        y_train: Class indices `(n,)`, any integer type (stored as `int32`).
        x_test: Images like `x_train`: same height, width, channels and type.
        y_test: Class indices like `y_train`.
        class_names: One name a class, at least two; labels index into it.
        note: Where the data come from, in a sentence, or empty.

    The arrays are read-only views: the fingerprint stays true.

    Raises:
        InputError: When the data are not of this form. The message names the array.

    Example:
        >>> data = ImageDataset("dots", x, y, x_test, y_test, ("dark", "light"))
        >>> data.image_shape, data.num_classes
        ((28, 28, 1), 2)
    """

    name: str
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]
    note: str = ""

    def __post_init__(self) -> None:
        names = tuple(str(name) for name in self.class_names)
        if len(names) < 2 or len(set(names)) != len(names):
            raise InputError(
                f"{self.name}: expected two or more different class names. Received: "
                f"{len(names)} names, {len(set(names))} different; give each class its own name."
            )
        fields: dict[str, Any] = {"class_names": names}
        pixels = self._pixels(fields)
        for split, images in pixels.items():
            labels = _checked_labels(
                getattr(self, f"y_{split}"), len(images), len(names), f"{self.name}: y_{split}"
            )
            fields |= {f"x_{split}": _read_only(images), f"y_{split}": _read_only(labels)}
        train, test = fields["x_train"], fields["x_test"]
        if (train.shape[1:], train.dtype) != (test.shape[1:], test.dtype):
            raise InputError(
                f"{self.name}: expected x_train and x_test of one image shape and type. Received: "
                f"{train.shape[1:]} {train.dtype} and {test.shape[1:]} {test.dtype}; convert one."
            )
        for field, value in fields.items():
            object.__setattr__(self, field, value)  # frozen for everyone but its constructor

    def _pixels(self, fields: dict[str, Any]) -> dict[str, np.ndarray]:
        """The images of each split; what is unusual about them goes into the note."""
        pixels = {
            split: _checked_shape(getattr(self, f"x_{split}"), f"{self.name}: x_{split}")
            for split in ("train", "test")
        }
        if all(images.dtype.kind in "iub" for images in pixels.values()):
            try:
                converted, remark = to_depth(list(pixels.values()))
            except InputError as error:
                raise InputError(f"{self.name}: {error}") from None
            if remark and remark not in self.note:
                fields["note"] = "; ".join(filter(None, (self.note, remark)))
            return dict(zip(pixels, converted, strict=True))
        return {
            split: _checked_floats(images, f"{self.name}: x_{split}")
            for split, images in pixels.items()
        }

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Shape of one image, `(height, width, channels)`."""
        return self.x_train.shape[1:]

    @property
    def num_classes(self) -> int:
        """Number of classes, also those without an example."""
        return len(self.class_names)

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hex digits of the contents: the same for the same pixels, labels and names.

        Two runs that write the same fingerprint used the same data, whatever its name or place.
        """
        digest = hashlib.sha256(repr(self.class_names).encode())
        for array in (self.x_train, self.y_train, self.x_test, self.y_test):
            digest.update(f"{array.dtype.str}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()[:16]


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view


def _checked_shape(images: Any, what: str) -> np.ndarray:
    images = np.asanyarray(images)
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise InputError(
            f"{what}: expected images (n, height, width, channels) with 1 or 3 channels. "
            f"Received: shape {images.shape}; put channels last, one for grey or three for colour."
        )
    if 0 in images.shape:
        raise InputError(
            f"{what}: expected at least one image of at least one pixel. "
            f"Received: shape {images.shape}; check that the set is not empty."
        )
    return images


def _checked_floats(images: np.ndarray, what: str) -> np.ndarray:
    if images.dtype == np.uint8:
        return images  # while the other split has floats, which is refused next
    if not np.issubdtype(images.dtype, np.floating):
        raise InputError(
            f"{what}: expected pixels as uint8 (0..255) or floats in [0, 1]. "
            f"Received: {images.dtype}; convert the images of both splits alike."
        )
    low, high = float(images.min()), float(images.max())  # NaN if any pixel is NaN
    if low >= 0.0 and high <= 1.0:
        return images.astype(np.float32, copy=False)
    if not (low >= -ROUNDING and high <= 1.0 + ROUNDING):
        problem = "NaN pixels" if np.isnan(low) else f"pixels from {low:.7g} to {high:.7g}"
        raise InputError(
            f"{what}: expected float pixels in [0, 1]. Received: {problem}; "
            "rescale them, or store 0..255 as uint8."
        )
    return np.clip(images, 0.0, 1.0).astype(np.float32)


def _checked_labels(labels: Any, count: int, num_classes: int, what: str) -> np.ndarray:
    labels = np.asarray(labels)
    if not np.issubdtype(labels.dtype, np.integer):
        advice = "number the classes from 0 and use an integer type"
        if labels.ndim == 2 and labels.shape[-1] > 1:
            advice = "one-hot labels need .argmax(axis=-1)"
        raise InputError(
            f"{what}: expected integer class indices. Received: {labels.dtype} of shape "
            f"{labels.shape}; {advice}."
        )
    if labels.shape != (count,):
        raise InputError(
            f"{what}: expected one label an image, shape ({count},). "
            f"Received: shape {labels.shape}; one-hot labels need .argmax(axis=-1)."
        )
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= num_classes:
        raise InputError(
            f"{what}: expected labels in 0..{num_classes - 1}. Received: {low}..{high}; "
            "number the classes from 0, and name them all."
        )
    return labels.astype(np.int32, copy=False)
