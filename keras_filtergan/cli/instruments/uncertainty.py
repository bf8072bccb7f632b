"""`python -m keras_filtergan uncertainty`: does an ensemble know what it does not know?"""

import argparse
from typing import TYPE_CHECKING, Any

from keras_filtergan.cli.command import data_dir
from keras_filtergan.cli.instruments.options import add_instrument, images_option

if TYPE_CHECKING:
    from keras_filtergan.instruments.findings import Findings
    from keras_filtergan.instruments.specimen import Specimen
    from keras_filtergan.instruments.steps import Tell


def add_uncertainty(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the module."""
    parser = add_instrument(
        commands,
        "uncertainty",
        _use,
        help="whether an ensemble of generated networks tells strange images from known ones",
        description="Predictive entropy and disagreement of networks with generated kernels, on "
        "the test images and on strange ones, beside the entropy of one softmax.",
    )
    images_option(parser, default=1000)
    add = parser.add_argument
    add("--networks", type=int, default=100, help="in the ensemble; default %(default)s")
    add(
        "--strange",
        nargs="+",
        default=[],
        metavar="DATASET",
        help="data sets of strange images, beside noise and shuffled pixels",
    )


def _use(specimen: "Specimen", options: argparse.Namespace, tell: "Tell") -> "Findings":
    from keras_filtergan.data import load_dataset
    from keras_filtergan.instruments.uncertainty.study import UncertaintyStudy

    study = UncertaintyStudy(options.images, options.networks, options.seed)
    others = [load_dataset(name, data_dir(options)) for name in options.strange]
    return study.findings(specimen, others, tell)
