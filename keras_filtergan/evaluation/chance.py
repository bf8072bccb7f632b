"""Does a classifier that somebody brought along know these images at all?"""

import numpy as np

from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.data import ImageDataset
from keras_filtergan.data.batches import map_in_batches

IMAGES = 1000  # test images to look at
MARGIN = 3  # standard errors


def chance_note(target: FrozenTarget, dataset: ImageDataset) -> str | None:
    """What to tell the user if a classifier does no better than one class for all images.

    It is a note and no error: an untrained network can be looked at on purpose.

    Args:
        target: the classifier.
        dataset: its images; the first `IMAGES` of the test images are looked at.

    Returns:
        One line with the usual reasons; `None` if it does better.
    """
    images, labels = dataset.x_test[:IMAGES], dataset.y_test[:IMAGES]
    [outputs] = map_in_batches(lambda batch: [target(batch)], images)
    accuracy = np.mean(np.argmax(outputs, axis=-1) == labels)
    guessed = np.bincount(labels).max() / len(labels)
    if accuracy > guessed + MARGIN * np.sqrt(guessed * (1 - guessed) / len(labels)):
        return None
    first = ", ".join(map(str, dataset.class_names[:5]))
    more = ", …" if len(dataset.class_names) > 5 else ""
    return (
        f"note: the classifier is right on {accuracy:.1%} of {len(labels)} test images, one class "
        f"for all on {guessed:.1%}; does it take pixels in [0, 1], and are its outputs in the "
        f"order of the classes ({first}{more})?"
    )
