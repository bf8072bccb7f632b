"""`keras-filtergan`, or `python -m keras_filtergan`: every command behind one door."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from keras_filtergan.cli.augment import add_augment
from keras_filtergan.cli.command import (
    DONE,
    Parser,
    chosen_run,
    data_dir,
    import_tensorflow,
    network_options,
    run_option,
    run_script,
    say_first_look,
)
from keras_filtergan.cli.instruments.adversarial import add_adversarial
from keras_filtergan.cli.instruments.latents import add_latents
from keras_filtergan.cli.instruments.maximize import add_maximize
from keras_filtergan.cli.instruments.reach import add_reach
from keras_filtergan.cli.instruments.spectra import add_spectra
from keras_filtergan.cli.instruments.stability import add_stability
from keras_filtergan.cli.instruments.uncertainty import add_uncertainty
from keras_filtergan.cli.layers import add_layers
from keras_filtergan.cli.listing import add_compare, add_list
from keras_filtergan.cli.train import add_train
from keras_filtergan.cli.verify import add_verify
from keras_filtergan.cli.visualize import add_visualize
from keras_filtergan.doors import PROGRAM


def module_main(arguments: Sequence[str] | None = None) -> int:
    """`keras-filtergan`, or `python -m keras_filtergan`: every command behind one door."""
    prog = PROGRAM if Path(sys.argv[0]).stem == PROGRAM else "keras_filtergan"
    parser = Parser(
        prog=prog, description="Which invariances has a trained CNN learned? Train, look, measure."
    )
    return run_script(parser, _add_commands, arguments)


def _add_commands(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(dest="command", required=True)
    for add in (
        add_train,
        add_visualize,
        _add_evaluate,
        add_compare,
        add_list,
        add_layers,
        add_augment,
        add_reach,
        add_stability,
        add_spectra,
        add_maximize,
        add_adversarial,
        add_latents,
        add_uncertainty,
        add_verify,
    ):
        add(commands)


def _add_evaluate(commands: "argparse._SubParsersAction") -> None:
    evaluate = commands.add_parser(
        "evaluate", help="compute the whole card, for the run and for five baselines"
    )
    run_option(evaluate)
    evaluate.add_argument("--only", nargs="+", metavar="NAME", help="these metrics only")
    evaluate.add_argument(
        "--alone", action="store_true", help="the run without the baselines, five times as fast"
    )
    evaluate.add_argument("--data-dir", help="where TFDS keeps its prepared sets")
    network_options(evaluate)
    evaluate.set_defaults(work=_evaluate)


def _evaluate(options: argparse.Namespace) -> int:
    run = chosen_run(options)
    import_tensorflow()
    from keras_filtergan import evaluation
    from keras_filtergan.evaluation.registry import check_names
    from keras_filtergan.evaluation.senseless import with_notes
    from keras_filtergan.runs.classifier_cache import independent_classifier
    from keras_filtergan.runs.trained import TrainedRun

    check_names(options.only or [])
    trained = TrainedRun.load(run, data_dir(options))
    say_first_look(trained)
    subject = trained.subject(independent_classifier(trained, run.path.parent))
    fill_in = evaluation.evaluate if options.alone else evaluation.full_card
    card = fill_in(subject, options.only, say=print)
    with run.locked(print):  # whoever else has evaluated it meanwhile
        merged = evaluation.merge_cards(run.read_evaluation(), card)
        run.write_evaluation(with_notes(merged, trained.dataset))
    print(evaluation.format_card(with_notes(card, trained.dataset)))
    return DONE
