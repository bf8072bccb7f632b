"""`layers`: the convolutions of a network, or what runs on several layers have found."""

import argparse
import os
from pathlib import Path
from typing import Any

from keras_filtergan.cli.command import (
    DONE,
    data_dir,
    import_tensorflow,
    network_options,
    user_path,
)
from keras_filtergan.files import check_writable
from keras_filtergan.runs.run_directory import open_run
from keras_filtergan.runs.settings import Settings


def add_layers(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the module."""
    parser = commands.add_parser(
        "layers",
        help="the convolutions of a classifier, with what a step on each costs; or what several "
        "layers cannot tell apart: a table and a figure",
        description="With --classifier: number, name and shapes of its convolutions, what a "
        "training step on each costs, and which are too large. With --runs: the table and the "
        "figure of runs on several layers.",
    )
    of_what = parser.add_mutually_exclusive_group(required=True)
    of_what.add_argument(
        "--runs",
        type=user_path,
        nargs="+",
        metavar="DIR",
        help="runs on one data set, each of another layer or seed",
    )
    of_what.add_argument(
        "--classifier", type=user_path, metavar="FILE", help="a network whose layers to list"
    )
    add = parser.add_argument
    add("--batch-size", type=int, help=f"of the steps; default {Settings.batch_size}")
    add(
        "--out",
        type=user_path,
        default=Path("runs/layers"),
        help="folder of table and figure of runs; default %(default)s",
    )
    add("--data-dir", help="where TFDS keeps its prepared sets")
    network_options(parser)
    parser.set_defaults(work=_layers)


def _layers(options: argparse.Namespace) -> int:
    if options.classifier:
        return _list(options.classifier, options.batch_size or Settings.batch_size)
    runs = [open_run(path) for path in options.runs]
    check_writable(options.out)
    import_tensorflow()
    from keras_filtergan.runs import comparison

    layers = comparison.compare_layers(runs, data_dir(options), say=print)
    comparison.write_comparison(layers, options.out, say=print)
    print(comparison.format_layers(layers))
    return DONE


def _list(path: Path, batch_size: int) -> int:
    import_tensorflow()
    from keras_filtergan.classifiers.checks import check_classifier
    from keras_filtergan.classifiers.classifier import load_classifier
    from keras_filtergan.classifiers.cost import FOLLOWED, LONG_STEP, LayerCost, layer_costs
    from keras_filtergan.classifiers.target import FrozenTarget
    from keras_filtergan.evaluation import format_table

    classifier = load_classifier(path)
    check_classifier(classifier)
    costs = layer_costs(classifier, batch_size)
    if not costs:
        FrozenTarget(classifier, 1)  # says why there is none

    def notes(cost: LayerCost) -> str:
        found = []
        if not cost.can_be_followed:
            found.append("too large for images to follow")
        if cost.seconds > LONG_STEP:
            found.append("slow")
        return ", ".join(found)

    rows = [["layer", "name", "kernels", "activations", "per pixel", "s a step", "GB", ""]]
    for cost in costs:
        shapes = ["×".join(map(str, s)) for s in (cost.kernel_shape, cost.activation_shape)]
        size = f"{cost.values_per_pixel:.2g}"
        numbers = [size, f"{cost.seconds:.2g}", f"{cost.memory / 1e9:.1f}"]
        rows.append([str(cost.number), cost.name, *shapes, *numbers, notes(cost)])
    print(format_table(rows))
    print(
        f"per pixel: activations over the values of an image; above {FOLLOWED:g} an image cannot "
        "be made to cause all of them, and pictures show less\n"
        f"s a step, GB: estimated from shapes for {batch_size} images and {os.cpu_count()} cores, "
        "to within a factor of a few"
    )
    return DONE
