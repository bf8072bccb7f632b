"""How a kernel moves over an image: a convolution without its channels and weights."""

import dataclasses

import tensorflow as tf

from keras_filtergan.errors import InputError

Size = list[int | tf.Tensor]  # rows and columns, as numbers where they are known


@dataclasses.dataclass(frozen=True)
class Window:
    """Taps, strides, padding and dilation, and what follows from them.

    Args:
        taps: rows and columns of the kernel.
        strides: step in rows and columns.
        padding: `"same"` or `"valid"`.
        dilation_rate: distance between the taps in rows and columns.

    Raises:
        InputError: an unknown padding.

    Example:
        >>> Window((3, 3), (2, 2), "same", (1, 1)).places([7, 8])
        [4, 4]
    """

    taps: tuple[int, int]
    strides: tuple[int, int]
    padding: str
    dilation_rate: tuple[int, int]

    def __post_init__(self):
        if self.padding not in ("same", "valid"):
            raise InputError(f"expected padding 'same' or 'valid', received {self.padding!r}")

    @property
    def reach(self) -> tuple[int, int]:
        """Pixels from the first tap to the last, both included."""
        (kh, kw), (down, right) = self.taps, self.dilation_rate
        return (kh - 1) * down + 1, (kw - 1) * right + 1

    @property
    def offsets(self) -> list[tuple[int, int]]:
        """Where each tap stands, in pixels down and right of the first."""
        down, right = self.dilation_rate
        return [(i * down, j * right) for i in range(self.taps[0]) for j in range(self.taps[1])]

    def places(self, size: Size) -> Size:
        """Rows and columns of the maps of an image of this size."""
        cut = (0, 0) if self.padding == "same" else (r - 1 for r in self.reach)
        return [-(-(n - c) // s) for n, c, s in zip(size, cut, self.strides, strict=True)]

    def margins(self, size: Size) -> list[Size]:
        """What the padding adds (before, after), rows and columns, divided as TensorFlow does."""
        if self.padding == "valid":
            return [[0, 0], [0, 0]]
        margins = []
        for n, places, stride, reach in zip(
            size, self.places(size), self.strides, self.reach, strict=True
        ):
            total = (places - 1) * stride + reach - n
            total = max(total, 0) if isinstance(total, int) else tf.maximum(total, 0)
            margins.append([total // 2, total - total // 2])
        return margins

    def views(self, images: tf.Tensor, size: Size) -> list[tf.Tensor]:
        """What each tap sees of images `(m, h, w, c)`: `(m, h', w', c)`, one view a tap."""
        padded = tf.pad(images, [[0, 0], *self.margins(size), [0, 0]])
        places = self.places(size)

        def seen(offset: tuple[int, int]) -> tf.Tensor:
            rows, columns = (
                slice(first, first + (n - 1) * stride + 1, stride)
                for first, n, stride in zip(offset, places, self.strides, strict=True)
            )
            return padded[:, rows, columns]

        return [seen(offset) for offset in self.offsets]

    def spread(self, views: list[tf.Tensor], size: Size) -> tf.Tensor:
        """The adjoint of `views`: each pixel's sum over what the taps that see it hold.

        TensorFlow's own gradient of slices says the same and takes twice as long.
        """
        margins, places = self.margins(size), self.places(size)
        padded = [n + before + after for n, (before, after) in zip(size, margins, strict=True)]
        spans = [(n - 1) * stride + 1 for n, stride in zip(places, self.strides, strict=True)]

        def placed(view: tf.Tensor, offset: tuple[int, int]) -> tf.Tensor:
            for axis, stride in enumerate(self.strides, start=1):
                view = with_gaps(view, axis, stride)
            pads = [
                [first, whole - first - span]
                for first, whole, span in zip(offset, padded, spans, strict=True)
            ]
            return tf.pad(view, [[0, 0], *pads, [0, 0]])

        total = tf.add_n([placed(*pair) for pair in zip(views, self.offsets, strict=True)])
        (top, _), (left, _) = margins
        return total[:, top : top + size[0], left : left + size[1]]


def with_gaps(tensor: tf.Tensor, axis: int, step: int) -> tf.Tensor:
    """Entries along an axis `step` apart, zeros between them: n entries become (n − 1) step + 1.

    Args:
        tensor: of known rank; the length of the axis may be unknown.
        axis: counted from the front.
        step: 1 for no gaps.
    """
    if step == 1:
        return tensor
    n = tensor.shape[axis] or tf.shape(tensor)[axis]
    pads = [[0, 0]] * (tensor.shape.rank + 1)
    pads[axis + 1] = [0, step - 1]
    spaced = tf.pad(tf.expand_dims(tensor, axis + 1), pads)
    shape, sizes = tf.shape(tensor), list(tensor.shape)
    merged = [shape[i] if size is None else size for i, size in enumerate(sizes)]
    merged[axis] = n * step
    begin = [slice(None)] * axis
    return tf.reshape(spaced, merged)[(*begin, slice((n - 1) * step + 1))]
