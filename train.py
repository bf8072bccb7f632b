"""Train a classifier, FilterGAN on one of its layers, the card and the pictures."""

import sys

from keras_filtergan.cli import train_main

if __name__ == "__main__":
    sys.exit(train_main())
