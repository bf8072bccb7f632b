"""The trained classifier, and how it is split at one convolution."""
