"""Players that make kernels or judge activations, and generators in files."""
