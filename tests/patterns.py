"""A data set that is quickly made and easily learned."""

import numpy as np

from keras_filtergan.data import ImageDataset


def make_dataset(
    train: int = 96, test: int = 40, size: tuple[int, int] = (12, 12), classes: int = 3
) -> ImageDataset:
    """Images of noise around one fixed pattern a class: easy to learn, quick to make."""
    generator = np.random.default_rng(0)
    patterns = generator.uniform(0, 1, (classes, *size, 1))

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % classes
        images = 0.7 * patterns[labels] + 0.3 * generator.uniform(0, 1, (count, *size, 1))
        return np.round(images * 255).astype("uint8"), labels

    x_train, y_train = draw(train)
    x_test, y_test = draw(test)
    names = tuple("abcdefghij"[:classes])
    return ImageDataset("patterns", x_train, y_train, x_test, y_test, names)
