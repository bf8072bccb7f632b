import importlib.util
import json
import sys
from argparse import Namespace
from pathlib import Path

import contest
import convolution
import inversion
import pytest
import scaling
import train_step

ROOT = Path(__file__).parents[2]


def test_quartiles_by_hand():
    assert contest.Quartiles.of([5.0, 1.0, 4.0, 2.0, 3.0]) == (2.0, 3.0, 4.0)
    assert str(contest.Quartiles(4.101, 4.234, 10.06)) == "4.23 (4.10–10.1)"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0123, "0.012"), (0.5, "0.500"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123")],
)
def test_numbers_have_three_figures(value, text):
    assert contest.number(value) == text


def test_numbers_at_the_ends():
    assert contest.number(1234.4) == "1234"
    assert contest.number(0.0) == "0.000"
    assert contest.number(None) == "–"


def test_ratios():
    assert contest.ratio(3.0, 2.0) == 1.5
    assert contest.ratio(3.0, None) is None
    assert contest.ratio(None, 2.0) is None
    assert contest.best({"torch a": 3.0, "torch b": 2.0, "ours": 1.0}, "torch") == 2.0
    assert contest.best({"ours": 1.0}, "torch") is None


def test_contestants_take_turns_and_each_begins_a_round():
    order = []
    turns = {name: lambda name=name: order.append(name) or len(order) for name in "abc"}
    times = contest.contest(turns, rounds=3, warm_up=1)
    assert "".join(order) == "abc" + "abc" + "bca" + "cab"
    assert times["a"].median == 9  # turns 4, 9 and 11 are a's; those of the warm-up do not count


def test_a_turn_is_the_time_of_one_piece_of_work(monkeypatch):
    clock = iter([10.0, 10.3])
    monkeypatch.setattr(contest.time, "perf_counter", lambda: next(clock))
    done = []
    assert contest.timed(lambda: done.append(1), repeat=3)() == pytest.approx(100.0)
    assert len(done) == 3


def test_tables():
    table = contest.Table("Title", ["", "ms"], [["ours", "1.00"], ["a", "100"]])
    assert table.text().splitlines() == [
        "Title",
        "        ms",
        "----------",
        "ours  1.00",
        "a      100",
    ]
    assert table.markdown().splitlines() == [
        *("**Title**", "", "|  | ms |", "| --- | ---: |"),
        *("| ours | 1.00 |", "| a | 100 |"),
    ]


def test_what_is_kept_and_how_the_document_is_filled(tmp_path, capsys):
    options = Namespace(threads=1, markdown=True, json=tmp_path / "speed.json")
    table = contest.Table("Title", ["", "ms"], [["ours", "1.00"]])
    contest.report(options, [table], {"ours": contest.Quartiles(1, 2, 3)})
    assert table.markdown() in capsys.readouterr().out
    kept = json.loads(options.json.read_text())
    assert kept["figures"] == {"ours": [1, 2, 3]}
    assert {"cpu", "threads", "onednn", "versions", "commit"} <= kept["machine"].keys()
    spec = importlib.util.spec_from_file_location("tables", ROOT / "tools/performance_tables.py")
    tool = importlib.util.module_from_spec(spec)
    path = list(sys.path)
    spec.loader.exec_module(tool)
    sys.path[:] = path
    places = (
        "a\n<!-- table: speed -->\nold\n<!-- end -->\n<!-- table: none -->\nstays\n<!-- end -->\n"
    )
    text = tool.filled(places, tmp_path)
    assert table.markdown() in text
    assert "old" not in text
    assert text.endswith("<!-- table: none -->\nstays\n<!-- end -->\n")
    assert tool.filled(text, tmp_path) == text


def test_the_command_does_not_say_where_things_lie():
    arguments = ["benchmarks/train_step.py", "--base", "/home/someone/before", "--rounds", "3"]
    expected = "python benchmarks/train_step.py --base before --rounds 3"
    assert contest.command_line(arguments) == expected


def test_a_missing_torch_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(contest, "_version", lambda _: None)
    assert not contest.has_torch()
    (line,) = capsys.readouterr().err.splitlines()
    assert "[bench]" in line


def test_the_line_of_an_error_that_says_why():
    lines = ["Graph execution error:", "", "Detected at node x", "  File a.py", "no such kernel"]
    text = "\n".join([*lines, "\t [[{{node x}}]]"])
    assert contest.cause(ValueError(text)) == "ValueError: no such kernel"


def test_a_process_that_measures_is_told_so():
    environment = contest.environment("0", Path("/other"))
    assert environment["TF_ENABLE_ONEDNN_OPTS"] == "0"
    assert environment["PYTHONPATH"] == "/other"


def test_operations_of_a_convolution_by_hand():
    shape = convolution.Shape(2, 4, 3, 5)  # 2 · 4 · 4 outputs of 5 channels, 27 products each
    assert shape.gflop == pytest.approx(2 * 16 * 5 * 27 * 4 / 1e9)
    depthwise = convolution.Shape(2, 4, 6, 6, groups=6)
    assert depthwise.gflop == pytest.approx(2 * 16 * 6 * 9 * 4 / 1e9)


def test_ratios_of_convolutions():
    times = {"ours (taps)": 3.0, "ours (taps), XLA": 1.0, convolution.LIMIT: 2.0, "torch vmap": 6.0}
    quartiles = {name: [0, value, 9] for name, value in times.items()}
    ms = {kind: quartiles for kind in convolution.KINDS}
    row = {"shape": [64, 7, 32, 32, 3, 1], "gflop": 0.116, "ms": ms}
    assert convolution.ratios(row, "kernels") == {"limit": 1.5, "torch": 0.5}
    found = {"0": {"rows": [row]}, "1": {"rows": [row]}}
    (line,) = convolution.summary(found).rows
    assert line[:6] == ["7×7×32→32, 3×3, batch 64", "0.12", "1.50", "1.50", "0.500", "0.500"]
    assert [row[0] for row in convolution.details(found, 0).rows] == list(times)


def test_share_of_the_peak_by_hand():
    name = train_step.OURS.format("on")
    operations = 2 * train_step.SIZE**3
    ms = {"step": [4, 8, 9], "with stream": [5, 9, 9], "product": [1, 2, 3]}
    found = {
        "ms": {f"{name}: {turn}": times for turn, times in ms.items()},
        "flop": 2 * operations,  # 2 ms at the peak, of the 4 that a quarter of the steps took
        "commits": {name: "abc"},
    }
    (row,) = train_step.table(found).rows
    assert row == [f"{name} (abc)", "8.00 (4.00–9.00)", "9.00 (5.00–9.00)", "50%"]


def test_ratios_of_inversion_are_those_at_the_same_jitter():
    times = (3.0, 2.0, 1.0, 8.0, 4.0, 2.0)
    names = [f"{name}, jitter {j}" for j in (0, 1) for name in inversion.NAMES]
    ms = {name: [0, value, 9] for name, value in zip(names, times, strict=True)}
    rows = {row[0]: row[2:] for row in inversion.table({"1": {"ms": ms}}).rows}
    assert rows["Inverter.walk, jitter 0"] == ["1.50", "3.00"]
    assert rows["Inverter.walk, jitter 1"] == ["2.00", "4.00"]


def test_settings_that_failed_leave_dashes():
    good = {**scaling.BASIS, "onednn": "1", "ms": [1, 64, 99], "weights": 2_000_000}
    good |= {"peak_mb": 900.4, "before_mb": 700}
    found = [{**good, "batch": value} for value in scaling.LISTS["batch"][1:]]
    found.append({**good, "batch": 16, "onednn": "1", "error": "no memory"})
    del found[-1]["ms"]
    rows = scaling.table("batch", found).rows
    assert rows[0] == ["16", "2.00", *["–"] * 4]
    assert rows[2][3:] == ["1.00", "900", "700"]
