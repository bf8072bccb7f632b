"""Draw the figures of a finished run."""

import sys

from keras_filtergan.cli import visualize_main

if __name__ == "__main__":
    sys.exit(visualize_main())
