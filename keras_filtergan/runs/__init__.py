"""What is kept of a training run, from its settings to its pictures."""
