"""The report of a run on images of 3 × 224 × 224: whole, and below its limit."""

import base64
import io

import keras
import numpy as np
import pytest
from commands import few_inversion_steps
from PIL import Image
from reading import Page, numbers

from keras_filtergan.cli import train_main
from keras_filtergan.report.report import LIMIT

SIDE = 224


def photographs(count: int, seed: int) -> np.ndarray:
    """Smooth colours with grain, which compress as badly as photographs."""
    random = np.random.default_rng(seed)
    coarse = random.uniform(0, 255, (count, 7, 7, 3)).repeat(32, axis=1).repeat(32, axis=2)
    return np.clip(coarse + random.normal(0, 25, coarse.shape), 0, 255).astype("uint8")


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> str:
    """The page of a run of two steps on a tiny network."""
    folder = tmp_path_factory.mktemp("large")
    inputs = keras.Input((SIDE, SIDE, 3))
    stem = keras.layers.Conv2D(4, 5, strides=4, activation="relu", name="stem")(inputs)
    chosen = keras.layers.Conv2D(6, 3, strides=4, activation="relu", name="chosen")(stem)
    pooled = keras.layers.GlobalAveragePooling2D()(chosen)
    keras.Model(inputs, keras.layers.Dense(10)(pooled)).save(folder / "tiny.keras")
    labels = np.arange(20) % 10
    arrays = {"x_train": photographs(20, 0), "y_train": labels}
    np.savez(folder / "large.npz", **arrays, x_test=photographs(20, 1), y_test=labels)
    words = ["--dataset", str(folder / "large.npz"), "--classifier", str(folder / "tiny.keras")]
    words += ["--layer", "chosen", "--steps", "2", "--batch-size", "4", "--latent-dim", "2"]
    with few_inversion_steps():
        assert train_main([*words, "--out", str(folder / "run"), "--quiet"]) == 0
    return (folder / "run" / "report.html").read_text()


@pytest.mark.slow
def test_it_is_whole_and_below_its_limit(large):
    assert len(large.encode()) <= LIMIT
    data = Page(large).explorer
    assert len(data["images"]) == 20
    made = [grid for name, grid in data["grids"].items() if name.endswith("/transformation")]
    assert len(made) == 20


@pytest.mark.slow
def test_it_has_fewer_cells_and_pictures_that_lose_a_little(large):
    """Of a digit's run there are 12 planes of 9 × 9; here one plane of at most 5 × 5."""
    data = Page(large).explorer
    assert len(data["planes"]) == 1
    grid = data["grids"]["0/0/transformation"]
    assert grid["rows"] == grid["columns"] <= 5
    kind, content = grid["sheet"].split(";base64,")
    assert kind in ("data:image/webp", "data:image/jpeg")
    assert numbers(grid).shape == (grid["rows"], grid["rows"], 11)
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))), float)
    side = pixels.shape[0] // grid["rows"]
    middle = grid["rows"] // 2 * side
    shown = pixels[middle : middle + side, middle : middle + side]
    first = photographs(20, 1)[0].astype(float)
    wanted = first.reshape(side, SIDE // side, side, SIDE // side, 3).mean(axis=(1, 3))
    assert np.abs(shown - wanted).mean() < 25  # the grain is what is lost
