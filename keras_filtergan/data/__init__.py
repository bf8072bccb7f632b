"""Images in, batches out: image sets by name, and streams that resume exactly.

`load_dataset` gives an `ImageDataset`; `image_stream` and `training_stream` make batches of it.
Names are imported on first use, so that `import keras_filtergan.data` costs no TensorFlow.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from keras_filtergan.data.dataset import ImageDataset
    from keras_filtergan.data.pixels import to_unit_interval
    from keras_filtergan.data.sources import absolute_source, load_dataset
    from keras_filtergan.data.streams import (
        image_stream,
        number_stream,
        steps_per_epoch,
        training_stream,
    )

_HOMES = {
    "ImageDataset": "dataset",
    "to_unit_interval": "pixels",
    "load_dataset": "sources",
    "absolute_source": "sources",
    "image_stream": "streams",
    "number_stream": "streams",
    "steps_per_epoch": "streams",
    "training_stream": "streams",
}

__all__ = [  # noqa: RUF022 (as a user meets them)
    "load_dataset",
    "absolute_source",
    "ImageDataset",
    "to_unit_interval",
    "image_stream",
    "training_stream",
    "number_stream",
    "steps_per_epoch",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
