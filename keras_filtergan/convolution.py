"""One kernel set per example: the hot operation of the whole package.

`m` ordinary convolutions with `m` kernel sets are one grouped convolution: fold the batch into the
channels and `tf.nn.conv2d` runs group `i` (the channels of image `i`) with kernel set `i`. If the
convolution itself has groups, there are so many times more of them, and nothing else changes.
Measured by `benchmarks/convolution.py` no other form is faster on the CPU when the gradients with
respect to both the images and the kernels count. It is the only form in the package.
"""

import tensorflow as tf

from keras_filtergan.errors import InputError


def convolve(
    images: tf.Tensor,
    kernels: tf.Tensor,
    strides: tuple[int, int] = (1, 1),
    padding: str = "SAME",
    dilations: tuple[int, int] = (1, 1),
) -> tf.Tensor:
    """Convolve images with one shared kernel set or with one kernel set per example.

    Args:
        images: `(m, h, w, cin)`.
        kernels: `(kh, kw, cin, cout)`, shared by all images, or `(m, kh, kw, cin, cout)`: image `i`
            is convolved with `kernels[i]` (Algorithm 1, line 3 of the paper). With `cin / groups`
            in the place of `cin` the convolution is grouped; with 1 it is depthwise.
        strides: step in rows and columns.
        padding: `"SAME"` or `"VALID"`.
        dilations: distance between the taps of a kernel in rows and columns.

    Returns:
        `(m, h', w', cout)`, equal to a loop of `m` single convolutions; differentiable in both.
        Batch and image size may be unknown when a graph is traced.

    Raises:
        InputError: the channels of images and kernels do not go together.

    Example:
        >>> convolve(tf.ones([2, 5, 5, 1]), tf.ones([2, 3, 3, 1, 4])).shape
        TensorShape([2, 5, 5, 4])
    """
    images = tf.convert_to_tensor(images)
    kernels = _dilate(tf.convert_to_tensor(kernels), dilations)
    _check_channels(images.shape[-1], *kernels.shape[-2:])
    if kernels.shape.rank == 4:
        return tf.nn.conv2d(images, kernels, strides, padding)
    m, h, w, cin = _sizes(images)
    kh, kw, depth, cout = kernels.shape[1:]  # depth is cin of a group
    images = tf.reshape(tf.transpose(images, [1, 2, 0, 3]), [1, h, w, m * cin])
    kernels = tf.reshape(tf.transpose(kernels, [1, 2, 3, 0, 4]), [kh, kw, depth, m * cout])
    maps = tf.nn.conv2d(images, kernels, strides, padding)  # (1, h', w', m * cout)
    _, h, w, _ = _sizes(maps)
    return tf.transpose(tf.reshape(maps, [h, w, m, cout]), [2, 0, 1, 3])


def _sizes(images: tf.Tensor) -> list[int | tf.Tensor]:
    """The sizes of a tensor, as numbers where they are known."""
    sizes = tf.shape(images)
    return [sizes[axis] if size is None else size for axis, size in enumerate(images.shape)]


def _check_channels(cin: int | None, depth: int, cout: int) -> None:
    if cin is None:
        return
    # Folded into one convolution, other numbers may well fit each other and mean nothing.
    if cin % depth or cout % (cin // depth):
        raise InputError(
            f"expected kernels (…, cin / groups, cout) for images with {cin} channels, received "
            f"(…, {depth}, {cout}); groups have to divide both {cin} and {cout}"
        )


def _dilate(kernels: tf.Tensor, dilations: tuple[int, int]) -> tf.Tensor:
    """Write the dilation into the kernels as zeros between the taps.

    On the CPU TensorFlow has no gradient of a dilated convolution; of a larger kernel it has.
    """
    for axis, rate in zip((-4, -3), dilations, strict=True):
        if rate == 1:
            continue
        axis += kernels.shape.rank
        taps = kernels.shape[axis]
        pads = [[0, 0]] * (kernels.shape.rank + 1)
        pads[axis + 1] = [0, rate - 1]
        kernels = tf.pad(tf.expand_dims(kernels, axis + 1), pads)
        shape = [-1 if n is None else n for n in kernels.shape]
        merged = [*shape[:axis], taps * rate, *shape[axis + 2 :]]
        kernels = tf.reshape(kernels, merged)
        kernels = tf.gather(kernels, tf.range((taps - 1) * rate + 1), axis=axis)
    return kernels
