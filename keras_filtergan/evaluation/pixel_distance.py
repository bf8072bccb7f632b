"""How far the images move that make up for other kernels."""

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject


@metric(needs=("dims",))
def pixel_distance(subject: Subject) -> Measurement:
    """Mean of ‖x_k − x‖ / ‖x‖ over all cells of all grids; 0 would be pictures that stand still.

    See `Walk.pixel_distance` and, for the grids, `Subject.walk`.
    """
    walk = subject.walk
    images, rows, columns = walk.images.shape[:3]
    return Measurement(walk.pixel_distance, {"latents": rows * columns, "images": images})
