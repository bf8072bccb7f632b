"""Instruments around the question which changes of an image a network ignores."""
