"""Walks over latents as pictures: images with the activations that other kernels cause."""
