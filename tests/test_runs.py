import os
import subprocess
import sys
from pathlib import Path

import pytest

from keras_filtergan.errors import InputError
from keras_filtergan.runs.run_directory import RunDirectory, latest_run, open_run

CONFIG = {
    "settings": {"layer": 4, "seed": 0},
    "made_of": {"dataset": "abc"},
    "environment": {"python": "3"},
}


def finished(path):
    run = RunDirectory(path)
    run.create(CONFIG)
    run.generator.write_bytes(b"")
    run.classifier.write_bytes(b"")
    run.write_evaluation({"classifier_accuracy": 0.9})
    return run


def test_create_writes_the_config_and_accepts_the_same_settings_again(tmp_path):
    run = RunDirectory(tmp_path / "a" / "b")
    run.create(CONFIG)
    run.create({**CONFIG, "environment": {"python": "4"}})
    assert run.read_config()["settings"] == CONFIG["settings"]


def test_other_settings_are_refused_and_nothing_changes(tmp_path):
    run = RunDirectory(tmp_path)
    run.create(CONFIG)
    before = run.config.read_bytes()
    with pytest.raises(InputError, match=r"other settings \(layer 4 → 2\)"):
        run.create({**CONFIG, "settings": {"layer": 2, "seed": 0}})
    with pytest.raises(InputError, match="fingerprint of dataset 'abc' → 'xyz'"):
        run.create({**CONFIG, "made_of": {"dataset": "xyz"}})
    assert run.config.read_bytes() == before


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match="holds no run"):
        RunDirectory(tmp_path).create(CONFIG)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/run")):
        with pytest.raises(InputError, match="choose another folder"):
            RunDirectory(path).create(CONFIG)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot write"):
        RunDirectory(tmp_path / "run").create(CONFIG)


def test_history_is_appended_and_truncated(tmp_path):
    run = RunDirectory(tmp_path)
    assert run.read_history() == []
    for step in (100, 200, 300):
        run.append_history({"step": step, "d_loss": step / 1000})
    run.truncate_history(200)
    assert run.read_history() == [{"step": 100, "d_loss": 0.1}, {"step": 200, "d_loss": 0.2}]


def test_a_line_that_was_broken_off_is_forgotten(tmp_path):
    run = RunDirectory(tmp_path)
    run.append_history({"step": 100})
    with open(tmp_path / "history.jsonl", "a") as file:
        file.write('{"step": 200, "d_lo')
    assert run.read_history() == [{"step": 100}]
    run.truncate_history(100)
    run.append_history({"step": 200})
    assert [record["step"] for record in run.read_history()] == [100, 200]


def test_a_damaged_line_in_the_middle_is_refused_with_its_number(tmp_path):
    run = RunDirectory(tmp_path)
    for line in ('{"step": 100}\nnull\n', '{"step": 1}\n{"d_loss": 1}\n', '{"step": "x"}\n{}\n'):
        (tmp_path / "history.jsonl").write_text(line + '{"step": 300}\n')
        with pytest.raises(InputError, match=r"line [12] of .*history\.jsonl' is damaged"):
            run.read_history()


def test_what_a_dead_process_left_does_not_make_a_folder_somebody_elses(tmp_path):
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=-1).stdout
    (tmp_path / f".{int(dead)}-config.json").write_text("{")
    (tmp_path / ".lock").write_text("")
    run = RunDirectory(tmp_path)
    run.check(CONFIG)
    with run.locked():
        run.create(CONFIG)
        assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "config.json"]
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


@pytest.mark.parametrize("file", ["discriminator.keras", "classifier.keras", "evaluation.json"])
def test_a_run_without_one_of_its_files_is_not_complete(tmp_path, file):
    run = finished(tmp_path)
    run.write_config({**CONFIG, "players": {"generator": "1", "discriminator": "2"}})
    run.discriminator.write_bytes(b"")
    assert run.is_complete
    (tmp_path / file).unlink()
    assert not run.is_complete


def test_latest_is_the_one_finished_last(tmp_path):
    for age, name in ((30, "old"), (10, "new"), (20, "middle")):
        finished(tmp_path / name)
        moment = 1_000_000 - age
        os.utime(tmp_path / name / "generator.keras", (moment, moment))
    RunDirectory(tmp_path / "unfinished").create(CONFIG)
    assert latest_run(tmp_path).path.name == "new"
    RunDirectory(tmp_path / "old").write_evaluation({})  # judged again, not trained again
    assert latest_run(tmp_path).path.name == "new"


def test_no_run_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match=r"python -m keras_filtergan train --layer 4"):
        latest_run(tmp_path)
    with pytest.raises(InputError, match=r"python -m keras_filtergan train --layer 4"):
        open_run(tmp_path / "nothing")


def test_a_misspelt_run_names_the_nearest(tmp_path):
    finished(tmp_path / "mnist-layer4-seed0")
    with pytest.raises(InputError, match=r"did you mean .*mnist-layer4-seed0"):
        open_run(tmp_path / "mnist-layer4-sed0")


def test_an_unfinished_run_says_so(tmp_path):
    RunDirectory(tmp_path).create(CONFIG)
    with pytest.raises(InputError, match="not finished; continue it with --resume"):
        open_run(tmp_path)


def test_damaged_json_is_named(tmp_path):
    run = finished(tmp_path)
    run.config.write_text('{"settings": ')
    with pytest.raises(InputError, match=r"config\.json' is damaged"):
        run.read_config()
