"""`list` and `compare`: what there is, and the cards of runs side by side."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_filtergan.cli.command import (
    DONE,
    data_dir,
    import_tensorflow,
    user_path,
)
from keras_filtergan.doors import command
from keras_filtergan.errors import InputError
from keras_filtergan.runs.presets import PRESETS
from keras_filtergan.runs.run_directory import RunDirectory, finished_runs, open_run

COLUMNS = ("swapped_accuracy", "activation_variation", "code_r2", "natural_share")


def add_list(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `list` to the commands."""
    parser = commands.add_parser("list", help="data sets, presets, metrics or runs, as a table")
    parser.add_argument("what", choices=LISTS, nargs="?", default="runs", help="default runs")
    parser.add_argument("--runs", type=user_path, default=Path("runs"), help="folder of the runs")
    parser.add_argument("--data-dir", help="where TFDS keeps its prepared sets")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(work=_list)


def add_compare(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add `compare` to the commands."""
    parser = commands.add_parser("compare", help="the cards of runs side by side")
    parser.add_argument("runs", type=user_path, nargs="*", metavar="RUN", help="run directories")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(work=_compare)


def _list(options: argparse.Namespace) -> int:
    import_tensorflow()
    from keras_filtergan.evaluation import format_table

    rows = LISTS[options.what](options)
    if len(rows) == 1:
        raise InputError(f"no finished run under {str(options.runs)!r}; {_train()}")
    print(format_table(rows))
    return DONE


def _compare(options: argparse.Namespace) -> int:
    if not options.runs:
        names = ", ".join(str(run.path) for run in finished_runs(Path("runs")))
        hint = f"there are: {names}" if names else _train()
        raise InputError(f"expected run directories to compare, received none; {hint}")
    runs = [open_run(path) for path in dict.fromkeys(options.runs)]
    import_tensorflow()
    from keras_filtergan.evaluation import format_cards

    print(format_cards({str(run.path): run.read_evaluation() for run in runs}))
    settings = [run.read_config()["settings"] for run in runs]
    for name, what in (("layer", "layers"), ("dataset", "data sets")):
        values = list(dict.fromkeys(str(one.get(name, "–")) for one in settings))
        if len(values) > 1:
            print(f"note: these runs are of different {what}: {', '.join(values)}")
    return DONE


def _train() -> str:
    return f"train one with: {command('train', '--layer', '4')}"


def _runs(options: argparse.Namespace) -> list[list[str]]:
    rows = [["run", "layer", "method", "seed", *COLUMNS, "data set"]]
    for run in finished_runs(options.runs):
        rows.append(_run(run))
    return rows


def _run(run: RunDirectory) -> list[str]:
    card, settings = run.read_evaluation(), run.read_config()["settings"]
    values = [card.get(name) for name in COLUMNS]
    numbers = [value.get("mean") if isinstance(value, dict) else value for value in values]
    shown = ["–" if number is None else f"{number:.4f}" for number in numbers]
    what = [str(settings[name]) for name in ("layer", "seed")]
    method = settings.get("method", "infogan")
    return [
        str(run.path),
        what[0],
        method,
        what[1],
        *shown,
        Path(settings.get("dataset", "–")).name,
    ]


def _presets(options: argparse.Namespace) -> list[list[str]]:
    rows = [["preset", "layer", "method", "steps", "what it is"]]
    for name, make in PRESETS.items():
        one = make()
        first = (make.__doc__ or "").strip().splitlines()[0]
        rows.append([name, str(one.layer), one.method, str(one.steps), first])
    return rows


def _metrics(options: argparse.Namespace) -> list[list[str]]:
    from keras_filtergan.evaluation.registry import METRICS

    lines = {name: (one.measure.__doc__ or "").strip() for name, one in METRICS.items()}
    return [
        ["metric", "what it is"],
        *([name, text.splitlines()[0]] for name, text in lines.items()),
    ]


def _data(options: argparse.Namespace) -> list[list[str]]:
    from keras_filtergan.data.sources import BUNDLED

    rows = [["data set", "where it is"], [BUNDLED, "bundled: a stratified sample of MNIST"]]
    folder = data_dir(options)
    if folder:
        for info in sorted(Path(folder).glob("*/**/dataset_info.json")):
            name = "/".join(info.parent.relative_to(folder).parts[:-1])
            rows.append([name, f"prepared in {folder}"])
    rows.append(["NAME[/CONFIG]", "any image classification set of TensorFlow Datasets"])
    rows.append(["FOLDER", "a folder of class folders of images, or a prepared TFDS folder"])
    rows.append(["FILE.npz", "arrays x_train, y_train, x_test, y_test"])
    return rows


LISTS: dict[str, Callable[[argparse.Namespace], list[list[str]]]] = {
    "runs": _runs,
    "data": _data,
    "presets": _presets,
    "metrics": _metrics,
}
