"""Several runs in one report: charts over the layers and a table, by hand."""

import json
import shutil

import pytest
from reading import Page

from keras_filtergan.report import comparison
from keras_filtergan.report.charts import HEIGHT, WIDTH
from keras_filtergan.report.comparison import Compared, accuracy_lost, charts, in_order, table
from keras_filtergan.report.report import write_report
from keras_filtergan.runs.run_directory import RunDirectory


def run(layer: int, seed: int = 0, swapped: float = 0.97, worst: float = 0.95, **more) -> Compared:
    card = {"classifier_accuracy": 0.98, "swapped_accuracy": {"mean": swapped, "min": worst}}
    card |= {"activation_variation": 0.2, **more}
    return Compared(f"run{layer}{seed}", f"conv{layer}", layer, str(seed), "digits", card)


def test_points_of_accuracy_lost_by_hand():
    assert accuracy_lost(run(2).card) == pytest.approx(1.0)
    assert accuracy_lost(run(2).card, "min") == pytest.approx(3.0)
    assert accuracy_lost({"classifier_accuracy": 0.98}) is None


def test_a_mark_a_run_and_a_line_over_the_layers():
    """By hand: losses of 1, 1 and 2 points, the worst 3; the axis ends at 3."""
    runs = [run(2), run(4), run(4, seed=1, swapped=0.96)]
    lost, variation = charts(runs)
    assert [tick.text for tick in lost.across] == ["conv2", "conv4"]
    assert [tick.at for tick in lost.across] == [WIDTH / 4, 3 * WIDTH / 4]
    assert [tick.text for tick in lost.up] == ["0", "1", "2", "3"]
    assert [mark.y for mark in lost.marks] == [100.0, 100.0, 50.0]
    assert [mark.low for mark in lost.marks] == [0.0] * 3
    assert [mark.x for mark in lost.marks] == [75.0, 220.5, 229.5]
    assert lost.line == "75.0,100.0 225.0,75.0"
    assert lost.marks[2].text == ("run41, generated kernels: 2.00 points, worst latent 3.00 points")
    assert "conv4, generated kernels: 2.00 points" in lost.summary
    assert variation.marks[0].low is None
    assert 0 <= variation.marks[0].y <= HEIGHT


def test_a_gain_of_accuracy_is_below_zero():
    [lost, _] = charts([run(2, swapped=0.99), run(4)])
    assert lost.up[0].text == "-1"
    assert lost.marks[0].y == HEIGHT


def test_images_of_a_class_stand_beside_the_natural_share():
    with_share = run(2, natural_share=0.6, natural_share_of_images=0.8)
    natural = charts([with_share, run(4)])[-1]
    assert natural.title == "Natural share of the change"
    assert [mark.shape for mark in natural.marks] == ["disc", "ring"]
    assert natural.keys == [("disc", "generated kernels"), ("ring", "two images of a class")]
    assert natural.line == ""  # one layer alone has it


def test_runs_of_one_layer_have_a_column_each():
    lost = charts([run(4), run(4, seed=1)])[0]
    assert [tick.text for tick in lost.across] == ["seed 0", "seed 1"]
    assert lost.line == ""


def test_the_order_is_that_of_the_network():
    assert [one.name for one in in_order([run(4, 1), run(2), run(4, 0)])] == [
        "run20",
        "run40",
        "run41",
    ]


def test_the_table_has_every_figure_that_matters():
    rows = dict(table([run(2), run(4, natural_share=0.6)]))
    assert rows["layer"] == ["conv2", "conv4"]
    assert rows["accuracy lost with generated kernels"] == ["1.00 points", "1.00 points"]
    assert rows["natural share of the change"] == ["–", "0.600"]
    assert not charts([Compared("a", "b", 1, "0", "digits", {})])


@pytest.fixture
def other(finished, tmp_path):
    """The finished run, as if its layer were another, with another card."""
    place = shutil.copytree(finished[1], tmp_path / "<other>")
    config = json.loads((place / "config.json").read_text())
    config["settings"]["layer"] = "conv4"
    (place / "config.json").write_text(json.dumps(config))
    card = json.loads((place / "evaluation.json").read_text())
    card["activation_variation"] = 0.4321
    (place / "evaluation.json").write_text(json.dumps(card))
    return RunDirectory(place)


def page(finished, tmp_path, beside) -> tuple[Page, str]:
    path = write_report(finished[1], folder=tmp_path, beside=beside, say=lambda line: None)
    return Page(path.read_text()), path.read_text()


def test_the_page_has_charts_over_layers(finished, other, tmp_path):
    read, text = page(finished, tmp_path, [other])
    assert "Layer beside layer" in read.text
    labels = [a.get("aria-label", "") for tag, a in read.elements if tag == "svg"]
    [told] = [label for label in labels if label.startswith("Variation V_z / V_x.")]
    own = json.loads((finished[1] / "evaluation.json").read_text())["activation_variation"]
    assert f"conv2, generated kernels: {own:.3f}" in told
    assert "conv4, generated kernels: 0.432" in told
    assert "the line goes through the mean of each layer" in read.text
    assert "<other>" not in text.replace("&lt;other&gt;", "")
    assert "not to be compared" not in read.text


def test_runs_of_other_images_are_told_apart(finished, other, tmp_path):
    config = json.loads(other.config.read_text())
    config["made_of"]["dataset"] = "0" * 16
    other.config.write_text(json.dumps(config))
    assert "These runs are of different images" in page(finished, tmp_path, [other])[0].text


def test_a_run_whose_network_is_gone_keeps_the_name_of_its_settings(other):
    other.classifier.unlink()
    told = Compared.of(other, other.read_config(), other.read_evaluation())
    assert (told.layer, told.depth) == ("conv4", 0)
    assert comparison.table([told])
