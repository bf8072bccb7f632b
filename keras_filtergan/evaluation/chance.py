"""Does a classifier that somebody brought along know these images at all?"""

import keras
import numpy as np

from keras_filtergan.classifiers.pixel_scale import usual_scalings
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import ImageDataset
from keras_filtergan.data.batches import map_in_batches
from keras_filtergan.data.pixels import to_unit_interval

IMAGES = 1000  # test images to look at
MARGIN = 3  # standard errors


def chance_note(target: FrozenTarget, dataset: ImageDataset) -> str | None:
    """What to tell the user if a classifier does no better than one class for all images.

    It is a note and no error: an untrained network can be looked at on purpose.

    Args:
        target: the classifier.
        dataset: its images; the first `IMAGES` of the test images are looked at.

    Returns:
        One line with the usual reasons, or the option that helps if it does better on pixels of
        another usual range; `None` if it does better as it is.
    """
    labels = dataset.y_test[:IMAGES]
    guessed = np.bincount(labels).max() / len(labels)
    enough = guessed + MARGIN * np.sqrt(guessed * (1 - guessed) / len(labels))
    accuracy = _accuracy(target.classifier, dataset)
    if accuracy > enough:
        return None
    note = (
        f"note: the classifier is right on {accuracy:.1%} of {len(labels)} test images, one class "
        f"for all on {guessed:.1%}"
    )
    scaled = {
        option: _accuracy(classifier, dataset)
        for option, classifier in usual_scalings(target.classifier).items()
    }
    best = max(scaled, key=lambda option: scaled[option])
    if scaled[best] > enough:
        return f"{note}, but on {scaled[best]:.1%} with other pixels: add {best}"
    first = ", ".join(map(str, dataset.class_names[:5]))
    more = ", …" if len(dataset.class_names) > 5 else ""
    return (
        f"{note}; does it take pixels in [0, 1], and are its outputs in the order of the classes "
        f"({first}{more})?"
    )


def _accuracy(classifier: keras.Model, dataset: ImageDataset) -> float:
    images, labels = dataset.x_test[:IMAGES], dataset.y_test[:IMAGES]
    [outputs] = map_in_batches(
        lambda batch: [classifier(to_unit_interval(batch), training=False)], images
    )
    return float(np.mean(np.argmax(outputs, axis=-1) == labels))
