"""One kernel set per example: the hot operation of the whole package.

TensorFlow convolves a batch of images with one kernel set; Algorithm 1 needs image i convolved with
kernel set i. That could be one grouped convolution, the batch folded into its channels. But on a
CPU TensorFlow has the gradient of a grouped convolution only in oneDNN's kernels, which it switches
on for some processors and not for others; and XLA, which Keras uses on a GPU without being asked,
makes that gradient 60 to 400 times slower. Whether XLA will compile a graph cannot be known while
it is traced. So nothing here is grouped: each form below is right everywhere, and `form_of` chooses
by shape, and by whether there is a GPU and oneDNN is on. docs/performance.md has the times.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import tensorflow as tf

from keras_filtergan import processor
from keras_filtergan.errors import InputError
from keras_filtergan.window import Size, Window, with_gaps

FORMS = ("conv2d", "depthwise", "singly", "patches", "taps")
# Outputs of an input channel up to which the convolution is depthwise: for 5×5 on 28×28×1 → 1 it
# takes a fifth of the time of patches with oneDNN off, half with it on; for 3×3 on 28×28×1 → 16
# about the same. XLA compiles it badly for a CPU: 4 times as slow as patches for the former, a
# second a step for a depthwise layer of MobileNet.
DEPTHWISE_OUTPUTS = 4
# Multiply-adds an example from which each example has a convolution of its own, with oneDNN off and
# on, on a CPU alone. TensorFlow multiplies small matrices of a batch without its fast kernel, and
# its convolution has it. Off, with both gradients, that is half to three quarters of the time of
# products on 14×14×16 → 32, 7×7×32 → 32 and 14×14×64 → 64, but more than that of taps on
# 28×28×1 → 16. oneDNN prepares each convolution anew, which pays from 32×32×64 → 64 on. On a GPU, a
# hundred small operations would wait for each other.
SINGLE_COST = {False: 300_000, True: 20_000_000}
SINGLE_EXAMPLES = 128  # at most; each adds three operations to the graph
# Channels from which there is a product a tap, for 3×3 in a ninth of the memory of one product with
# all taps. By itself it took 0.6 to 1.4 of the time of that, from one run to another; a training
# step with oneDNN on took 0.96.
TAPS_CHANNELS = 16


def convolve(
    images: tf.Tensor,
    kernels: tf.Tensor,
    strides: int | tuple[int, int] = 1,
    padding: str = "same",
    dilation_rate: int | tuple[int, int] = 1,
    form: str | None = None,
) -> tf.Tensor:
    """Convolve images with one shared kernel set or with one kernel set per example.

    Args:
        images: `(m, h, w, cin)`; only cin has to be known while a graph is traced.
        kernels: `(kh, kw, cin, cout)`, shared by all images, or `(m, kh, kw, cin, cout)`: image `i`
            is convolved with `kernels[i]` (Algorithm 1, line 3 of the paper). With `cin / groups`
            in the place of `cin` the convolution is grouped; with 1 it is depthwise.
        strides: step in rows and columns.
        padding: `"same"` or `"valid"`.
        dilation_rate: distance between the taps of a kernel in rows and columns.
        form: how to compute it, of `FORMS`; `None`: as `form_of` says. Forms differ by rounding.

    Returns:
        `(m, h', w', cout)`, equal to a loop of `m` single convolutions. It is differentiable in
        both, on every device, eager or traced, compiled by XLA or not.

    Raises:
        InputError: the channels of images and kernels do not go together, an unknown padding, or a
            form that cannot compute this convolution.

    Example:
        >>> convolve(tf.ones([2, 5, 5, 1]), tf.ones([2, 3, 3, 1, 4])).shape
        TensorShape([2, 5, 5, 4])
    """
    images, kernels = tf.convert_to_tensor(images), tf.convert_to_tensor(kernels)
    window = Window(tuple(kernels.shape[-4:-2]), _pair(strides), padding, _pair(dilation_rate))
    usual = form_of(images.shape, kernels.shape, strides)
    form = form or usual
    _check_form(form, kernels, window)
    if form == "conv2d":
        return _conv2d(images, kernels, window)
    if form == "depthwise":
        return _depthwise(images, kernels, window)
    if form == "singly":
        return _by_group(_singly, images, kernels, window)
    taps = math.prod(window.taps) if form == "patches" else 1
    return _by_group(partial(_products, at_once=taps), images, kernels, window)


def form_of(
    images_shape: Sequence[Any],
    kernels_shape: Sequence[Any],
    strides: int | tuple[int, int] = 1,
) -> str:
    """Which form `convolve` takes for images and kernels of these shapes.

    * `"conv2d"`: one kernel set for all images. TensorFlow's own convolution, a group at a time.
    * `"depthwise"`: one input channel a group, and few outputs of it. One depthwise convolution
      with the batch folded into the channels; TensorFlow has its gradients on every device.
    * `"singly"`: one convolution of TensorFlow's an example, for a batch of known size.
    * `"patches"`: one product of matrices an example, (places, taps · cin) with (taps · cin, cout).
    * `"taps"`: one product an example and tap, (places, cin) with (cin, cout), added up.

    Args:
        images_shape: `(m, h, w, cin)`; all but cin may be unknown.
        kernels_shape: `(kh, kw, cin / groups, cout)`, or with the batch before it.
        strides: step in rows and columns.

    Raises:
        InputError: the channels do not go together.

    Example:
        >>> form_of((64, 28, 28, 1), (64, 3, 3, 1, 16))
        'patches'
    """
    cin, (depth, cout) = images_shape[-1], kernels_shape[-2:]
    _check_channels(cin, depth, cout)
    rows, columns = _pair(strides)
    # TensorFlow's depthwise convolution takes equal strides only.
    if depth == 1 and rows == columns and cout <= DEPTHWISE_OUTPUTS * cin:
        return "depthwise"
    if len(kernels_shape) == 4:
        return "conv2d"
    if depth == cin and _pays_singly(images_shape, kernels_shape, rows * columns):
        return "singly"
    return "taps" if depth >= TAPS_CHANNELS else "patches"


def _conv2d(images: tf.Tensor, kernels: tf.Tensor, window: Window) -> tf.Tensor:
    """One kernel set for all images, a group at a time."""
    groups = images.shape[-1] // kernels.shape[-2]
    kernels = _dilate(kernels, window)
    pairs = zip(tf.split(images, groups, -1), tf.split(kernels, groups, -1), strict=True)
    maps = [tf.nn.conv2d(*pair, window.strides, window.padding.upper()) for pair in pairs]
    return maps[0] if groups == 1 else tf.concat(maps, -1)


def _depthwise(images: tf.Tensor, kernels: tf.Tensor, window: Window) -> tf.Tensor:
    """One depthwise convolution; kernel sets of their own make each channel of each image one."""
    strides, padding = [1, *window.strides, 1], window.padding.upper()
    kernels = _dilate(kernels, window)
    m, h, w, cin = _sizes(images)
    outputs = kernels.shape[-1] // cin
    if kernels.shape.rank == 4:
        kernels = tf.reshape(kernels, [*kernels.shape[:2], cin, outputs])
        return tf.nn.depthwise_conv2d(images, kernels, strides, padding)
    kh, kw = kernels.shape[1:3]
    images = tf.reshape(tf.transpose(images, [1, 2, 0, 3]), [1, h, w, m * cin])
    kernels = tf.transpose(tf.reshape(kernels, [m, kh, kw, cin * outputs]), [1, 2, 0, 3])
    kernels = tf.reshape(kernels, [kh, kw, m * cin, outputs])
    maps = tf.nn.depthwise_conv2d(images, kernels, strides, padding)
    _, h, w, _ = _sizes(maps)
    return tf.transpose(tf.reshape(maps, [h, w, m, cin * outputs]), [2, 0, 1, 3])


def _pays_singly(images_shape: Sequence[Any], kernels_shape: Sequence[Any], stride: int) -> bool:
    m, *size, _ = images_shape
    if None in (m, *size) or m > SINGLE_EXAMPLES or processor.has_gpu():
        return False
    cost = math.prod(size) * math.prod(kernels_shape[1:]) // stride
    return cost >= SINGLE_COST[processor.onednn_is_on()]


def _by_group(form: Callable, images: tf.Tensor, kernels: tf.Tensor, window: Window) -> tf.Tensor:
    """A form for kernels of all channels, with each group as an example of its own."""
    m, h, w, cin = _sizes(images)
    kh, kw, depth, cout = kernels.shape[1:]
    groups = cin // depth
    if groups == 1:
        return form(images, kernels, window)
    images = tf.transpose(tf.reshape(images, [m, h, w, groups, depth]), [0, 3, 1, 2, 4])
    images = tf.reshape(images, [m * groups, h, w, depth])
    kernels = tf.reshape(kernels, [m, kh, kw, depth, groups, cout // groups])
    kernels = tf.transpose(kernels, [0, 4, 1, 2, 3, 5])
    kernels = tf.reshape(kernels, [m * groups, kh, kw, depth, cout // groups])
    maps = form(images, kernels, window)
    _, h, w, outputs = _sizes(maps)
    maps = tf.transpose(tf.reshape(maps, [m, groups, h, w, outputs]), [0, 2, 3, 1, 4])
    return tf.reshape(maps, [m, h, w, cout])


def _singly(images: tf.Tensor, kernels: tf.Tensor, window: Window) -> tf.Tensor:
    """A convolution an example."""
    kernels = tf.unstack(_dilate(kernels, window))
    pairs = zip(tf.split(images, len(kernels)), kernels, strict=True)
    maps = [tf.nn.conv2d(*pair, window.strides, window.padding.upper()) for pair in pairs]
    return tf.concat(maps, 0)


def _products(images: tf.Tensor, kernels: tf.Tensor, window: Window, at_once: int) -> tf.Tensor:
    """Products of matrices, each with so many taps at once.

    Images are `(m, h, w, cin)`, kernels `(m, kh, kw, cin, cout)`.
    """

    @tf.custom_gradient
    def multiplied(images: tf.Tensor, kernels: tf.Tensor):
        m, h, w, cin = _sizes(images)
        kh, kw, _, cout = kernels.shape[1:]
        size: Size = [h, w]
        rows, columns = window.places(size)
        taps = tf.reshape(kernels, [m, kh * kw, cin, cout])
        views = window.views(images, size)
        blocks = []  # of taps: (m, places, at_once · cin) and (m, at_once · cin, cout)
        for i in range(0, kh * kw, at_once):
            seen = views[i] if at_once == 1 else tf.concat(views[i : i + at_once], -1)
            weights = tf.reshape(taps[:, i : i + at_once], [m, at_once * cin, cout])
            blocks.append((tf.reshape(seen, [m, rows * columns, at_once * cin]), weights))
        products = [_times(seen, weights, at_once) for seen, weights in blocks]
        maps = products[0] if len(products) == 1 else tf.add_n(products)

        def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            flat = tf.reshape(upstream, [m, rows * columns, cout])
            of_kernels = [_times(seen, flat, at_once, transpose_a=True) for seen, _ in blocks]
            of_views = []
            for _, weights in blocks:
                together = _times(flat, weights, at_once, transpose_b=True)
                together = tf.reshape(together, [m, rows, columns, at_once * cin])
                of_views += tf.split(together, at_once, -1)
            return (
                window.spread(of_views, size),
                tf.reshape(tf.concat(of_kernels, 1), [m, kh, kw, cin, cout]),
            )

        return tf.reshape(maps, [m, rows, columns, cout]), gradient

    return multiplied(images, kernels)


def _times(a: tf.Tensor, b: tf.Tensor, at_once: int, **transposed: bool) -> tf.Tensor:
    """Products of matrices, example by example; all taps at once in halves that run side by side.

    Without oneDNN TensorFlow multiplies one example after the other, each on all cores, which idle
    between them: two halves take 0.75 times as long, and cost nothing elsewhere. A product a tap
    has others to run beside it.
    """
    half = (a.shape[0] or 0) // 2
    if half == 0 or at_once == 1:
        return tf.matmul(a, b, **transposed)
    halves = (a[:half], b[:half]), (a[half:], b[half:])
    return tf.concat([tf.matmul(*pair, **transposed) for pair in halves], 0)


def _dilate(kernels: tf.Tensor, window: Window) -> tf.Tensor:
    """Write the dilation into the kernels as zeros between the taps.

    On the CPU TensorFlow has no gradient of a dilated convolution; of a larger kernel it has.
    """
    first = kernels.shape.rank - 4
    for axis, rate in enumerate(window.dilation_rate, start=first):
        kernels = with_gaps(kernels, axis, rate)
    return kernels


def _sizes(images: tf.Tensor) -> list[int | tf.Tensor]:
    """The sizes of a tensor, as numbers where they are known."""
    if images.shape.is_fully_defined():
        return images.shape.as_list()
    sizes = tf.shape(images)
    return [sizes[axis] if size is None else size for axis, size in enumerate(images.shape)]


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    if isinstance(value, int):
        return value, value
    rows, columns = value
    return rows, columns


def _check_channels(cin: int | None, depth: int, cout: int) -> None:
    # Other numbers may well fit each other once they are folded, and mean nothing.
    if cin is None:
        raise InputError("expected images whose channels are known; use tf.ensure_shape")
    if cin % depth or cout % (cin // depth):
        raise InputError(
            f"expected kernels (…, cin / groups, cout) for images with {cin} channels, received "
            f"(…, {depth}, {cout}); groups have to divide both {cin} and {cout}"
        )


def _check_form(form: str, kernels: tf.Tensor, window: Window) -> None:
    shared, (rows, columns) = kernels.shape.rank == 4, window.strides
    fits = {
        "conv2d": shared,
        "depthwise": kernels.shape[-2] == 1 and rows == columns,
        "singly": not shared and kernels.shape[0] is not None,
        "patches": not shared,
        "taps": not shared,
    }
    if not fits.get(form):
        able = ", ".join(name for name, fit in fits.items() if fit)
        raise InputError(f"expected a form that computes this, one of {able}, received {form!r}")
