"""`python -m keras_filtergan stability`: responses to deformations, beside those to noise."""

import argparse
from typing import TYPE_CHECKING, Any

from keras_filtergan.cli.instruments.options import add_instrument, images_option

if TYPE_CHECKING:
    from keras_filtergan.instruments.findings import Findings
    from keras_filtergan.instruments.specimen import Specimen
    from keras_filtergan.instruments.steps import Tell


def add_stability(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the module."""
    parser = add_instrument(
        commands,
        "stability",
        _use,
        help="relative stability to smooth deformations, layer by layer",
        description="How much every layer is changed by smooth deformations, relative to noise of "
        "the same norm: at initialisation, trained, and under generated kernels. Of a run also: "
        "the share of its walks that a smooth displacement makes.",
    )
    images_option(parser, default=500)
    add = parser.add_argument
    add("--cut", type=int, default=3, help="highest frequency, half-waves a side; default 3")
    add("--levels", type=int, default=5, help="temperatures; default %(default)s")
    add("--draws", type=int, default=5, help="initialisations, kernel sets; default %(default)s")


def _use(specimen: "Specimen", options: argparse.Namespace, tell: "Tell") -> "Findings":
    from keras_filtergan.instruments.stability.study import StabilityStudy

    names = ("images", "cut", "levels", "draws", "seed")
    study = StabilityStudy(**{name: getattr(options, name) for name in names})
    return study.findings(specimen, tell)
