"""`python -m keras_filtergan latents`: ways through latent space, and what it is made of."""

import argparse
from typing import TYPE_CHECKING, Any

from keras_filtergan.cli.instruments.options import add_instrument, images_option

if TYPE_CHECKING:
    from keras_filtergan.instruments.findings import Findings
    from keras_filtergan.instruments.specimen import Specimen
    from keras_filtergan.instruments.steps import Tell


def add_latents(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of the module."""
    parser = add_instrument(
        commands,
        "latents",
        _use,
        help="films through latent space, what its dimensions do, D's features as a representation",
        description="Films along straight lines and arcs through several latents; what each latent "
        "dimension does to images; arithmetic on averaged latents; and what a linear reader makes "
        "of the discriminator's features.",
    )
    images_option(parser, default=50)
    add = parser.add_argument
    add("--points", type=int, default=5, help="latents on the way of a film; default %(default)s")
    add("--frames", type=int, default=10, help="from each to the next; default %(default)s")
    add("--labels", type=int, default=10_000, help="to read features with; default %(default)s")


def _use(specimen: "Specimen", options: argparse.Namespace, tell: "Tell") -> "Findings":
    from keras_filtergan.instruments.latents.study import LatentsStudy

    names = ("images", "points", "frames", "labels", "seed")
    study = LatentsStudy(**{name: getattr(options, name) for name in names})
    return study.findings(specimen, tell)
