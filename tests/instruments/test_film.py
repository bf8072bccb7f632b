import numpy as np
import pytest
from PIL import Image

from keras_filtergan.instruments.film import save_film


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
