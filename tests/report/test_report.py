"""The page: what it says, that it asks for nothing, and what it does with half a run."""

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest
from commands import one_line
from reading import Page

from keras_filtergan.cli import train_main, visualize_main
from keras_filtergan.errors import InputError
from keras_filtergan.report import card_tables, charts, contents, report
from keras_filtergan.report.repeat import repeat_command
from keras_filtergan.report.report import render, write_report
from keras_filtergan.report.source import Source
from keras_filtergan.runs.filter_map import FilterMap
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings

CARD = {
    "classifier_accuracy": 0.985,
    "swapped_accuracy": {"mean": 0.9814, "std": 0.002, "min": 0.971, "count": 100},
    "activation_variation": 0.227,
    "natural_share": 0.576,
    "natural_share_of_images": 0.733,
    "taken_over": {"swapped_accuracy": {"latents": 100, "images": 2000}},
}


@pytest.fixture
def copied(finished, tmp_path):
    """A run to break: the folder."""
    return shutil.copytree(finished[1], tmp_path / "run")


def page(run, **options) -> Page:
    path = write_report(run, say=lambda line: None, **options)
    return Page(path.read_text())


def test_training_ends_with_a_report(finished):
    _, out, screen = finished
    read = Page((out / "report.html").read_text())
    card = json.loads((out / "evaluation.json").read_text())
    assert f"{100 * card['swapped_accuracy']['mean']:.1f} %" in read.text
    assert "Layer beside layer" not in read.text
    assert f"{out / 'report.html'}\n" in screen
    shown = {one["number"] for one in read.explorer["images"]}
    assert len(shown) >= 20
    inverted = {name.split("/")[0] for name in read.explorer["grids"] if "inversion" in name}
    assert len(inverted) == 3  # one image of each class, which the gallery has inverted


def test_nothing_is_asked_of_a_network(finished):
    text = (finished[1] / "report.html").read_text()
    for address in Page(text).addresses():
        assert address.startswith(("data:", "#")), address[:80]
    for call in ("fetch(", "XMLHttpRequest", "import(", "@import", "url(", "sendBeacon"):
        assert call not in text
    assert "default-src 'none'" in text
    assert len(text.encode()) <= report.LIMIT


def test_every_picture_has_words(finished):
    read = Page((finished[1] / "report.html").read_text())
    for tag, attributes in read.elements:
        if tag == "img":
            assert attributes.get("alt")
        if attributes.get("role") == "img":
            assert attributes.get("aria-label")


def test_names_are_escaped(finished, copied):
    """In the data of the script and in the page alike."""
    evil = "</script><b id=evil>&amp;\u2028"
    source = Source.of(RunDirectory(copied))
    data = dataclasses.replace(source.trained.dataset, class_names=(evil, "b", "c"))
    config = {**source.config, "settings": {**source.config["settings"], "dataset": evil}}
    told = dataclasses.replace(
        source,
        trained=dataclasses.replace(source.trained, dataset=data),
        config=config,
        missing=[evil],
        card={**source.card, "baselines": {evil: source.card}},
    )
    read = Page(render(told))
    assert not [attributes for _, attributes in read.elements if attributes.get("id") == "evil"]
    assert read.explorer["classes"][0] == evil
    assert evil.split("\u2028")[0] in read.text


def test_a_run_without_some_files_shows_the_others(copied):
    (copied / "transformation.keras").unlink()
    (copied / "evaluation.json").write_text("{")
    shutil.rmtree(copied / "figures")
    read = page(copied)
    assert "evaluation.json cannot be read" in read.text
    assert "transformation.keras (the learned transformation) is missing" in read.text
    assert "There is no explorer" in read.text
    assert "This run has no card yet" in read.text
    assert "How training went" in read.text
    assert not read.scripts


def test_a_run_that_stopped_early_has_what_there_is(copied):
    for path in copied.iterdir():
        if path.name not in ("config.json", "history.jsonl"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    read = page(copied)
    assert "generator.keras (the generator) is missing" in read.text
    assert "python train.py --layer 2" in read.text
    (copied / "config.json").unlink()
    (copied / "history.jsonl").write_text("no json\n")
    assert "config.json (settings, data and versions) is missing" in page(copied).text


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"expected a run in .*, there is none; train one"):
        write_report(tmp_path)


def test_a_damaged_network_is_named(copied):
    (copied / "generator.keras").write_bytes(b"PK")
    assert "There is no explorer and no map of filters" in page(copied).text


def test_the_command_writes_it_again_and_nothing_else(copied, capsys):
    before = {path: path.stat().st_mtime_ns for path in copied.rglob("*") if path.is_file()}
    os.utime(copied / "report.html", (0, 0))
    assert visualize_main(["--run", str(copied), "--report-only"]) == 0
    first, *parts, last = capsys.readouterr().out.splitlines()
    assert first == "reading the run"
    assert parts == ["making the pictures of the explorer", "drawing curves, kernels and tables"]
    assert last == str(copied / "report.html")
    after = {path: path.stat().st_mtime_ns for path in copied.rglob("*") if path.is_file()}
    changed = [path.name for path in after if after[path] != before.get(path)]
    assert changed == ["report.html"]


def test_it_does_not_depend_on_who_writes_it(finished, copied):
    """`train.py` has the run in memory, `visualize.py` loads it: the same pictures."""
    first = Page((finished[1] / "report.html").read_text()).explorer
    again = page(copied)
    assert again.explorer.keys() == first.keys()
    assert again.explorer["grids"].keys() == first["grids"].keys()


def test_a_place_that_cannot_be_written_is_one_line(copied, capsys):
    (copied / "file").touch()
    words = ["--run", str(copied), "--report-only", "--out", str(copied / "file" / "deeper")]
    assert visualize_main(words) == 2
    assert "cannot write to" in one_line(capsys)


def test_other_runs_stand_beside_it(copied, finished):
    read = page(copied, beside=[RunDirectory(finished[1])])
    assert "Layer beside layer" in read.text
    assert finished[1].name in read.text


def test_an_independent_network_and_every_image_on_request(copied, monkeypatch):
    asked = []
    monkeypatch.setattr("keras_filtergan.report.source.STEPS", 1)
    source = Source.of(RunDirectory(copied))
    assert source.independent is None
    whole = source.thorough(asked.append)
    assert whole.independent is not None
    assert len(whole.walks) == len(source.walks) + 21
    assert asked[-1].endswith("21 of 21")
    again = Source.of(RunDirectory(copied))
    assert again.independent is not None  # it was kept, and so were the walks
    assert len(again.walks) == len(whole.walks)
    assert len(again.thorough(asked.append).walks) == len(whole.walks)


def test_figures_of_instruments_are_in_it_unless_they_are_huge(copied):
    folder = copied / "instruments"
    folder.mkdir()
    shutil.copy(copied / "figures" / "filters.png", folder / "stability.png")
    (folder / "spectra.png").write_bytes(bytes(800_000))
    shares = {"shift_right": 0.25, "slant": 0.5}
    (folder / "reach.json").write_text(json.dumps({"layers": {"conv2": {"share": shares}}}))
    read = page(copied)
    alts = [a["alt"] for tag, a in read.elements if tag == "img"]
    assert len(alts) == 1
    assert "stability" in alts[0]
    assert "shift right" in read.text
    assert "25.0 %" in read.text


@pytest.mark.slow
def test_it_stays_below_its_limit(copied, monkeypatch):
    source = Source.of(RunDirectory(copied))
    whole = len(render(source))
    monkeypatch.setattr(report, "LIMIT", whole - 1000)
    fewer = render(source)
    assert len(fewer.encode()) <= whole - 1000
    assert len(Page(fewer).explorer["planes"]) == 1
    monkeypatch.setattr(report, "LIMIT", 1000)
    with pytest.raises(InputError, match="over 8 MB whatever is left out"):
        render(source)


def test_one_latent_dimension(dataset, tmp_path):
    from commands import write_npz

    words = ["--dataset", write_npz(tmp_path, dataset), "--layer", "2", "--steps", "2"]
    words += ["--batch-size", "8", "--latent-dim", "1", "--out", str(tmp_path / "line")]
    assert train_main(words) == 0
    read = Page((tmp_path / "line" / "report.html").read_text())
    assert read.explorer["planes"][0]["down"] is None
    assert read.explorer["grids"]["0/0/transformation"]["rows"] == 1


def test_how_long_it_took_by_the_times_of_the_files(copied):
    os.utime(copied / "classifier.keras", (1000, 1000))
    os.utime(copied / "evaluation.json", (1095, 1095))
    assert "From the classifier to the card 1 min 35 s" in page(copied).text
    os.utime(copied / "evaluation.json", (1000, 1000))
    assert "From the classifier" not in page(copied).text


def test_the_sentence_says_what_was_found():
    told = contents.finding(CARD, "conv4", "digits")
    assert "is right on 98.1 % of the test images (98.5 % with its own)" in told
    assert "activations vary 0.23 times as much as from image to image" in told
    assert told.startswith("Other kernels do as well")
    near = {**CARD, "swapped_accuracy": {"mean": 0.965, "min": 0.9}}
    assert contents.finding(near, "conv4", "digits").startswith("Other kernels do nearly as well")
    worse = {**CARD, "swapped_accuracy": {"mean": 0.61, "min": 0.3}}
    assert "do not keep what the network needs" in contents.finding(worse, "conv4", "digits")
    still = {**CARD, "activation_variation": 0.01}
    assert "hardly change what the layer computes" in contents.finding(still, "conv4", "digits")


def test_headlines_stand_beside_baselines_and_the_paper():
    noisy = {"swapped_accuracy": {"mean": 0.5}, "natural_share": 0.02}
    card = {**CARD, "baselines": {"noisy": noisy}}
    found = {one.title: one for one in contents.headlines(card, "the bundled MNIST sample")}
    swapped = found["right with generated kernels"]
    assert swapped.value == "98.1 %"
    assert swapped.beside == [("baseline: noisy", "50.0 %")]
    assert "mean of 100 latents (the worst: 97.1 %)" in swapped.meaning
    natural = found["natural share of the change"]
    assert natural.beside == [("two images of a class", "0.733"), ("baseline: noisy", "0.020")]
    paper = ("the paper's own network, full MNIST", "97.1 %")
    assert paper in found["right with its own kernels"].beside
    for headline in contents.headlines(card, "CIFAR-10"):  # the paper has no figures of it
        assert not any("paper" in name for name, _ in headline.beside)
    assert not contents.headlines({})


def test_the_worst_figures_are_told_too():
    card = {**CARD, "critic_accuracy": 0.99775, "natural_critic": 0.789, "even_share": 0.544}
    [critic] = [one for one in contents.headlines(card) if "fresh critic" in one.title]
    assert critic.value == "99.8 %"
    assert critic.beside == [("chance", "50 %")]
    natural, even = contents.limits({**card, "activation_variation": 0.2})
    assert "in 78.9 % of the cases" in natural
    assert "50 % is chance, and" in natural
    scale = {"natural_critic": 0.7, "natural_critic_of_images": {"moved_1": 0.753, "moved_2": 0.9}}
    assert "50 % is chance, 75.3 % for images moved by one pixel, and" in contents.limits(scale)[0]
    assert "54.4 % of the change of pixels" in even
    assert contents.limits({"natural_critic": 0.52, "even_share": 0.1}) == []
    assert contents.limits({"notes": ["one class"]}) == ["one class"]


def test_dimensions_that_have_names_are_told():
    found = contents.dimensions(["shift right", "slant", None, None])
    known = "z[0] has most of shift right, z[1] has most of slant; "
    assert found.endswith(f": {known}z[2] and z[3] are of no known kind.")
    assert contents.dimensions(["size"]).endswith(": z[0] has most of size.")
    assert contents.dimensions([None, None]) == ""


def test_the_command_for_the_figures_that_are_missing(copied):
    asked = "How much pictures explain, and whether a fresh critic can tell"
    read = page(copied)
    assert asked in read.text
    assert f"evaluate --run {copied}" in read.text
    card = json.loads((copied / "evaluation.json").read_text())
    card |= {"explained_fraction": 0.5, "critic_accuracy": 0.9, "natural_critic": 0.7}
    (copied / "evaluation.json").write_text(json.dumps(card))
    read = page(copied)
    assert asked not in read.text
    assert "What this run does not show" in read.text
    assert "in 70.0 % of the cases" in read.text


def test_the_whole_card_has_a_column_for_each_baseline():
    columns, rows = card_tables.card_table(
        {**CARD, "baselines": {"noisy": {"natural_share": None}}}
    )
    assert columns == ["generator", "noisy"]
    cells = {row.name: row.cells for row in rows}
    assert cells["natural_share"] == ["0.576", "–"]
    assert cells["swapped_accuracy.min"] == ["0.971", "–"]
    assert rows[0].meaning == "Accuracy of the frozen network with its real kernels."


def test_every_row_of_the_card_has_words_without_backticks():
    geometry = {"geometry_kinds": 2.0, "latent_geometry": {"shear": 0.11, "all": 0.73}}
    card = {**CARD, "explained_fraction": 0.7, "transformed_fraction": 0.5, **geometry}
    _, rows = card_tables.card_table({**card, "notes": ["one class"]})
    assert all(len(row.meaning) > 20 and "`" not in row.meaning for row in rows)
    told = {row.name: row for row in rows}
    assert "notes" not in told
    assert told["geometry_kinds"].cells == ["2"]
    assert told["latent_geometry.shear"].meaning.startswith("Slant. Of each kind of change")
    assert "worst latent" in told["swapped_accuracy.min"].meaning


def test_curves_by_hand():
    records = [{"step": 100 * i, "code_error": value} for i, value in enumerate((1.0, 0.5, 0.25))]
    [panel] = charts.training_panels(records)
    assert panel.curves[0].points == "0.0,0.0 150.0,75.0 300.0,112.5"
    assert [tick.text for tick in panel.across] == ["0", "50", "100", "150", "200"]
    assert panel.summary.endswith("error from 1 to 0.25.")
    assert charts.training_panels([]) == []
    assert panel.goal is None


def test_a_goal_is_a_line_where_it_was_set():
    """By hand: the goal is the top of an axis in steps of 0.05."""
    records = [{"step": 0, "activation_variation": 0.05}, {"step": 9, "activation_variation": 0.1}]
    [panel] = charts.training_panels(records, {"variation_goal": 0.2})
    assert panel.goal == charts.Tick(0.0, "asked for 0.2")
    assert panel.up[-1].text == "0.2"
    assert panel.summary.endswith("from 0.05 to 0.1; asked for 0.2.")


def test_what_was_asked_and_what_was_reached():
    last = {"real_accuracy": 0.77, "fake_accuracy": 0.74, "activation_variation": 0.163}
    settings = {"accuracy_goal": 0.75, "variation_goal": 0.22}
    assert charts.asked_and_reached([{"step": 0}, last], settings) == (
        "Asked for: D right in 75 % of the cases (reached: on 77 % of real and 74 % of generated "
        "activations), variation 0.22 (reached 0.16)."
    )
    told = charts.asked_and_reached([last], {"accuracy_goal": None})
    assert told.startswith("D is right on 77 % of real")
    assert charts.asked_and_reached([]) == ""


def test_filters_of_a_channel_are_joined_to_the_real_one():
    points = np.array([[0.0, 0.0], [4.0, 2.0], [1.0, 0.0], [4.0, 0.0]])
    found = FilterMap(points, np.array([7, 9, 7, 9]), np.array([-1, -1, 0, 0]))
    spots = charts.map_spots(found)
    first = next(spot for spot in spots if spot.channel == 9 and not spot.is_real)
    unit = charts.MAP / 4
    assert (first.x, first.y, first.to_x, first.to_y) == (4 * unit, 0.0, 4 * unit, 2 * unit)
    assert first.text == "channel 9, generated from latent 1"


@pytest.mark.parametrize(
    ("settings", "command"),
    [
        (Settings(), "python train.py --layer 4"),
        (Settings(layer="a b", seed=2), "python train.py --layer 'a b' --seed 2"),
        (Settings.of_method("infogan"), "python train.py --layer 4 --method infogan"),
        (Settings(classifier_epochs=1, steps=300), "python train.py --preset quick"),
        (
            Settings(dataset="mnist", steps=4000, seed=1),
            "python train.py --preset paper-layer4 --seed 1",
        ),
        (Settings(rank=9), 'kfg.train(kfg.Settings(rank=9), "runs/again")'),
    ],
)
def test_the_command_that_repeats_a_run(settings, command):
    assert repeat_command(settings.to_dict()) == command


def test_it_says_how_to_ask_an_independent_network(copied):
    read = page(copied)
    assert "No independent network has been trained" in read.text
    assert "visualize --report-only --thorough" in read.text.replace("visualize.py", "visualize")
