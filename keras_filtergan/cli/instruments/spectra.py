"""`python -m keras_filtergan spectra`: why is the network stable to smooth deformations?"""

import argparse
from typing import TYPE_CHECKING, Any

from keras_filtergan.cli.instruments.options import add_instrument, images_option

if TYPE_CHECKING:
    from keras_filtergan.instruments.findings import Findings
    from keras_filtergan.instruments.specimen import Specimen
    from keras_filtergan.instruments.steps import Tell


def add_spectra(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the module."""
    parser = add_instrument(
        commands,
        "spectra",
        _use,
        help="how smooth kernels and activations are, and how units respond to deformations",
        description="Kernels on the eigenvectors of the Laplacian of their grid, relative to "
        "initialisation; power spectra of activations; stability with the channels permuted; and "
        "what units make of linear deformations of their receptive fields.",
    )
    images_option(parser, default=200)
    parser.add_argument(
        "--draws",
        type=int,
        default=3,
        help="initialisations, kernel sets, permutations; default %(default)s",
    )


def _use(specimen: "Specimen", options: argparse.Namespace, tell: "Tell") -> "Findings":
    from keras_filtergan.instruments.spectra.study import SpectraStudy

    study = SpectraStudy(images=options.images, draws=options.draws, seed=options.seed)
    return study.findings(specimen, tell)
