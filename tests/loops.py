"""A convolution written out: the oracle that shares nothing with the code under test."""

import numpy as np


def loop(images, kernels, strides, padding, dilations):
    """Cross-correlation written out, one number at a time; grouped if kernels have fewer inputs."""
    images, size, _ = _padded(images, kernels, strides, padding, dilations)
    maps = np.zeros((len(images), *size, kernels.shape[-1]))
    for place, pixel, weight in _products(images, kernels, maps.shape, strides, dilations):
        maps[place] += images[pixel] @ kernels[weight]
    return maps


def loop_gradients(images, kernels, upstream, strides, padding, dilations):
    """What Σ maps · upstream changes by with each pixel and with each weight, written out."""
    padded, _, before = _padded(images, kernels, strides, padding, dilations)
    d_images, d_kernels = np.zeros(padded.shape), np.zeros(kernels.shape)
    for place, pixel, weight in _products(padded, kernels, upstream.shape, strides, dilations):
        d_images[pixel] += upstream[place] * kernels[weight]
        d_kernels[weight] += upstream[place] * padded[pixel]
    (top, left), (h, w) = before, images.shape[1:3]
    return d_images[:, top : top + h, left : left + w], d_kernels


def _padded(images, kernels, strides, padding, dilations):
    """Images with their margins, rows and columns of the maps, and the margins before."""
    reach = [(n - 1) * d + 1 for n, d in zip(kernels.shape[1:3], dilations, strict=True)]
    sides = list(zip(images.shape[1:3], strides, reach, strict=True))
    if padding == "valid":
        return images, [(n - r) // s + 1 for n, s, r in sides], (0, 0)
    size = [-(-n // s) for n, s, _ in sides]
    total = [max((o - 1) * s + r - n, 0) for o, (n, s, r) in zip(size, sides, strict=True)]
    pads = [(p // 2, p - p // 2) for p in total]
    return np.pad(images, [(0, 0), *pads, (0, 0)]), size, (pads[0][0], pads[1][0])


def _products(images, kernels, shape, strides, dilations):
    """Indices of each number of the maps, of the pixel under one tap, and of the weights there."""
    cin, depth, cout = images.shape[-1], *kernels.shape[-2:]
    wide = cout // (cin // depth)  # outputs of a group
    for i, r, c, o in np.ndindex(*shape):
        first = o // wide * depth  # what the group of this output reads
        for a, b in np.ndindex(*kernels.shape[1:3]):
            row, column = r * strides[0] + a * dilations[0], c * strides[1] + b * dilations[1]
            yield (i, r, c, o), (i, row, column, slice(first, first + depth)), (i, a, b, ..., o)
