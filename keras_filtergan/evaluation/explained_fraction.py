"""How much of what other kernels do can an image undo?"""

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject


@metric(needs=("dims",))
def explained_fraction(subject: Subject) -> Measurement:
    """1 − Σ‖a(x_k|z_k) − a(x|z)‖² / Σ‖a(x|z_k) − a(x|z)‖², over all cells of all grids.

    1: each change of kernels *is* a change of the image; 0: no image does what the kernels do.
    See `Walk.explained_fraction` and, for the grids, `Subject.walk`.
    """
    walk = subject.walk
    images, rows, columns = walk.images.shape[:3]
    return Measurement(walk.explained_fraction, {"latents": rows * columns, "images": images})
