"""The command line: parse and check, then hand over. Free of TensorFlow until work begins."""

from keras_filtergan.cli.module import module_main
from keras_filtergan.cli.train import train_main
from keras_filtergan.cli.visualize import visualize_main

__all__ = ["module_main", "train_main", "visualize_main"]
