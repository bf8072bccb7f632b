"""`python -m keras_filtergan maximize`: the images that have most of an objective."""

import argparse
from typing import TYPE_CHECKING, Any

from keras_filtergan.cli.instruments.options import add_instrument
from keras_filtergan.images.choices import PARAMETRIZATIONS, get_parametrization

if TYPE_CHECKING:
    from keras_filtergan.instruments.findings import Findings
    from keras_filtergan.instruments.specimen import Specimen
    from keras_filtergan.instruments.steps import Tell

DESCRIPTION = """
Which picture does a unit, a channel, a layer or a class want to see? An objective is a weighted sum
of unit("LAYER", CHANNEL, ROW, COLUMN), channel("LAYER", N), layer("LAYER"), class_logit(K) and
class_probability(K), for example '0.2 * channel("conv4", 3) - class_logit(7)'.
"""


def add_maximize(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command `maximize`."""
    parser = add_instrument(
        commands,
        "maximize",
        _maximize,
        help="the images that maximise a class, channel or unit, as figure and films",
        description=DESCRIPTION,
    )
    add = parser.add_argument
    add(
        "--objective",
        action="append",
        default=[],
        metavar="EXPR",
        help="what to maximise, may be given several times; default the logit of each class",
    )
    add(
        "--kernels",
        type=int,
        default=3,
        metavar="K",
        help="generated kernel sets beside the real one, of a run; default %(default)s",
    )
    add(
        "--prior",
        default="multiscale_edge",
        choices=["multiscale_edge", "total_variation", "none"],
        help="what images should look like; default %(default)s",
    )
    add(
        "--parametrization",
        default="fourier",
        choices=PARAMETRIZATIONS,
        help="coordinates in which the images are optimised; default %(default)s",
    )
    add("--start", default="mean", metavar="mean|grey|I", help="or a test image; default the mean")
    add("--steps", type=int, default=256, help="default %(default)s")
    add("--jitter", type=int, default=1, help="largest random shift in pixels; default 1")
    add("--scale", type=float, default=1.1, help="largest random factor; default %(default)s")
    add("--rotation", type=float, default=10, help="largest random angle in degrees; default 10")


def _maximize(specimen: "Specimen", options: argparse.Namespace, tell: "Tell") -> "Findings":
    from keras_filtergan.errors import InputError
    from keras_filtergan.instruments.maximize.ascent import PRIORS, Ascent
    from keras_filtergan.instruments.maximize.expression import parse_objective
    from keras_filtergan.instruments.maximize.study import maximization_study
    from keras_filtergan.instruments.maximize.transforms import RandomViews

    if options.kernels < 0:
        raise InputError(f"expected --kernels of at least 0, received {options.kernels}")
    views = RandomViews(options.jitter, options.scale, options.rotation, options.seed)
    how = Ascent(
        PRIORS[options.prior], get_parametrization(options.parametrization), views, options.steps
    )
    start = int(options.start) if options.start.isdecimal() else options.start
    objectives = [parse_objective(text) for text in options.objective]
    return maximization_study(specimen, objectives, options.kernels, start, how, options.seed, tell)
