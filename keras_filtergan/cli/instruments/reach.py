"""`reach`: which changes of images can the kernels of a layer make?"""

import argparse
from typing import TYPE_CHECKING, Any

from keras_filtergan.cli.instruments.options import add_instrument, images_option

if TYPE_CHECKING:
    from keras_filtergan.instruments.findings import Findings
    from keras_filtergan.instruments.specimen import Specimen
    from keras_filtergan.instruments.steps import Tell


def add_reach(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the module."""
    parser = add_instrument(
        commands,
        "reach",
        _use,
        help="how much of shift, slant, rotation and others the kernels of each layer can make",
        description="The kernels that come nearest to a known change of images, in closed form: "
        "the share of the change that they make on test images, and the accuracy that they leave.",
    )
    images_option(parser, default=1000)
    parser.add_argument("--only-layer", metavar="NAME", help="one layer; default all convolutions")


def _use(specimen: "Specimen", options: argparse.Namespace, tell: "Tell") -> "Findings":
    from keras_filtergan.instruments.reach.study import ReachStudy

    return ReachStudy(options.images, options.only_layer).findings(specimen, tell)
