"""Data sets with images that a classifier cannot tell from its own."""
