import dataclasses
import io
import re
import time

import numpy as np
import pytest
from commands import few_inversion_steps, one_line
from patterns import make_dataset
from PIL import Image

from keras_filtergan.classifiers.classifier import BATCH_SIZE
from keras_filtergan.cli import train_main
from keras_filtergan.cli.progress import PhaseProgress, StepProgress
from keras_filtergan.inversion.inversion import Inverter
from keras_filtergan.inversion.walks import Walk
from keras_filtergan.runs import fitting
from keras_filtergan.runs.callbacks import ProgressPictures, four_figures
from keras_filtergan.runs.checkpoints import Checkpoints
from keras_filtergan.runs.classifier_cache import cached_classifier
from keras_filtergan.runs.gallery import draw_gallery
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings
from keras_filtergan.runs.view import View


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


def test_what_is_said_after_the_end_of_a_phase_stands_in_its_own_line():
    stream = Terminal()
    progress = PhaseProgress(stream)
    progress("inverting", 2, 2)
    stream.write("figures/a.png\n")
    progress.close()
    assert stream.getvalue() == "\r\x1b[K[████████████████] inverting: 2 of 2\nfigures/a.png\n"


def test_every_long_phase_of_a_run_is_told(finished):
    """First and last step of each, in their order; a minute apart there would be more."""
    screen = finished[2]
    steps = 10 * (len(make_dataset().x_train) // BATCH_SIZE)  # of ten epochs
    lines = [
        f"training the classifier: 1 of {steps}",
        f"training the classifier: {steps} of {steps}, right on ",
        "training FilterGAN: 1 of 3, variation ",
        "training FilterGAN: 3 of 3, variation ",
        "evaluating: 1 of ",
        "finding pictures by inversion: 0 of 3, test image ",
        "finding pictures by inversion: 3 of 3\n",
    ]
    places = [screen.find(line) for line in lines]
    assert -1 not in places
    assert places == sorted(places)


def test_the_training_of_a_classifier_tells_every_step(dataset, tmp_path):
    told = []
    recipe = dataset, tmp_path, 2, 0
    cached_classifier(*recipe, say=lambda line: None, tell=lambda *step: told.append(step))
    names, done, totals, figures = zip(*told, strict=True)
    assert set(names) == {"training the classifier"}
    assert done == tuple(range(1, totals[0] + 1))
    assert set(totals) == {2 * (len(dataset.x_train) // BATCH_SIZE)}
    assert all(re.fullmatch(r"right on \d+\.\d %", text) for text in figures)


def test_pictures_are_sought_image_by_image(trained, tmp_path):
    """And found as if all had been sought at once."""
    told = []
    kept = dataclasses.replace(trained, directory=RunDirectory(tmp_path))
    view = View(images=(4, 0), grid=3, dims=(0, 1), jitter=0)
    with few_inversion_steps():
        draw_gallery(kept, view, tmp_path, lambda line: None, lambda *step: told.append(step))
    assert told == [
        ("finding pictures by inversion", 0, 2, "test image 4"),
        ("finding pictures by inversion", 1, 2, "test image 0"),
        ("finding pictures by inversion", 2, 2, ""),
    ]
    images = trained.dataset.x_test[[4, 0]]
    both = Inverter(trained.target, trained.generator, steps=5).walk(
        images, np.zeros(3), (0, 1), 3, view.span
    )
    [first] = tmp_path.glob("invariances*_4.npz")
    np.testing.assert_allclose(Walk.load(first).images[0], both.images[0], atol=0.5 / 255 + 1e-3)
