"""The smallest changes of an image that change the answer."""
