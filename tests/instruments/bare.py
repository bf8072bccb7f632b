"""A classifier without a run, as the commands of instruments take it."""

from pathlib import Path

import keras
import numpy as np

from keras_filtergan.data import ImageDataset


def words_of(classifier: keras.Model, dataset: ImageDataset, folder: Path) -> list[str]:
    """Save both in a folder; the words of a command that name them."""
    classifier.save(folder / "small.keras")
    arrays = {name: getattr(dataset, name) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(folder / "patterns.npz", **arrays)
    words = ["--classifier", folder / "small.keras", "--dataset", folder / "patterns.npz"]
    return [str(word) for word in (*words, "--layer", 4)]
