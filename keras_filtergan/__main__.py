"""`python -m keras_filtergan COMMAND`."""

import sys

from keras_filtergan.cli import module_main

if __name__ == "__main__":
    sys.exit(module_main())
