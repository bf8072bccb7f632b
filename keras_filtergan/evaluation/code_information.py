"""How much of the latent the activations carry."""

import numpy as np

from keras_filtergan.evaluation.code_r2 import code_errors
from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject


@metric(needs=("discriminator",))
def code_information(subject: Subject) -> Measurement:
    """A lower bound of the mutual information between latent and noisy activation, in nats.

    −½ Σ_i ln(E(Q_i − z_i)² / Var z_i) over latent dimensions i, not below 0 for any of them: what
    a Gaussian guess around Q's answer knows of a Gaussian latent, at the noise of training.

    Reference:
        Chen et al. (2016), InfoGAN, equation 4; for a Gaussian guess it is this.
    """
    latents, errors = code_errors(subject)
    shares = np.mean(np.square(errors), axis=0) / np.var(latents, axis=0)  # (d,)
    value = -0.5 * np.sum(np.log(np.minimum(shares, 1.0)))
    return Measurement(float(value), {"latents": len(latents), "images": len(latents)})
