"""Kernels and activations by frequency, and what a receptive field sees."""
