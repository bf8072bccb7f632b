"""Which changes of images the kernels of a layer can make."""
