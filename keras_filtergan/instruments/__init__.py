"""Instruments around the question which changes of an image a network ignores."""

from typing import TYPE_CHECKING

from keras_filtergan.lazy import offer

if TYPE_CHECKING:
    from keras_filtergan.instruments.adversarial.study import Attack, adversarial_study
    from keras_filtergan.instruments.findings import Findings
    from keras_filtergan.instruments.latents.study import LatentsStudy
    from keras_filtergan.instruments.maximize.study import maximization_study
    from keras_filtergan.instruments.reach.study import ReachStudy
    from keras_filtergan.instruments.specimen import Specimen
    from keras_filtergan.instruments.spectra.study import SpectraStudy
    from keras_filtergan.instruments.stability.study import StabilityStudy
    from keras_filtergan.instruments.uncertainty.study import UncertaintyStudy

__getattr__, __dir__, __all__ = offer(
    globals(),
    {
        "Findings": "findings",
        "LatentsStudy": "latents.study",
        "ReachStudy": "reach.study",
        "Specimen": "specimen",
        "SpectraStudy": "spectra.study",
        "StabilityStudy": "stability.study",
        "UncertaintyStudy": "uncertainty.study",
        "Attack": "adversarial.study",
        "adversarial_study": "adversarial.study",
        "maximization_study": "maximize.study",
    },
)
