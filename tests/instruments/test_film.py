import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from keras_filtergan.instruments.film import save_film
from keras_filtergan.instruments.findings import Findings


@pytest.mark.parametrize("channels", [1, 3])
def test_every_frame_is_there_enlarged(tmp_path, channels):
    """Few colours, as a GIF has room for 256 of them."""
    frames = np.random.default_rng(0).integers(0, 2, (5, 7, 14, channels)).astype("float32")
    save_film(frames, tmp_path / "film.gif", milliseconds=40)
    assert [path.name for path in tmp_path.iterdir()] == ["film.gif"]
    with Image.open(tmp_path / "film.gif") as film:
        assert film.n_frames == 5
        for i, frame in enumerate(frames):
            film.seek(i)
            assert film.info["duration"] == (1040 if i == 4 else 40)
            shown = np.asarray(film.convert("RGB")) / 255
            squares = frame.repeat(16, 0).repeat(16, 1)
            np.testing.assert_allclose(shown, np.broadcast_to(squares, shown.shape), atol=0.02)


def test_large_pictures_stay_as_they_are(tmp_path):
    frames = np.zeros((2, 120, 200, 1))
    frames[1] = 1
    save_film(frames, tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        assert film.size == (200, 120)


def test_findings_are_read_back_by_a_strict_reader(tmp_path):
    """What is not finite is null; and a film, a picture and numbers are all there."""
    numbers = {"ratio": np.float64(np.nan), "attacks": [np.inf, 1.5], "mean": np.float32(2)}
    film = np.zeros((2, 4, 4, 1))
    paths = Findings(numbers, Figure(), "", {"walk": film}).write(tmp_path, "name", lambda _: None)
    assert sorted(path.name for path in paths) == ["name.json", "name.png", "walk.gif"]
    assert sorted(paths) == sorted(tmp_path.iterdir())

    def refuse(text):
        raise AssertionError(text)

    held = json.loads((tmp_path / "name.json").read_text(), parse_constant=refuse)
    assert held == {"ratio": None, "attacks": [None, 1.5], "mean": 2.0}
