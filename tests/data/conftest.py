from pathlib import Path

import pytest

from keras_filtergan.data import load_dataset, tfds


@pytest.fixture(scope="session")
def full_set():
    """Loads a full TFDS set once, or skips: they are too large for the repository."""
    loaded = {}

    def load(name):
        if not (Path(tfds.tfds_folder(None) or "/nonexistent") / name).is_dir():
            pytest.skip(f"TFDS_DATA_DIR has no prepared {name}")
        if name not in loaded:
            loaded[name] = load_dataset(name)
        return loaded[name]

    return load
