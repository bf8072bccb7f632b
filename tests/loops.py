"""A convolution written out: the oracle that shares nothing with the code under test."""

import numpy as np


def loop(images, kernels, strides, padding, dilations):
    """Cross-correlation written out, one number at a time; grouped if kernels have fewer inputs."""
    m, h, w, cin = images.shape
    kh, kw, depth, cout = kernels.shape[1:]
    wide = cout // (cin // depth)  # outputs of a group
    reach = [(kh - 1) * dilations[0] + 1, (kw - 1) * dilations[1] + 1]
    if padding == "same":
        size = [-(-h // strides[0]), -(-w // strides[1])]
        total = [
            max((n - 1) * s + r - full, 0)
            for n, s, r, full in zip(size, strides, reach, (h, w), strict=True)
        ]
        pads = [(p // 2, p - p // 2) for p in total]
        images = np.pad(images, [(0, 0), *pads, (0, 0)])
    else:
        size = [(h - reach[0]) // strides[0] + 1, (w - reach[1]) // strides[1] + 1]
    maps = np.zeros((m, *size, cout))
    for i, r, c, o in np.ndindex(*maps.shape):
        for a, b in np.ndindex(kh, kw):
            pixel = images[i, r * strides[0] + a * dilations[0], c * strides[1] + b * dilations[1]]
            first = o // wide * depth  # what the group of this output reads
            maps[i, r, c, o] += pixel[first : first + depth] @ kernels[i, a, b, :, o]
    return maps
