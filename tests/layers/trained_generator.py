"""A generator that looks trained, of any convolution."""

import numpy as np

from keras_filtergan.generators.filter_generator import FilterGenerator


def looks_trained(convolution, latent_dim=3, deviations=True, seed=0) -> FilterGenerator:
    """A generator whose mean kernels and bias are those of a convolution."""
    generator = FilterGenerator(
        tuple(convolution.kernel.shape),
        latent_dim,
        width=16,
        seed=seed,
        strides=convolution.strides,
        padding=convolution.padding,
        dilation_rate=convolution.dilation_rate,
        groups=convolution.groups,
        use_bias=convolution.use_bias,
    )
    generator.build((None, latent_dim))
    kernel = convolution.kernel.numpy()
    by_channel = kernel.reshape(-1, kernel.shape[-1]).T  # (cout, taps)
    scale = generator.scale * generator.mean_learning_rate
    generator.mean.assign(by_channel / scale)
    if convolution.use_bias:
        generator.bias.assign(convolution.bias)
    if not deviations:
        generator.deviation.kernel.assign(np.zeros(generator.deviation.kernel.shape))
    return generator
