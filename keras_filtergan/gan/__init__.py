"""Algorithm 1: the training step, its losses and controls, and the image transformation."""
