"""README and documentation: short, true to the command line, with links that lead somewhere."""

import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path

import keras
import pytest

import keras_filtergan as kfg
from keras_filtergan.cli import module, train, visualize
from keras_filtergan.data import load_dataset
from keras_filtergan.evaluation.registry import METRICS
from keras_filtergan.runs import training

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
GUIDES = ("README.md", "quick_start.md", "library.md")


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def commands() -> list[tuple[str, list[str]]]:
    """Each command of ours in the guides: which, and its words."""
    found = []
    for page in PAGES:
        for text in blocks(page, "sh") if page.name in GUIDES else []:
            for part in re.split(r"&&|\n", text):
                words = shlex.split(part, comments=True)
                while words and ("=" in words[0] or words[0].endswith("python")):
                    words = words[1:]
                if words[:2] == ["-m", "keras_filtergan"]:
                    found.append(("keras_filtergan", words[2:]))
                elif words and words[0] in ("train.py", "visualize.py"):
                    found.append((words[0], words[1:]))
    return found


ADDERS = {
    "train.py": train._add_options,
    "visualize.py": visualize._add_options,
    "keras_filtergan": module._add_commands,
}


def test_the_readme_is_short_and_its_film_small():
    text = (ROOT / "README.md").read_text()
    assert text.count("\n") <= 120
    assert "docs/figures/walk.gif" in text
    assert (ROOT / "docs" / "figures" / "walk.gif").stat().st_size < 1_000_000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text()):
        if not link.startswith(("http:", "https:", "mailto:")):
            assert (page.parent / link).exists(), link


def test_there_are_commands_to_check():
    assert len(commands()) >= 15
    assert {name for name, _ in commands()} == set(ADDERS)


@pytest.mark.parametrize(("name", "words"), commands(), ids=lambda part: str(part)[:60])
def test_commands_have_the_options_that_are_written(name, words):
    parser = argparse.ArgumentParser(exit_on_error=False)
    ADDERS[name](parser)
    parser.parse_args(words)


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    """To the letter, on a few digits, and with one step where it says 1,600."""
    fit = keras.Model.fit

    def one_step(self, *args, **options):
        return fit(self, *args, **{**options, "steps_per_epoch": 1, "epochs": 1, "verbose": 0})

    def few(name, data_dir=None, image_size=None):
        whole = load_dataset(name, data_dir, image_size)
        parts = {key: getattr(whole, key)[:200] for key in ("x_train", "y_train")}
        parts |= {key: getattr(whole, key)[:100] for key in ("x_test", "y_test")}
        return kfg.data.ImageDataset(whole.name, **parts, class_names=whole.class_names)

    [text] = blocks(ROOT / "README.md", "python")
    assert text.count("\n") <= 6
    monkeypatch.setattr(keras.Model, "fit", one_step)
    monkeypatch.setattr(training, "load_dataset", few)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(text.replace("Settings(layer=4)", "Settings(layer=4, steps=1)"), names)
    assert len(names["pictures"]) == 9  # three of the run, two grids an image and its walk
    shown = capsys.readouterr().out.splitlines()[-1]
    card = names["card"]
    assert shown == f"{card['classifier_accuracy']} {card['swapped_accuracy']['mean']}"


def test_every_metric_is_on_the_page_that_explains_the_card():
    text = (ROOT / "docs" / "read_the_card.md").read_text()
    told = set(re.findall(r"`(\w+)`", text))
    assert not set(METRICS) - told


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path / "site")]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "api" / "index.html").exists()
