import dataclasses

import ablations
import numpy as np
import pytest
from commands import write_npz

from keras_filtergan.errors import InputError
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings


@pytest.mark.slow
def test_a_finished_run_is_taken_only_if_it_is_of_these_settings(tmp_path, dataset, monkeypatch):
    monkeypatch.setattr(ablations, "METRICS", ("classifier_accuracy", "activation_variation"))
    data = write_npz(tmp_path, dataset)
    settings = Settings(layer=2, dataset=data, steps=2, batch_size=8, classifier_epochs=1)
    run = RunDirectory(tmp_path / "everything")
    first = ablations.row("everything", settings, run, None)
    trained = run.generator.stat().st_mtime_ns
    assert ablations.row("everything", settings, run, None) == first
    assert run.generator.stat().st_mtime_ns == trained
    with pytest.raises(InputError, match="code_weight"):
        ablations.row("everything", dataclasses.replace(settings, code_weight=9.0), run, None)


def test_what_settled_is_what_the_first_run_ended_at():
    rows = [{"code_weight": 7.0, "code_noise": 2.0}, {"code_weight": 1.0}]
    changes = {"code_weight": "settled", "variation_goal": None}
    assert ablations.settled(changes, rows) == {"code_weight": 7.0, "variation_goal": None}


def test_the_trade_off_is_drawn_by_the_variation_that_was_reached():
    """Rows in any order; one that diverged is left out."""
    names = ("classifier_accuracy", "averaged_accuracy", "critic_accuracy")
    names += ("explained_fraction", "pixel_distance")
    rows = [
        {
            "activation_variation": v,
            "swapped_accuracy": {"mean": 10 * v, "min": 5 * v},
            **{name: v + i for i, name in enumerate(names)},
        }
        for v in (0.5, 0.1, 0.3)
    ]
    figure = ablations.trade_off_figure([*rows, {"title": "x", "diverged": "step 3"}], "title")
    drawn = {line.get_label(): line for ax in figure.axes for line in ax.lines}
    assert len(drawn) == 7
    for line in drawn.values():
        np.testing.assert_allclose(line.get_xdata(), [0.1, 0.3, 0.5])
    worst = drawn["one generated layer, worst of 100"]
    np.testing.assert_allclose(worst.get_ydata(), [0.5, 1.5, 2.5])
    np.testing.assert_allclose(drawn["fresh critic is right"].get_ydata(), [2.1, 2.3, 2.5])
