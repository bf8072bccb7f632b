import dataclasses

import ablations
import pytest
from commands import write_npz

from keras_filtergan.errors import InputError
from keras_filtergan.runs import RunDirectory
from keras_filtergan.settings import Settings


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
