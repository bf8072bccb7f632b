"""`report.html`: what a run found, in one file that asks nothing of a network or a server."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup

import keras_filtergan
from keras_filtergan.doors import command
from keras_filtergan.errors import InputError
from keras_filtergan.files import write_text
from keras_filtergan.report import card_tables, charts, comparison, contents
from keras_filtergan.report.comparison import Compared
from keras_filtergan.report.explorer import Explorer, explore
from keras_filtergan.report.pictures import figure_uri
from keras_filtergan.report.repeat import repeat_command
from keras_filtergan.report.source import Source, lasted
from keras_filtergan.runs.callbacks import Tell
from keras_filtergan.runs.filter_map import FilterMap
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.trained import TrainedRun

LIMIT = 8_000_000  # bytes
QUESTIONS = {  # of the instruments, as the README asks them
    "reach": "How much of a known change of an image can kernels make?",
    "stability": "Does a layer respond less to smooth deformations than to noise of their size?",
    "spectra": "Why is the network stable: smooth kernels, slow activations?",
    "maximize": "What does a unit, channel or class want to see?",
    "adversarial": "How little misleads the network, and does averaging over kernels help?",
    "latents": "What do the dimensions of the latent do?",
    "uncertainty": "Does an ensemble of generated networks know what it does not know?",
}


def write_report(
    run: RunDirectory | str | os.PathLike,
    trained: TrainedRun | None = None,
    folder: str | os.PathLike | None = None,
    *,
    data_dir: str | None = None,
    beside: Sequence[RunDirectory] = (),
    thorough: bool = False,
    walks: Path | None = None,
    say: Callable[[str], None] = print,
    tell: Tell | None = None,
) -> Path:
    """Write `report.html` of a run: headline figures, an explorer, curves, settings.

    The file is complete in itself, at most 8 MB, and makes no request. What the run lacks is left
    out, and named.

    Args:
        run: its directory, which need not be whole.
        trained: the same in memory; if it is not given, it is loaded.
        folder: where the report goes, made if needed; the run's directory if not given.
        data_dir: where TFDS keeps its prepared sets.
        beside: other runs, whose figures are shown beside those of this one.
        thorough: also train an independent network and invert each image of the explorer.
        walks: folder of the gallery's walks; `figures` of the run if not given.
        say: takes one line for the file, with `thorough` for each step, and for each part of a run
            that has to be loaded.
        tell: takes in its place how far the inversion is: its name, images done, images in all,
            and a text.

    Returns:
        The file.

    Raises:
        InputError: there is no run, or the folder cannot be written.

    Example:
        >>> write_report("runs/mnist_sample-layer4-seed0").name
        runs/mnist_sample-layer4-seed0/report.html
        'report.html'
    """
    run = RunDirectory.of(run)
    part = say if trained is None else None
    if part is not None:
        part("reading the run")
    source = Source.of(run, trained, data_dir, walks)
    if thorough:
        source = source.thorough(say, tell)
    path = (run.path if folder is None else Path(folder)) / "report.html"
    text = render(source, beside, part)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
    except OSError as error:
        where = str(path.parent)
        raise InputError(
            f"cannot write to {where!r} ({error.strerror}); choose another folder"
        ) from None
    say(str(path))
    return path


def render(
    source: Source,
    beside: Sequence[RunDirectory] = (),
    say: Callable[[str], None] | None = None,
) -> str:
    """The report as one HTML text of at most 8 MB.

    Args:
        source: what there is of the run.
        beside: other runs.
        say: takes a line for each part.
    """
    found = None
    if source.trained is not None:
        if say is not None:
            say("making the pictures of the explorer")
        found = explore(source.trained, source.walks, source.independent)
    if say is not None:
        say("drawing curves, kernels and tables")
    values = {**_values(source), **_comparison(source, beside)}
    pictures = _instruments(source)
    while True:
        text = _page({**values, **_explorer(found), "instruments": pictures})
        if len(text.encode()) <= LIMIT:
            return text
        smaller = None if found is None else found.smaller()
        if smaller is None and not pictures:
            raise InputError("the report of this run is over 8 MB whatever is left out")
        pictures = [] if smaller is None else pictures
        found = smaller or found


def _page(values: dict[str, Any]) -> str:
    loader = jinja2.PackageLoader("keras_filtergan.report")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.undefined = jinja2.StrictUndefined
    return environment.get_template("report.html").render(values)


def _values(source: Source) -> dict[str, Any]:
    """Everything but explorer, instruments and comparison."""
    card, settings = source.card, source.config.get("settings", {})
    trained = source.trained
    layer = trained.target.layer_name if trained else f"{settings.get('layer', '?')}"
    dataset = contents.dataset_name(Path(str(settings.get("dataset", "?"))).stem)
    columns, rows = card_tables.card_table(card)
    layers, changes = card_tables.known_changes(source.instrument("reach"))
    return {
        "title": f"What a classifier of {dataset} ignores, seen from convolution {layer}",
        "layer": layer,
        "dataset": dataset,
        "run": source.run.path.name,
        "sentence": contents.finding(card, layer, dataset),
        "headlines": contents.headlines(card, dataset),
        "limits": contents.limits(card),
        **_missing_figures(source),
        "panels": charts.training_panels(source.history, settings),
        "reached": charts.asked_and_reached(source.history, settings),
        "filters": None if trained is None else _filters(trained),
        "spots": [] if trained is None else charts.map_spots(FilterMap.of(trained)),
        "map_side": charts.MAP,
        "natural": card_tables.natural_bars(card),
        "kinds": card_tables.kind_bars(card),
        "dimensions": "" if trained is None else contents.dimensions(trained.kinds),
        "layers": layers,
        "changes": changes,
        "columns": columns,
        "rows": rows,
        "missing": source.missing,
        "record": _record(source),
        "settings": settings,
        "command": _command(settings),
    }


def _missing_figures(source: Source) -> dict[str, str]:
    """The commands that compute what a headline would show, or nothing."""
    if contents.is_evaluated(source.card):
        return {"evaluate": "", "again": ""}
    run = ("--run", source.run.path)
    again = command("visualize", *run, "--report-only")
    return {"evaluate": command("evaluate", *run), "again": again}


def _record(source: Source) -> dict[str, str]:
    """Data, versions and time, by name."""
    config, trained = source.config, source.trained
    made_of, versions = config.get("made_of", {}), config.get("environment", {})
    record = {"Run": source.run.path.name, "Finished": source.finished}
    record["From the classifier to the card"] = lasted(source.run)
    record["Data"] = str(config.get("settings", {}).get("dataset", ""))
    if trained is not None:
        data = trained.dataset
        record["Images"] = (
            f"{len(data.x_train):,} for training and {len(data.x_test):,} held out, "
            f"{' × '.join(map(str, data.image_shape))} pixels, {data.num_classes} classes"
        )
    record["Hash of the data"] = str(made_of.get("dataset") or "")
    record["Hash of the classifier"] = str(config.get("target_fingerprint") or "")
    record["Versions"] = ", ".join(
        [f"keras_filtergan {keras_filtergan.__version__}"]
        + [f"{name} {version}" for name, version in versions.items()]
    )
    return {name: text for name, text in record.items() if text}


def _command(settings: dict[str, Any]) -> str:
    try:
        return repeat_command(settings) if settings else ""
    except InputError:  # settings of another version
        return ""


def _filters(trained: TrainedRun, rows: int = 6, columns: int = 12) -> dict[str, Any]:
    """Slices of real and generated kernels as grey levels, one list a row."""
    real = trained.target.kernel.numpy()
    outputs = np.argsort(-np.square(real).sum(axis=(0, 1, 2)))[:columns]
    inputs = np.argmax(np.linalg.norm(real, axis=(0, 1)), axis=0)[outputs]
    sets = [real, *trained.subject().kernel_sets(rows).numpy()]
    limit = float(max(np.abs(real[:, :, inputs, outputs]).max(), 1e-12))
    tiles = [
        [
            np.clip(np.round(127.5 + 127.5 * kernels[:, :, i, o] / limit), 0, 255)
            .astype(int)
            .tolist()
            for i, o in zip(inputs, outputs, strict=True)
        ]
        for kernels in sets
    ]
    names = [f"{i}→{o}" for i, o in zip(inputs, outputs, strict=True)]
    labels = ["learned", *(f"latent {i + 1}" for i in range(rows))]
    return {
        "rows": list(zip(labels, tiles, strict=True)),
        "names": names,
        "limit": limit,
        "height": real.shape[0],
        "width": real.shape[1],
    }


def _explorer(found: Explorer | None) -> dict[str, Any]:
    if found is None:
        return {"explorer": None, "payload": ""}
    data = json.dumps(found.payload(), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    safe = data.replace("<", "\\u003c").replace("&", "\\u0026")  # cannot end the script element
    again = command("visualize")
    return {
        "explorer": found,
        "payload": Markup(safe),
        "visualize": again,
        "thorough": f"{again} --report-only --thorough",
    }


def _instruments(source: Source) -> list[dict[str, str]]:
    """The figures of the instruments that were asked."""
    shown = []
    for name, path in source.pictures.items():
        try:
            uri = figure_uri(path)
        except OSError:
            uri = None
        if uri is not None:
            shown.append({"name": name, "question": QUESTIONS.get(name, name), "uri": uri})
    return shown


def _comparison(source: Source, beside: Sequence[RunDirectory]) -> dict[str, Any]:
    """Charts over the layers and a table of several runs."""
    if not beside:
        return {"others": [], "compared": [], "charts": [], "is_one_data": True}
    runs = [Compared.of(source.run, source.config, source.card)]
    runs += [Compared.of(run, run.read_config(), run.read_evaluation()) for run in beside]
    runs = comparison.in_order(runs)
    return {
        "others": [run.name for run in runs],
        "compared": comparison.table(runs),
        "charts": comparison.charts(runs),
        "is_one_data": len({run.data for run in runs}) == 1,
    }
