"""`python -m keras_filtergan`: what can be done with finished runs beside pictures."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from keras_filtergan.cli.adversarial import add_adversarial
from keras_filtergan.cli.augment import add_augment
from keras_filtergan.cli.command import DONE, Parser, data_dir, guarded, import_tensorflow
from keras_filtergan.cli.latents import add_latents
from keras_filtergan.cli.maximize import add_maximize
from keras_filtergan.cli.spectra import add_spectra
from keras_filtergan.cli.stability import add_stability
from keras_filtergan.cli.uncertainty import add_uncertainty
from keras_filtergan.files import check_writable
from keras_filtergan.runs.run_directory import latest_run, open_run

COMMANDS = (
    add_augment,
    add_stability,
    add_spectra,
    add_maximize,
    add_adversarial,
    add_latents,
    add_uncertainty,
)


def module_main(arguments: Sequence[str] | None = None) -> int:
    """`python -m keras_filtergan`: what can be done with a finished run beside pictures."""
    parser = Parser(prog="keras_filtergan", description="Work with finished runs.")
    commands = parser.add_subparsers(dest="command", required=True)
    evaluate = commands.add_parser(
        "evaluate", help="compute the whole card, for the run and for four baselines"
    )
    evaluate.add_argument("--run", type=Path, help="run directory; default the latest under runs/")
    evaluate.add_argument("--only", nargs="+", metavar="NAME", help="these metrics only")
    evaluate.add_argument(
        "--alone", action="store_true", help="the run without the baselines, five times as fast"
    )
    evaluate.add_argument("--data-dir", help="where TFDS keeps its prepared sets")
    evaluate.add_argument("--debug", action="store_true", help="show the traceback of an error")
    evaluate.set_defaults(work=_evaluate)
    layers = commands.add_parser(
        "layers", help="compare what several layers cannot tell apart: a table and a figure"
    )
    layers.add_argument(
        "--runs",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR",
        help="runs on one data set, each of another layer or seed",
    )
    layers.add_argument(
        "--out", type=Path, default=Path("runs/layers"), help="folder; default %(default)s"
    )
    layers.add_argument("--data-dir", help="where TFDS keeps its prepared sets")
    layers.add_argument("--debug", action="store_true", help="show the traceback of an error")
    layers.set_defaults(work=_layers)
    for add in COMMANDS:
        add(commands)
    options = parser.parse_args(arguments)
    return guarded(lambda: options.work(options), options.debug)


def _evaluate(options: argparse.Namespace) -> int:
    run = open_run(options.run) if options.run else latest_run(Path("runs"))
    import_tensorflow()
    from keras_filtergan import evaluation
    from keras_filtergan.evaluation.registry import check_names
    from keras_filtergan.runs.classifier_cache import independent_classifier
    from keras_filtergan.runs.trained import TrainedRun

    check_names(options.only or [])
    trained = TrainedRun.load(run, data_dir(options))
    subject = trained.subject(independent_classifier(trained, run.path.parent))
    fill_in = evaluation.evaluate if options.alone else evaluation.full_card
    card = fill_in(subject, options.only, say=print)
    run.write_evaluation(evaluation.merge_cards(run.read_evaluation(), card))
    print(evaluation.format_card(card))
    return DONE


def _layers(options: argparse.Namespace) -> int:
    runs = [open_run(path) for path in options.runs]
    check_writable(options.out)
    import_tensorflow()
    from keras_filtergan.runs import comparison

    layers = comparison.compare_layers(runs, data_dir(options), say=print)
    comparison.write_comparison(layers, options.out, say=print)
    print(comparison.format_layers(layers))
    return DONE
