"""Layer against layer: images walked through the kernels of several runs.

Each run walks the first images of each class that its own network gets right: for good networks of
one data set these are the same.
"""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from keras_filtergan import plots
from keras_filtergan.classifiers.choice import convolution_layers
from keras_filtergan.classifiers.classifier import load_classifier
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.errors import InputError
from keras_filtergan.evaluation import grids
from keras_filtergan.files import all_in_one_step, as_json
from keras_filtergan.inversion.anatomy import anatomy
from keras_filtergan.inversion.walks import Walk
from keras_filtergan.runs.run_directory import RunDirectory
from keras_filtergan.runs.settings import Settings
from keras_filtergan.runs.trained import TrainedRun

CARD = ("classifier_accuracy", "swapped_accuracy", "activation_variation")
KINDS = {
    "inversion": "images found by inversion",
    "transformation": "the learned transformation of the original",
}


@dataclasses.dataclass(frozen=True)
class LayerWalks:
    """One run in a comparison: the walks that its kernels make, and their measures.

    Attributes:
        layer: name of the convolution.
        depth: its number in the network, 1 is the first.
        seed: of the run.
        row: what `layers.json` says of the run, see `compare_layers`.
        walks: for each of `KINDS` the walk of the same images.
    """

    layer: str
    depth: int
    seed: int
    row: dict[str, Any]
    walks: dict[str, Walk]


def compare_layers(
    runs: Sequence[RunDirectory],
    data_dir: str | None = None,
    say: Callable[[str], None] = print,
) -> list[LayerWalks]:
    """Walk through the kernels of several runs and measure what the walks are made of.

    For each run the grids are those of its card: at most 10 test images that its network gets
    right, z = 0, two latent dimensions drawn by its seed, 7 × 7 latents up to 3 standard
    deviations.

    Args:
        runs: finished runs on one dataset, each of another layer or seed.
        data_dir: where TFDS keeps its prepared sets.
        say: takes one line for each run.

    Returns:
        One entry a run, by depth, then seed. A row holds `layer`, `depth`, `seed`, `run` (its
        path), `images` (how many), the numbers of `CARD` as far as the run's card has them, and
        for each of `KINDS` the measures of `anatomy`. It is ready for JSON.

    Raises:
        InputError: no runs, runs of different datasets, two of one layer and seed, a latent with
            one dimension (all found before the first walk), or a run that cannot be loaded.

    Example:
        >>> runs = [open_run(Path(f"runs/mnist-layer{layer}-seed0")) for layer in (4, 2)]
        >>> [layer.layer for layer in compare_layers(runs)]
        ['conv2', 'conv4']

    Reference:
        Kilcher, Bécigneul, Hofmann (2017), figures 3 (layer 4) and 4 (layer 2).
    """
    return [_walk_layer(place, data_dir, say) for place in _in_order(runs)]


def summary(layers: Sequence[LayerWalks]) -> dict[str, Any]:
    """What `layers.json` holds: how the walks were made, and one row a run."""
    return {
        "grid": grids.GRID,
        "span": grids.SPAN,
        "layers": [layer.row for layer in layers],
    }


def format_layers(layers: Sequence[LayerWalks]) -> str:
    """The comparison as a table for the screen: one measure a line, one run a column.

    `pixel_distance@s` and `nonlinearity@s` are of the part of a walk that reaches s standard
    deviations: compare the bend of two runs where their distances agree.
    """
    lines = [["", *(f"{layer.layer} seed {layer.seed}" for layer in layers)]]
    lines += [[name, *(_cell(layer.row.get(name)) for layer in layers)] for name in CARD]
    for kind, title in KINDS.items():
        columns = [_flat(layer.row[kind]) for layer in layers]
        lines.append([f"{kind} ({title})", *[""] * len(layers)])
        lines += [
            [f"  {name}", *(_cell(column[name]) for column in columns)] for name in columns[0]
        ]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
        for line in lines
    )


def draw_layers(layers: Sequence[LayerWalks], kind: str = "inversion", image: int = 0) -> Figure:
    """One image's walks, one row a run: along the first latent direction, then the second.

    Args:
        layers: from `compare_layers`.
        kind: one of `KINDS`.
        image: number of the image among those of the walks.

    Raises:
        InputError: a run has fewer images.
    """
    fewest = min(len(layer.walks[kind].start) for layer in layers)
    if not 0 <= image < fewest:
        raise InputError(f"expected an image from 0 to {fewest - 1}, received {image}")
    walks = [layer.walks[kind] for layer in layers]
    half = grids.GRID // 2
    measures = [layer.row[kind] for layer in layers]
    return plots.layers_figure(
        originals=np.stack([walk.start[image] for walk in walks]),
        first=np.stack([walk.images[image, :, half] for walk in walks]),
        second=np.stack([walk.images[image, half] for walk in walks]),
        offsets=np.linspace(-grids.SPAN, grids.SPAN, grids.GRID).tolist(),
        labels=[f"{layer.layer}\nseed {layer.seed}" for layer in layers],
        notes=[
            f"non-linear {_percent(one['nonlinearity'])}\n"
            f"the same in all {_percent(one['common'])}\n"
            f"in {_percent(one['locality'])} of pixels\n"
            f"distance {_cell(one['pixel_distance'], 2)}"
            for one in measures
        ],
        title=f"What each layer cannot tell apart: {KINDS[kind]}\n"
        f"at the side, over all grids of {fewest} images: share of the change that no straight "
        "walk makes, share that all cells have in common, effective share of pixels that change, "
        "‖change‖ / ‖image‖",
    )


def write_comparison(
    layers: Sequence[LayerWalks], folder: Path, say: Callable[[str], None] = print
) -> list[Path]:
    """Write `layers.json`, and `layers_inversion.png` and `layers_transformation.png`.

    They are written aside and renamed together, so that a reader sees all of them or none.

    Args:
        layers: from `compare_layers`.
        folder: where; made if needed.
        say: takes one line for each file.

    Returns:
        The files written.

    Raises:
        InputError: the folder cannot be written.
    """
    figures = {folder / f"layers_{kind}.png": draw_layers(layers, kind) for kind in KINDS}
    numbers = folder / "layers.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with all_in_one_step([*figures, numbers]) as [*asides, last]:
            for figure, aside in zip(figures.values(), asides, strict=True):
                figure.savefig(aside, dpi=130)
            last.write_text(as_json(summary(layers)))
    except OSError as error:
        raise InputError(f"cannot write to {str(folder)!r} ({error.strerror})") from None
    paths = [numbers, *figures]
    for path in paths:
        say(str(path))
    return paths


@dataclasses.dataclass(frozen=True)
class _Place:
    """Where a run belongs in the comparison."""

    run: RunDirectory
    layer: str
    depth: int
    seed: int


def _in_order(runs: Sequence[RunDirectory]) -> list[_Place]:
    """The runs by depth and seed, after everything that can be refused without work."""
    if not runs:
        raise InputError("expected at least one run to compare, received none")
    places, datasets = {}, {}
    for run in runs:
        config = run.read_config()
        settings = Settings.from_dict(config["settings"])
        datasets.setdefault(config["made_of"]["dataset"], run)
        if len(datasets) > 1:
            one, other = (str(held.path) for held in datasets.values())
            raise InputError(f"expected runs on one dataset, {one!r} and {other!r} have different")
        if settings.latent_dim < 2:
            raise InputError(f"expected two latent dimensions or more, {str(run.path)!r} has one")
        target = FrozenTarget(load_classifier(run.classifier), settings.layer)
        names = list(convolution_layers(target.classifier))
        place = _Place(run, target.layer_name, names.index(target.layer_name) + 1, settings.seed)
        held = places.setdefault((place.depth, place.layer, place.seed), place)
        if held is not place:
            raise InputError(
                f"expected each layer and seed once, {str(held.run.path)!r} and {str(run.path)!r} "
                f"are both of {place.layer}, seed {place.seed}"
            )
    return [places[key] for key in sorted(places)]


def _walk_layer(place: _Place, data_dir: str | None, say: Callable[[str], None]) -> LayerWalks:
    """The walks of one run; nothing of the run is kept beside them."""
    say(f"{place.layer}, seed {place.seed}: {place.run.path}")
    trained = TrainedRun.load(place.run, data_dir)
    found = trained.subject().walk
    walks = {
        "inversion": found,
        "transformation": trained.transformed_walk(found.start, found.latents),
    }
    card = place.run.read_evaluation()
    row = {
        "layer": place.layer,
        "depth": place.depth,
        "seed": place.seed,
        "run": str(place.run.path),
        "images": len(found.start),
        **{name: card[name] for name in CARD if name in card},
        **{kind: anatomy(walk) for kind, walk in walks.items()},
    }
    return LayerWalks(place.layer, place.depth, place.seed, row, walks)


def _flat(measures: dict[str, Any]) -> dict[str, float | None]:
    """A row's measures of one kind of walk, one name a line of the table."""
    plain = {name: value for name, value in measures.items() if name not in ("shares", "by_reach")}
    near = {
        f"{name}@{part['offset']:g}": part[name]
        for name in ("pixel_distance", "nonlinearity")
        for part in measures["by_reach"]
    }
    shares = {f"share of {name}": share for name, share in measures["shares"].items()}
    return {**plain, **near, **shares}


def _cell(value: float | dict[str, float] | None, digits: int = 3) -> str:
    """A number, the mean of several, or a dash where there is none."""
    value = value["mean"] if isinstance(value, dict) else value
    return "–" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"
