"""`python -m keras_filtergan adversarial`: how little it takes to change the label."""

import argparse
from typing import TYPE_CHECKING, Any

from keras_filtergan.cli.instruments.options import add_instrument, images_option

if TYPE_CHECKING:
    from keras_filtergan.instruments.findings import Findings
    from keras_filtergan.instruments.specimen import Specimen
    from keras_filtergan.instruments.steps import Tell


def add_adversarial(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command `adversarial`."""
    parser = add_instrument(
        commands,
        "adversarial",
        _adversarial,
        help="how little it takes to change the label, and whether averaging over kernels helps",
        description="Projected gradient attacks on the network with its real kernels and, of a "
        "run, with generated ones: single sets, the mean of their activations and the mean of "
        "their probabilities. Attacks go through the averaging.",
    )
    images_option(parser, 60)
    add = parser.add_argument
    add("--norm", choices=["l2", "linf"], help="how changes are measured; default both")
    add(
        "--epsilons",
        type=float,
        nargs="+",
        metavar="E",
        help="sizes of the changes at which the accuracy is taken, with --norm; default up to "
        "twice the median of the smallest ones",
    )
    add("--sets", type=int, default=10, help="kernel sets of an average; default %(default)s")
    add("--steps", type=int, default=40, help="of an attack; default %(default)s")


def _adversarial(specimen: "Specimen", options: argparse.Namespace, tell: "Tell") -> "Findings":
    from keras_filtergan.errors import InputError
    from keras_filtergan.instruments.adversarial.projected_gradient import NORMS
    from keras_filtergan.instruments.adversarial.study import Attack, adversarial_study

    if options.epsilons and not options.norm:
        raise InputError("expected --norm beside --epsilons: a size means another thing in each")
    attack = Attack(
        radii=options.epsilons,
        images=options.images,
        sets=options.sets,
        singles=min(3, options.sets),
        steps=options.steps,
        seed=options.seed,
    )
    norms = [NORMS[options.norm]] if options.norm else list(NORMS.values())
    return adversarial_study(specimen, norms, attack, tell)
