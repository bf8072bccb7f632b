"""What `.npz` and `.keras` files claim to hold, read from their headers alone."""

import json
import math
import os
import zipfile
from collections.abc import Iterator
from typing import Any, TypeGuard

import numpy as np

from keras_filtergan.errors import InputError
from keras_filtergan.guards.memory import check_memory
from keras_filtergan.guards.reading import check_plain_file, refusing
from keras_filtergan.guards.records import objects

PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what NumPy and Keras write
LARGEST_CONFIG = 2**26  # bytes of a network's configuration
WEIGHTS = "model.weights.h5"
COPIES = 3  # of the weights, while a network is loaded
WIDTHS = (  # of layers, as their configurations have them: factors of the number of weights
    ("units",),
    ("filters",),
    ("depth_multiplier",),
    ("num_heads", "key_dim"),
    ("num_heads", "value_dim"),
    ("num_query_heads", "head_dim"),
)


def array_bytes(path: str | os.PathLike, names: tuple[str, ...]) -> int:
    """Bytes that some arrays of a `.npz` file take in memory, none of which is read.

    Args:
        path: of the file.
        names: of the arrays; those that are not there count nothing.

    Raises:
        ValueError, OSError, zipfile.BadZipFile: the file is damaged, encrypted or packed in a way
            that NumPy does not write.
    """
    total = 0
    with zipfile.ZipFile(path) as archive:
        for name in names:
            member = f"{name}.npy"
            if member not in archive.namelist():
                continue
            _check_packing(archive.getinfo(member))
            with archive.open(member) as file:
                version = np.lib.format.read_magic(file)
                read = {
                    (1, 0): np.lib.format.read_array_header_1_0,
                    (2, 0): np.lib.format.read_array_header_2_0,
                }.get(version)
                if read is None:
                    raise ValueError(f"an array of format {version}")
                shape, _, dtype = read(file)
            total += math.prod(shape) * dtype.itemsize
    return total


def check_keras_file(path: str | os.PathLike) -> None:
    """Refuse a `.keras` file that claims more than it holds, or holds more than there is room for.

    Args:
        path: of a file that is there.

    Raises:
        InputError: that, or it is no such archive.
    """
    check_plain_file(path)
    with refusing(lambda reason: f"{str(path)!r} is no Keras model that can be loaded: {reason}"):
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                _check_packing(info)
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            what = f"the network in {str(path)!r}"
            check_memory(COPIES * sum(sizes.values()), what, "take a smaller one")
            if "config.json" not in sizes or sizes["config.json"] > LARGEST_CONFIG:
                return  # Keras says what is missing
            with archive.open("config.json") as file:
                config = json.loads(file.read(LARGEST_CONFIG + 1))
        check_memory(_largest_input(config), f"an input of {what}", "take a smaller one")
        # Half a byte is the least that Keras stores of a weight.
        claimed, room = sum(_weights(config)), 2 * sizes.get(WEIGHTS, 0)
        if claimed > room:
            raise InputError(
                f"{str(path)!r} is no Keras model that can be loaded: its layers have "
                f"{claimed:,} weights, more than are in the file"
            )


def _check_packing(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 1:
        raise ValueError(f"{info.filename} is encrypted")
    if info.compress_type not in PACKINGS:
        raise ValueError(f"{info.filename} is packed in a way that is not read here")


def _largest_input(config: Any) -> int:
    """Bytes of one example, of the input that has most."""
    held = (one.get("config") for one in objects(config) if one.get("class_name") == "InputLayer")
    return max(
        (4 * _product(one.get("batch_shape")) for one in held if isinstance(one, dict)), default=0
    )


def _weights(config: Any) -> Iterator[int]:
    """Weights of each layer in a configuration, at least; nested ones included."""
    for held in objects(config):
        if isinstance(held.get("config"), dict):
            yield _weights_of_layer(held["config"], held.get("build_config"))


def _weights_of_layer(config: dict[str, Any], build_config: Any) -> int:
    shape = build_config.get("input_shape") if isinstance(build_config, dict) else None
    inputs = shape[-1] if isinstance(shape, list) and shape and _is_count(shape[-1]) else 1
    taps, groups = _product(config.get("kernel_size")), config.get("groups")
    if _is_count(config.get("output_dim")):
        return _times(config, ("output_dim", "input_dim"))
    if "pointwise_initializer" in config:  # a separable convolution
        return (
            _times(config, ("depth_multiplier",)) * inputs * (taps + _times(config, ("filters",)))
        )
    if _is_count(groups) and groups:
        inputs = max(inputs // groups, 1)
    widths = [_times(config, names) for names in WIDTHS if _is_count(config.get(names[0]))]
    if isinstance(config.get("output_shape"), list):  # of an `EinsumDense`
        widths.append(_product(config["output_shape"]))
    return max(widths, default=0) * inputs * taps


def _times(config: dict[str, Any], names: tuple[str, ...]) -> int:
    return _product([config.get(name) for name in names])


def _product(counts: Any) -> int:
    """Of what are counts in a list, 1 of anything else."""
    return math.prod(filter(_is_count, counts)) if isinstance(counts, list) else 1


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
