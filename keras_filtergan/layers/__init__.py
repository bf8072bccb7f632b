"""The generator in other people's networks: Keras layers."""

from keras_filtergan.layers.filter_augmentation import FilterAugmentation
from keras_filtergan.layers.generated_conv2d import GeneratedConv2D

__all__ = ["FilterAugmentation", "GeneratedConv2D"]
