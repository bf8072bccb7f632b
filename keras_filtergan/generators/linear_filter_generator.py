"""`LinearFilterGenerator`: a generator with a rich part linear in the latent."""

import math

import keras
from keras import ops

from keras_filtergan.generators.filter_generator import FilterGenerator


@keras.saving.register_keras_serializable("keras_filtergan")
class LinearFilterGenerator(FilterGenerator):
    """G(z) = mean kernels + V z + the small network of `FilterGenerator`.

    Each latent dimension owns one change of the whole kernel set, a row of V. Kernels that shift,
    slant or thicken need every weight to itself: in closed form they reach twice what the network
    that all channels share can express. V starts at zero.

    Args:
        kernel_shape, latent_dim, width, mean_learning_rate, seed: as of `FilterGenerator`.
        strides, padding, dilation_rate, groups, use_bias: of the convolution.

    Example:
        >>> LinearFilterGenerator((3, 3, 32, 32), latent_dim=8)(keras.random.normal([5, 8])).shape
        TensorShape([5, 3, 3, 32, 32])
    """

    def _build_layers(self, input_shape: tuple[int | None, int]) -> None:
        super()._build_layers(input_shape)
        shape = (self.latent_dim, self.kernel_shape[-1] * self.taps)
        self.linear = self.add_weight(shape=shape, initializer="zeros", name="linear")

    def _deviations(self, latents, training: bool):
        linear = ops.reshape(latents @ self.linear, (-1, self.kernel_shape[-1], self.taps))
        return super()._deviations(latents, training) + linear

    def _latent_weights(self) -> list:
        return [*super()._latent_weights(), self.linear]

    @staticmethod
    def weight_shapes(config: dict) -> dict[str, tuple[int, ...]]:
        """Shape of each weight by its path, from constructor arguments alone."""
        shapes = FilterGenerator.weight_shapes(config)
        # Keras numbers the weights of a model in the order in which they are made.
        own = {"linear": (config["latent_dim"], math.prod(config["kernel_shape"]))}
        return {"channel": shapes.pop("channel"), **own, **shapes}
