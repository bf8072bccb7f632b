"""Does a classifier know these images at all, and are they given to it as it expects them?"""

import dataclasses

import keras
import numpy as np

from keras_filtergan.classifiers.layer_work import images_at_once
from keras_filtergan.classifiers.pixel_scale import unscaled, usual_scalings
from keras_filtergan.data import ImageDataset
from keras_filtergan.data.batches import map_in_batches
from keras_filtergan.data.pixels import to_unit_interval

IMAGES, FEWEST, PIXELS = 1000, 200, 2**22  # test images, fewer of them where they are large
AT_ONCE = 64  # images, fewer of them where they are large
MARGIN = 3  # standard errors


@dataclasses.dataclass(frozen=True)
class FirstLook:
    """How often a classifier is right, as it is used and with other pixels.

    Attributes:
        accuracy: share of the images.
        count: images looked at.
        guessed: share that one class for all would get right.
        class_names: of the images.
        better: the setting with which it is right clearly more often, if there is one.
        better_accuracy: with that setting.
    """

    accuracy: float
    count: int
    guessed: float
    class_names: tuple[str, ...]
    better: str | None = None
    better_accuracy: float = 0.0

    @property
    def is_at_chance(self) -> bool:
        """Whether it may as well answer one class for all."""
        error = np.sqrt(self.guessed * (1 - self.guessed) / self.count)
        return bool(self.accuracy <= self.guessed + MARGIN * error)

    @property
    def lines(self) -> list[str]:
        """What to tell the user: what was found, and what may be wrong.

        These are notes and no errors: an untrained network can be looked at on purpose.
        """
        found = f"the classifier is right on {self.accuracy:.1%} of {self.count} test images"
        if self.better:
            note = f"with other pixels it is right on {self.better_accuracy:.1%}"
            return [found, f"note: {note}: add {self.better}"]
        if self.is_at_chance:
            first = ", ".join(map(str, self.class_names[:5]))
            more = ", …" if len(self.class_names) > 5 else ""
            return [
                found,
                f"note: one class for all would be right on {self.guessed:.1%}; does it take "
                f"pixels in [0, 1], and are its outputs in the order of the classes ({first}"
                f"{more})?",
            ]
        return [found]


def first_look(
    classifier: keras.Model, dataset: ImageDataset, try_scalings: bool = True
) -> FirstLook:
    """How often a classifier is right on test images, and whether other pixels would help.

    A wrong range of pixels is the commonest mistake, and it need not show: a network of pixels in
    [-1, 1] that is given [0, 1] may still be right three times in four. So the usual ranges are
    tried on the same images. One counts as better where, of the images on which the two answers
    differ in being right, it wins so many that chance does not explain it.

    Args:
        classifier: behind a scaling of pixels or not.
        dataset: its images; up to `IMAGES` test images are looked at.
        try_scalings: whether other pixels are tried.

    Example:
        >>> first_look(classifier, data).count
        1000
    """
    pixels = dataset.image_shape[0] * dataset.image_shape[1]
    count = min(IMAGES, max(FEWEST, PIXELS // pixels))
    images, labels = dataset.x_test[:count], dataset.y_test[:count]
    right = _right(classifier, images, labels)
    look = FirstLook(
        accuracy=float(right.mean()),
        count=len(labels),
        guessed=float(np.bincount(labels).max() / len(labels)),
        class_names=dataset.class_names,
    )
    if not try_scalings or right.all():
        return look
    bare = unscaled(classifier)
    some = to_unit_interval(dataset.x_train[:count])
    scalings = usual_scalings(dataset.image_shape[-1], some.mean(), some.std())
    others = {
        setting: _right(bare, images, labels, scaling) for setting, scaling in scalings.items()
    }
    best = max(others, key=lambda setting: others[setting].sum())
    won, lost = (int(np.sum(a & ~b)) for a, b in ((others[best], right), (right, others[best])))
    if won - lost <= MARGIN * np.sqrt(won + lost):
        return look
    return dataclasses.replace(look, better=best, better_accuracy=float(others[best].mean()))


def _right(classifier: keras.Model, images, labels, scaling=lambda batch: batch) -> np.ndarray:
    """Whether the classifier is right on each image, `(n,)`."""
    [outputs] = map_in_batches(
        lambda batch: [classifier(scaling(to_unit_interval(batch)), training=False)],
        images,
        batch_size=images_at_once(classifier, AT_ONCE),
    )
    return np.argmax(outputs, axis=-1) == labels
