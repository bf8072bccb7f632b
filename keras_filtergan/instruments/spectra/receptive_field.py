"""Which pixels a unit can see, exactly."""

import dataclasses
import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_filtergan.classifiers.graph import calls, layers_by_path, recorded
from keras_filtergan.errors import InputError
from keras_filtergan.private_keras import graph_of

_BY_PLACE = (
    keras.layers.Activation,
    keras.layers.BatchNormalization,
    keras.layers.Dropout,
    keras.layers.ELU,
    keras.layers.Identity,
    keras.layers.LeakyReLU,
    keras.layers.Normalization,
    keras.layers.PReLU,
    keras.layers.ReLU,
    keras.layers.Rescaling,
    keras.layers.SpatialDropout2D,
)
_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
_POOLINGS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
_BATCH = 64


class Window(NamedTuple):
    """What one place of a layer's output reads of its input, along one axis.

    Place i reads the places i · stride − before + dilation · t, t from 0 to taps − 1, as far as
    the input has them (0 to places − 1).
    """

    taps: int
    stride: int
    dilation: int
    before: int
    places: int

    def read(self, places: set[int]) -> set[int]:
        """The places of the input that these of the output read."""
        firsts = [place * self.stride - self.before for place in places]
        seen = {first + self.dilation * tap for first in firsts for tap in range(self.taps)}
        return seen & set(range(self.places))


@dataclasses.dataclass(frozen=True)
class ReceptiveField:
    """The receptive field of the units of a layer that stands behind a chain of layers.

    Attributes:
        windows: of each layer on the way in the order in which they run, (down, right).
        image: `(h, w)`.

    Example:
        >>> field = receptive_field(classifier, "conv4")
        >>> field.size, field.stride, field.start
        ((26, 26), (4, 4), (-11, -11))

    Reference:
        Araujo, Norris, Sim (Distill 2019), "Computing receptive fields of convolutional neural
        networks".
    """

    windows: tuple[tuple[Window, Window], ...]
    image: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """Pixels from its first to its last, also where some are beyond the border."""
        rows, columns = self._arithmetic()
        return rows[0], columns[0]

    @property
    def stride(self) -> tuple[int, int]:
        """Pixels from the field of a unit to that of its neighbour."""
        rows, columns = self._arithmetic()
        return rows[1], columns[1]

    @property
    def start(self) -> tuple[int, int]:
        """First pixel of the field of unit (0, 0), negative if it is beyond the border."""
        rows, columns = self._arithmetic()
        return rows[2], columns[2]

    def pixels(self, unit: tuple[int, int]) -> np.ndarray:
        """The pixels that a unit sees, `(h, w)`, true where it does.

        What falls beyond a border, of the image or of a layer on the way, is not there; the gaps
        between the taps of dilated kernels are left out.

        Args:
            unit: (row, column) of its place in the layer.
        """
        axes = []
        for axis, places in enumerate(self.image):
            seen = {unit[axis]}
            for window in reversed(self.windows):
                seen = window[axis].read(seen)
            axes.append(np.isin(np.arange(places), list(seen)))
        return np.logical_and.outer(*axes)

    def _arithmetic(self) -> Iterator[tuple[int, int, int]]:
        """Size, stride and start, along each axis."""
        for axis in range(2):
            size, stride, start = 1, 1, 0
            for window in (pair[axis] for pair in self.windows):
                size += (window.taps - 1) * window.dilation * stride
                start -= window.before * stride
                stride *= window.stride
            yield size, stride, start


def receptive_field(model: keras.Model, path: str) -> ReceptiveField | None:
    """The receptive field by arithmetic, where a layer stands behind a chain of known layers.

    Args:
        model: with a graph and one image input, nested models included.
        path: of the layer, as in `graph.layers_by_path`.

    Returns:
        `None` if paths branch before the layer or one on the way is of an unknown kind; `visible`
        works for those too.

    Raises:
        InputError: there is no such layer.
    """
    layer = _layer(model, path)
    windows = []
    for operation, size in _way(model):
        window = _window(operation, size)
        if window is None:
            return None
        windows.append(window)
        if operation is layer:
            return ReceptiveField(tuple(windows), tuple(model.inputs[0].shape[1:3]))
    return None


def visible(model: keras.Model, path: str, unit: tuple[int, int]) -> np.ndarray:
    """The pixels on which a unit of any graph depends: by arithmetic, or if need be by trying.

    Args:
        model, path: as in `receptive_field`.
        unit: (row, column) of its place in the layer.

    Returns:
        `(h, w)`, true for the pixels.

    Example:
        >>> int(visible(classifier, "conv1", (14, 14)).sum())
        9
    """
    field = receptive_field(model, path)
    return dependence(model, path, unit) if field is None else field.pixels(unit)


def dependence(model: keras.Model, path: str, unit: tuple[int, int]) -> np.ndarray:
    """The pixels on which a unit depends, found by making each NaN and looking whether it arrives.

    A NaN goes through any arithmetic, whatever the weights. It may get lost in a maximum, so the
    mean is pooled instead, over the same places; and in operations that TensorFlow has fused, so
    nothing is compiled. It costs one pass of the network for each row and column, and one for each
    pixel where those that arrive cross. Of the activations of Keras `hard_shrink` and `soft_shrink`
    lose it.

    Args:
        model, path, unit: as in `visible`.

    Returns:
        `(h, w)`, true for the pixels.

    Raises:
        InputError: there is no such layer, or its outputs are no maps.
    """
    _layer(model, path)
    shape = tuple(model.inputs[0].shape[1:])
    blank = recorded(model, tf.zeros([1, *shape]))
    if path not in blank or len(blank[path].shape) != 4:
        raise InputError(f"expected a layer of maps (m, h, w, c), {path!r} is none")

    def arrives(spoiled: np.ndarray) -> np.ndarray:
        """Which of the masks `(n, h, w)` of NaN the unit notices, `(n,)`."""
        noticed = []
        for mask in np.split(spoiled, range(_BATCH, len(spoiled), _BATCH)):
            images = np.broadcast_to(
                np.where(mask[..., None], np.nan, 0.5), (*mask.shape, shape[2])
            )
            maps = recorded(model, tf.constant(images, tf.float32), _mean_for_maximum)[path]
            noticed.append(np.isnan(maps[:, unit[0], unit[1]]).any(axis=-1))
        return np.concatenate(noticed)

    rows, columns = np.indices(shape[:2])
    seen_rows = arrives(rows == np.arange(shape[0])[:, None, None])
    seen_columns = arrives(columns == np.arange(shape[1])[:, None, None])
    seen = np.logical_and.outer(seen_rows, seen_columns)
    single = np.zeros((seen.sum(), *shape[:2]), bool)
    single[(np.arange(len(single)), *np.nonzero(seen))] = True
    if len(single):
        seen[seen] = arrives(single)
    return seen


def _layer(model: keras.Model, path: str) -> keras.Layer:
    found = dict(layers_by_path(model))
    if path not in found:
        raise InputError(f"expected one of the layers {', '.join(found)}, received {path!r}")
    return found[path]


def _way(model: keras.Model) -> Iterator[tuple[keras.Operation, tuple[int, ...]]]:
    """The operations of a chain with the shape that each is given; it ends where paths branch."""
    last = graph_of(model).inputs[0]
    for node in calls(model):
        if node.is_input:
            continue
        if len(node.input_tensors) != 1 or node.input_tensors[0] is not last:
            return
        if graph_of(node.operation) is None:
            yield node.operation, tuple(last.shape)
        else:
            yield from _way(node.operation)
            if not _is_chain(node.operation):
                return
        last = node.output_tensors[0]


def _is_chain(model: keras.Model) -> bool:
    inner = [node for node in calls(model) if not node.is_input]
    follow = all(
        len(node.input_tensors) == 1 and node.input_tensors[0] is before.output_tensors[0]
        for before, node in itertools.pairwise(inner)
    )
    return follow and all(graph_of(n.operation) is None or _is_chain(n.operation) for n in inner)


def _each(windows: Iterable[Window]) -> tuple[Window, Window]:
    """Of the rows and of the columns."""
    rows, columns = windows
    return rows, columns


def _window(operation: keras.Operation, size: tuple[int, ...]) -> tuple[Window, Window] | None:
    """What a layer reads along both axes; `None` for a kind that is not known."""
    if getattr(operation, "data_format", None) == "channels_first" or len(size) != 4:
        return None
    sides = size[1:3]
    if type(operation) in _BY_PLACE:  # a subclass may read other places
        return _each(Window(1, 1, 1, 0, n) for n in sides)
    if type(operation) is keras.layers.ZeroPadding2D:
        before = [first for first, _ in operation.padding]
        return _each(Window(1, 1, 1, b, n) for b, n in zip(before, sides, strict=True))
    if type(operation) in _CONVOLUTIONS:
        taps, dilation = operation.kernel_size, operation.dilation_rate
    elif type(operation) in _POOLINGS:
        taps, dilation = operation.pool_size, (1, 1)
    else:
        return None
    return _each(
        Window(t, s, d, _before(t, s, d, n) if operation.padding == "same" else 0, n)
        for t, s, d, n in zip(taps, operation.strides, dilation, sides, strict=True)
    )


def _before(taps: int, stride: int, dilation: int, places: int) -> int:
    """Places that `padding="same"` puts before the first one."""
    reach = (taps - 1) * dilation + 1
    return max((-(-places // stride) - 1) * stride + reach - places, 0) // 2


def _mean_for_maximum(operation: keras.Operation) -> keras.Operation:
    if isinstance(operation, keras.layers.MaxPooling2D):
        names = ("pool_size", "strides", "padding", "data_format")
        return keras.layers.AveragePooling2D(**{name: getattr(operation, name) for name in names})
    if isinstance(operation, keras.layers.GlobalMaxPooling2D):
        return keras.layers.GlobalAveragePooling2D(keepdims=operation.keepdims)
    return operation
