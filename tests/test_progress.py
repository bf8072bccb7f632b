import io
import time

import numpy as np
import pytest
from commands import one_line
from PIL import Image

from keras_filtergan.cli import train_main
from keras_filtergan.cli.progress import PhaseProgress, StepProgress
from keras_filtergan.runs import fitting
from keras_filtergan.runs.callbacks import ProgressPictures, four_figures
from keras_filtergan.runs.checkpoints import Checkpoints
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings


class Terminal(io.StringIO):
    def isatty(self):
        return True


def tell_of_three_steps(stream, monkeypatch):
    clock = iter([0.0, 10.0, 40.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    progress = StepProgress(stream)
    for what, done in (("first", 0), ("second", 1), ("second", 2)):
        progress(what, done, 12)
    progress.close()
    return stream.getvalue()


def test_one_line_on_a_terminal_with_the_time_left(monkeypatch):
    """By hand: 10 s a step leave 110 s, 20 s a step 200 s."""
    said = tell_of_three_steps(Terminal(), monkeypatch)
    assert said.split("\r\x1b[K") == [
        "",
        "first: 0 of 12 steps",
        "second: 1 of 12 steps, 2 min left",
        "second: 2 of 12 steps, 3 min left",
        "",
    ]


def test_elsewhere_a_line_when_something_else_begins(monkeypatch):
    assert tell_of_three_steps(io.StringIO(), monkeypatch) == "first\nsecond\n"


@pytest.mark.parametrize("kind", [Terminal, io.StringIO])
def test_nothing_is_said_of_nothing(kind):
    stream = kind()
    StepProgress(stream).close()
    assert stream.getvalue() == ""


def tell_of_training(stream, monkeypatch, seconds):
    """50 of 100 steps at so many seconds a step, then the end."""
    clock = {"now": 0.0}
    monkeypatch.setattr(time, "monotonic", lambda: clock["now"])
    progress = PhaseProgress(stream)
    for step in (*range(51), 100):
        clock["now"] = step * seconds
        progress("training", step, 100, "variation 0.20")
    progress.close()
    return stream.getvalue()


def test_a_long_phase_says_so_and_then_once_a_minute(monkeypatch):
    """By hand: after 20 steps of 2 s, 160 s are left; a line at 0 s, 60 s and the end."""
    assert tell_of_training(io.StringIO(), monkeypatch, 2.0).splitlines() == [
        "training: 0 of 100, variation 0.20",
        "training: 80 steps will take about 3 min",
        "training: 30 of 100, variation 0.20, 2 min left",
        "training: 100 of 100, variation 0.20",
    ]


def test_a_short_phase_is_two_lines(monkeypatch):
    assert tell_of_training(io.StringIO(), monkeypatch, 0.01).splitlines() == [
        "training: 0 of 100, variation 0.20",
        "training: 100 of 100, variation 0.20",
    ]


def test_a_terminal_has_one_line_with_a_bar(monkeypatch):
    said = tell_of_training(Terminal(), monkeypatch, 0.5)
    assert said.count("\n") == 1
    lines = said.split("\r\x1b[K")
    assert lines[51] == "[████████········] training: 50 of 100, variation 0.20, 25 s left"
    assert lines[-1] == "[████████████████] training: 100 of 100, variation 0.20\n"


def test_what_was_done_before_is_no_sign_of_speed(monkeypatch):
    clock = iter([0.0, 100.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    stream = io.StringIO()
    progress = PhaseProgress(stream)
    progress("training", 900, 1000)
    progress("training", 950, 1000)
    assert stream.getvalue().endswith("training: 950 of 1,000, 2 min left\n")


def test_four_figures_by_hand():
    logs = {"activation_variation": 0.197, "code_error": 0.171, "d_loss": 1.0, "g_loss": 1.7}
    logs |= {"real_accuracy": 0.77, "fake_accuracy": 0.74, "unexplained": 0.787}
    text = "variation 0.20, code error 0.17, D right 76 %, unexplained 0.79"
    assert four_figures(logs) == text
    assert four_figures({}) == ""


def test_pictures_are_drawn_meanwhile(gan, dataset, make_stream, tmp_path):
    """Every second step: x in the middle, what T makes of it elsewhere."""
    kernel = gan.transformation.strengths.layers[-1].kernel
    kernel.assign(np.random.default_rng(3).normal(0, 0.1, kernel.shape))
    image = dataset.x_test[0] / np.float32(255)
    watcher = ProgressPictures(tmp_path / "progress", image, 10, interval=2)
    gan.fit(make_stream(8, 3), steps_per_epoch=5, callbacks=[watcher], verbose=0, shuffle=False)
    names = [path.name for path in sorted((tmp_path / "progress").iterdir())]
    assert names == ["step_000012.png", "step_000014.png"]
    sheet = np.asarray(Image.open(tmp_path / "progress" / names[0]))
    assert sheet.shape == (5 * 12 * 3, 5 * 12 * 3)
    tiles = sheet[::3, ::3].reshape(5, 12, 5, 12).swapaxes(1, 2)
    np.testing.assert_array_equal(tiles[2, 2], dataset.x_test[0, ..., 0])
    assert np.abs(tiles[0, 0].astype(int) - tiles[2, 2]).max() > 5


def test_quiet_says_nothing(finished, capsys):
    words, *_ = finished
    assert train_main([*words, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_tensorboard_is_asked_for_when_it_is_missing(finished, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    words = [*finished[0], "--tensorboard", "--out", str(tmp_path / "board")]
    assert train_main(words) == 2
    assert "pip install tensorboard" in one_line(capsys)


def test_tensorboard_has_scalars_and_pictures(gan, dataset, tmp_path):
    events = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = RunDirectory(tmp_path / "run")
    settings = Settings(method="infogan", steps=2, batch_size=8, latent_dim=3)
    run.path.mkdir()
    checkpoints = Checkpoints(run.checkpoints, "this")
    board = tmp_path / "board"
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr(fitting, "CHECKPOINT_INTERVAL", 1)
        fitting.fit(gan, settings, dataset, run, checkpoints, verbose=0, board=board)
    scalars = events.EventAccumulator(str(board / "train"), {"tensors": 0}).Reload()
    assert "epoch_code_error" in scalars.Tags()["tensors"]
    pictures = events.EventAccumulator(str(board / "pictures"), {"tensors": 0}).Reload()
    [tag] = pictures.Tags()["tensors"]
    assert len(pictures.Tensors(tag)) == 2
