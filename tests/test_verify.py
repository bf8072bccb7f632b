"""`verify` says yes to a run as it was left, and what is wrong with any other."""

import json
import shutil

import pytest
from commands import one_line

from keras_filtergan.cli import module_main
from keras_filtergan.runs import gallery


@pytest.fixture
def copy(finished, tmp_path):
    shutil.copytree(finished[1], tmp_path / "run")
    return tmp_path / "run"


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_run_as_it_was_left(copy, capsys):
    before = files(copy)
    assert module_main(["verify", "--run", str(copy)]) == 0
    screen = capsys.readouterr().out
    assert "states: whole (0, 3)" in screen
    assert "measured again, the same to the last bit" in screen
    assert "note" not in screen
    assert files(copy) == before
    (copy / "figures" / "mds.png").unlink()
    assert module_main(["verify", "--run", str(copy)]) == 0
    assert "1 pictures are missing" in capsys.readouterr().out


def card_of_another(run):
    card = json.loads((run / "evaluation.json").read_text())
    card["swapped_accuracy"]["mean"] += 0.01
    (run / "evaluation.json").write_text(json.dumps(card))


def state_of_another(run):
    path = run / "checkpoints" / "step-00000003" / "state.weights.h5"
    path.write_bytes(path.read_bytes()[:-1])


def whole_state_of_another(run):
    """As it would lie there from a run with other settings: nothing in it is damaged."""
    path = run / "checkpoints" / "step-00000003" / "checkpoint.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, "identity": record["identity"][::-1]}))


def player_of_another(run):
    shutil.copy(run / "classifier.keras", run / "discriminator.keras")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (card_of_another, "the card says swapped_accuracy"),
        (state_of_another, "step-00000003' is damaged (its weights are not those"),
        (whole_state_of_another, "step-00000003' belongs to a run with other settings or data"),
        (player_of_another, "expected a Discriminator"),
    ],
)
def test_what_is_wrong_is_said(copy, harm, message, capsys):
    harm(copy)
    assert module_main(["verify", "--run", str(copy)]) == 2
    assert message in one_line(capsys)


@pytest.mark.slow
def test_pictures_that_are_missing_are_drawn_by_the_same_command(
    finished, tmp_path, capsys, monkeypatch
):
    """Killed while figures were drawn: "is complete" is no answer while a picture is missing."""
    monkeypatch.setattr(  # a minute of pictures
        gallery,
        "_draw_invariances",
        lambda trained, view, numbers: {
            name: gallery._draw_filters(trained) for name in gallery._grid_names(trained, numbers)
        },
    )
    words, out, _ = finished
    shutil.copytree(out, tmp_path / "run")
    before = files(tmp_path / "run")
    gone = [tmp_path / "run" / "figures" / f"{n}.png" for n in ("mds", "invariances_layer2_0")]
    for path in gone:
        path.unlink()
    words = [*words, "--out", str(tmp_path / "run"), "--resume"]
    assert module_main(["train", *words]) == 0
    assert "mds.png" in capsys.readouterr().out
    after = files(tmp_path / "run")
    assert set(after) == set(before)
    assert [path for path in gone if after[path] != before[path]] == gone[1:]  # that of filters
