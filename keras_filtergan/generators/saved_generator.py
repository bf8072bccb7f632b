"""`load_generator`: a saved generator from a file that need not be trusted.

A `.keras` file is a zip of a configuration and of weights in HDF5. Loaded as it is, it may name
classes to be called, and a file of a few kilobytes may ask for gigabytes. A generator needs none of
that: its configuration is a handful of plain numbers, from which the shape of each weight follows.
So everything is checked against these before anything is made.
"""

import functools
import io
import json
import math
import os
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from keras_filtergan.errors import InputError
from keras_filtergan.generators.architectures import GENERATORS
from keras_filtergan.generators.filter_generator import FilterGenerator
from keras_filtergan.guards.reading import check_plain_file, reason_of

CONFIG, WEIGHTS = "config.json", "model.weights.h5"
LARGEST_CONFIG = 2**16  # bytes
LARGEST_GENERATOR = 2**28  # parameters, 1 GiB
TRIED = 4  # latents whose kernels have to be finite
LARGEST_KERNEL = 2**10  # pixels a side, dilation included
_KINDS = {f"keras_filtergan>{kind.__name__}": kind for kind in GENERATORS.values()}


def load_generator(path: str | os.PathLike) -> FilterGenerator:
    """Load a saved generator, in any process, without trusting the file.

    Nothing in the file is executed and no class but those of our generators is made. Shapes, sizes
    and finiteness of the weights are checked against the configuration before memory is asked for.

    Args:
        path: `generator.keras` of a run.

    Returns:
        The averaged generator, latents `(m, d)` → kernels `(m, kh, kw, cin, cout)`. Hand it to
        `layers.GeneratedConv2D` for your own networks.

    Raises:
        InputError: the file is missing, damaged, or holds anything else.

    Example:
        >>> generator = load_generator("runs/mnist_sample-layer4-seed0/generator.keras")
        >>> generator(keras.random.normal([5, generator.latent_dim])).shape
        TensorShape([5, 3, 3, 32, 32])
    """
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"expected the path of a generator.keras file, received {path!r}")
    path = Path(path)
    if path.is_dir():
        raise InputError(
            f"expected a generator.keras file, {str(path)!r} is a directory; "
            f"give {str(path / 'generator.keras')!r}"
        )
    if not path.is_file():
        raise InputError(f"expected a generator.keras file, there is none at {str(path)!r}")
    try:
        check_plain_file(path)
        with zipfile.ZipFile(path) as archive:
            kind, config = _checked_config(_read(archive, CONFIG, LARGEST_CONFIG))
            shapes = _weight_shapes(kind, config)
            size = 4 * sum(math.prod(shape) for shape in shapes.values())
            with h5py.File(io.BytesIO(_read(archive, WEIGHTS, size + 2**20)), "r") as file:
                weights = _checked_weights(file, shapes)
    except _Refused as refusal:
        raise InputError(f"{str(path)!r} is no saved generator: {refusal}") from None
    except InputError:
        raise
    except Exception as error:  # a damaged zip or HDF5 file raises almost anything
        reason = reason_of(error)
        raise InputError(f"{str(path)!r} is damaged or no .keras file: {reason}") from None
    generator = _assemble(kind, config, weights)
    latents = np.random.default_rng(0).standard_normal((TRIED, config["latent_dim"]))
    for latent in latents.astype("float32"):  # one at a time: a kernel set may be large
        if not np.isfinite(generator(latent[None])).all():
            raise InputError(f"{str(path)!r} is no saved generator: its kernels are not finite")
    return generator


class _Refused(Exception):
    """Why a file is not a generator of ours."""


def _read(archive: zipfile.ZipFile, name: str, largest: int) -> bytes:
    if name not in archive.namelist():
        raise _Refused(f"it holds no {name}")
    # Other packings are unpacked as a whole, however little of it is asked for.
    if archive.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _Refused(f"its {name} is packed in a way that Keras does not use")
    if archive.getinfo(name).file_size > largest:
        raise _Refused(f"its {name} is larger than {largest:,} bytes")
    with archive.open(name) as file:
        data = file.read(largest + 1)  # the size in the directory of a zip may be a lie
    if len(data) > largest:
        raise _Refused(f"its {name} is larger than {largest:,} bytes")
    return data


def _checked_config(text: bytes) -> tuple[type[FilterGenerator], dict[str, Any]]:
    """The class of the generator, and its arguments, each of the right kind and size."""
    saved = json.loads(text)
    name = saved.get("registered_name") if isinstance(saved, dict) else None
    if not isinstance(name, str) or name not in _KINDS:
        kind = saved.get("class_name") if isinstance(saved, dict) else type(saved).__name__
        raise _Refused(
            f"it holds a {str(kind)[:60]} registered as {_shown(name)}, expected a FilterGenerator"
        )
    generator_kind, config = _KINDS[name], saved.get("config")
    if not isinstance(config, dict):
        raise _Refused("it has no configuration")
    shape = config.get("kernel_shape")
    if shape is None or not _integers(shape, 4):
        raise _Refused(f"kernel_shape is {_shown(shape)}, expected four whole numbers from 1 on")
    checked: dict[str, Any] = {"kernel_shape": tuple(shape)}
    for name in ("latent_dim", "width", "groups"):
        value = config.get(name, 1 if name == "groups" else None)
        if not _integers([value], 1):
            raise _Refused(f"{name} is {_shown(value)}, expected a whole number from 1 on")
        checked[name] = value
    for name in ("strides", "dilation_rate"):
        value = config.get(name, [1, 1])
        if not _integers(value, 2):
            raise _Refused(f"{name} is {_shown(value)}, expected two whole numbers from 1 on")
        checked[name] = tuple(value)
    scale, padding = config.get("mean_learning_rate"), config.get("padding", "same")
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale < 1e6:
        raise _Refused(f"mean_learning_rate is {_shown(scale)}, expected a number above 0")
    if padding not in ("same", "valid"):
        raise _Refused(f"padding is {_shown(padding)}, expected 'same' or 'valid'")
    checked.update(mean_learning_rate=scale, padding=padding)
    checked["use_bias"] = config.get("use_bias", False) is True
    _check_convolution(checked)
    return generator_kind, checked


def _check_convolution(config: dict[str, Any]) -> None:
    """Refuse numbers that are each possible and together no convolution."""
    for taps, rate in zip(config["kernel_shape"], config["dilation_rate"], strict=False):
        if (taps - 1) * rate + 1 > LARGEST_KERNEL:
            raise _Refused(f"a kernel of {taps} taps {rate} apart is larger than {LARGEST_KERNEL}")
    if config["kernel_shape"][3] % config["groups"]:
        raise _Refused(
            f"{config['groups']} groups do not divide {config['kernel_shape'][3]} channels"
        )
    if max(config["strides"]) > 1 and max(config["dilation_rate"]) > 1:
        raise _Refused("it has both strides and dilation, which no convolution of Keras has")


def _integers(values: Any, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(type(value) is int and 1 <= value < 2**31 for value in values)
    )


def _shown(value: Any) -> str:
    return repr(value)[:60]


def _weight_shapes(
    kind: type[FilterGenerator], config: dict[str, Any]
) -> dict[str, tuple[int, ...]]:
    """Shape of each weight by its path."""
    shapes = kind.weight_shapes(config)
    parameters = sum(math.prod(shape) for shape in shapes.values())
    if parameters > LARGEST_GENERATOR:
        raise _Refused(f"it asks for {parameters:,} parameters, at most {LARGEST_GENERATOR:,} go")
    return shapes


def _places(names: Iterable[str]) -> dict[str, str]:
    """Where Keras puts each weight in the file: numbered within its layer."""
    counts: Counter[str] = Counter()
    places = {}
    for name in names:
        layer = name.rpartition("/")[0]
        places[name] = f"{layer}/vars/{counts[layer]}".removeprefix("/")
        counts[layer] += 1
    return places


def _checked_weights(file: h5py.File, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The weights by name, read only if they are what the configuration asks for."""
    weights = {}
    places = _places(shapes)
    for name, shape in shapes.items():
        place = places[name]
        # A link may lead out of the file, and so may the data of a set.
        if not all(isinstance(link, h5py.HardLink) for link in _links(file, place)):
            raise _Refused(f"weight {name!r} is missing")
        held = file[place]
        if not isinstance(held, h5py.Dataset) or held.external or held.is_virtual:
            raise _Refused(f"weight {name!r} is not held in the file")
        if held.chunks is not None:  # a chunk unpacks to any size, whatever the shape says
            raise _Refused(f"weight {name!r} is held in chunks, which Keras does not write")
        if held.shape != shape or held.dtype != np.float32:
            raise _Refused(
                f"weight {name!r} is {held.shape} {held.dtype}, expected {shape} float32"
            )
        if held.id.get_storage_size() != held.nbytes:  # never written, it would read as zeros
            raise _Refused(f"weight {name!r} is not held in the file")
        weights[name] = held[()]
        if not np.isfinite(weights[name]).all():
            raise _Refused(f"weight {name!r} is not finite")
    return weights


def _links(file: h5py.File, place: str) -> Iterator[Any]:
    """The link of each group on the way to a place, and of what is there."""
    steps = place.split("/")
    for i in range(1, len(steps) + 1):
        yield file.get("/".join(steps[:i]), getlink=True)


def _assemble(
    kind: type[FilterGenerator], config: dict[str, Any], weights: dict[str, np.ndarray]
) -> FilterGenerator:
    generator = kind(**config, dtype="float32")
    generator.build((None, config["latent_dim"]))
    for path, value in weights.items():
        functools.reduce(getattr, path.split("/"), generator).assign(value)
    return generator
