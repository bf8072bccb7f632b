import json

import numpy as np
import pytest

from keras_filtergan.files import file_name, in_one_step, plain, write_json


def test_a_write_that_fails_leaves_the_old_content_and_no_litter(tmp_path):
    path = tmp_path / "card.json"
    write_json(path, {"a": 1})
    for bad, error in (({"a": object()}, TypeError), ({"a": float("nan")}, ValueError)):
        with pytest.raises(error):
            write_json(path, bad)
    with pytest.raises(OSError, match="disk full"):
        write_half(path)
    assert json.loads(path.read_text()) == {"a": 1}
    assert [item.name for item in tmp_path.iterdir()] == ["card.json"]


def write_half(path):
    with in_one_step(path) as aside:
        assert aside.suffix == path.suffix
        aside.write_text("half of")
        raise OSError("disk full")


def test_plain_is_what_a_strict_reader_reads_back():
    values = {
        "mean": np.float32(0.5),
        "counts": np.arange(2),
        "ratios": (1.0, float("inf"), np.float64("nan")),
        "deep": [{"on": np.bool_(True), "name": "conv4", "none": None}],
    }
    text = json.dumps(plain(values), allow_nan=False)
    assert json.loads(text) == {
        "mean": 0.5,
        "counts": [0, 1],
        "ratios": [1.0, None, None],
        "deep": [{"on": True, "name": "conv4", "none": None}],
    }


@pytest.mark.parametrize("text", ["b2/conv", "backbone/block 3/conv:0", "größe\n1", "conv4", 4])
def test_a_file_of_that_name_can_be_made(tmp_path, text):
    (tmp_path / f"{file_name(text)}.png").write_bytes(b"")
    assert len(list(tmp_path.iterdir())) == 1
    assert file_name("conv4") == "conv4"
