import json
import os
import subprocess
import sys

import numpy as np
import pytest

from keras_filtergan.files import (
    all_in_one_step,
    aside_of,
    file_name,
    folder_in_one_step,
    in_one_step,
    plain,
    remove_leftovers,
    write_json,
)
from keras_filtergan.guards.record_lines import append_line


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


def test_files_that_belong_together_are_all_there_or_none(tmp_path, small_files):
    paths = [tmp_path / "a.txt", tmp_path / "b.txt"]
    for path in paths:
        path.write_text("old")

    def write(size):
        with all_in_one_step(paths) as asides:
            asides[0].write_text("new")
            asides[1].write_text("n" * size)

    with small_files(1000), pytest.raises(OSError, match=r"No space left on device: .*a\.txt"):
        write(2000)
    assert [path.read_text() for path in paths] == ["old", "old"]
    assert len(list(tmp_path.iterdir())) == 2
    write(3)
    assert [path.read_text() for path in paths] == ["new", "nnn"]


def test_a_folder_takes_the_place_of_the_old_one_whole(tmp_path):
    state = tmp_path / "state"
    with folder_in_one_step(state) as aside:
        (aside / "one").write_text("1")
    with pytest.raises(KeyboardInterrupt):
        stopped_within(state)
    assert [path.name for path in tmp_path.rglob("*")] == ["state", "one"]
    with folder_in_one_step(state) as aside:
        (aside / "two").write_text("2")
    assert [path.name for path in tmp_path.rglob("*")] == ["state", "two"]


def stopped_within(folder):
    with folder_in_one_step(folder) as aside:
        (aside / "two").write_text("2")
        raise KeyboardInterrupt


def test_a_line_that_does_not_fit_is_taken_back(tmp_path, small_files):
    path = tmp_path / "history.jsonl"
    append_line(path, {"step": 1})
    with small_files(20), pytest.raises(OSError, match="No space left"):
        append_line(path, {"step": 2, "d_loss": 0.123456})
    assert path.read_text() == '{"step": 1}\n'


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path):
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=-1).stdout
    mine = aside_of(tmp_path / "card.json").name
    gone = mine.replace(str(os.getpid()), str(int(dead)))
    elsewhere = f".kfg-{int(dead)}-some.other.machine-card.json"
    others = [mine, elsewhere, f".{os.getpid()}-card.json", ".12x-card.json", ".profile"]
    for name in (gone, f".{int(dead)}-card.json", *others):
        (tmp_path / name).write_text("half")
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(others)


@pytest.mark.parametrize(
    "text", ["..", ".", "", "../../etc/passwd", "x" * 400, "ß" * 400, ".a", "x\ud800" * 200]
)
def test_no_name_decides_where_a_file_goes(tmp_path, text):
    name = file_name(text)
    (tmp_path / name).write_bytes(b"")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert not name.startswith(".")
    assert len(name.encode()) <= 120
    assert file_name(f"{text}?") != name or len(text) < 400


@pytest.mark.parametrize("text", ["b2/conv", "backbone/block 3/conv:0", "größe\n1", "conv4", 4])
def test_a_file_of_that_name_can_be_made(tmp_path, text):
    (tmp_path / f"{file_name(text)}.png").write_bytes(b"")
    assert len(list(tmp_path.iterdir())) == 1
    assert file_name("conv4") == "conv4"
