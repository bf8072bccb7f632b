"""One kernel set per example: the hot operation of the whole package.

`m` ordinary convolutions with `m` kernel sets are one grouped convolution: fold the batch into the
channels and `tf.nn.conv2d` runs group `i` (the channels of image `i`) with kernel set `i`. Measured
by `benchmarks/convolution.py` no other form is faster on the CPU when the gradients with respect to
both the images and the kernels count. It is the only form in the package.
"""

import tensorflow as tf


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
            is convolved with `kernels[i]` (Algorithm 1, line 3 of the paper).
        strides: step in rows and columns.
        padding: `"SAME"` or `"VALID"`.
        dilations: distance between the taps of a kernel in rows and columns.

    Returns:
        `(m, h', w', cout)`, equal to a loop of `m` single convolutions; differentiable in both.

    Example:
        >>> convolve(tf.ones([2, 5, 5, 1]), tf.ones([2, 3, 3, 1, 4])).shape
        TensorShape([2, 5, 5, 4])
    """
    images = tf.convert_to_tensor(images)
    kernels = _dilate(tf.convert_to_tensor(kernels), dilations)
    if kernels.shape.rank == 4:
        return tf.nn.conv2d(images, kernels, strides, padding)
    m = tf.shape(images)[0]
    h, w, cin = images.shape[1:]
    kh, kw, _, cout = kernels.shape[1:]
    images = tf.reshape(tf.transpose(images, [1, 2, 0, 3]), [1, h, w, m * cin])
    kernels = tf.reshape(tf.transpose(kernels, [1, 2, 3, 0, 4]), [kh, kw, cin, m * cout])
    maps = tf.nn.conv2d(images, kernels, strides, padding)  # (1, h', w', m * cout)
    maps = tf.reshape(maps, [maps.shape[1], maps.shape[2], m, cout])
    return tf.transpose(maps, [2, 0, 1, 3])


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
