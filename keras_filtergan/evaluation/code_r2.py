"""Can the latent be read off the activations?"""

import numpy as np
import tensorflow as tf

from keras_filtergan.evaluation.registry import Measurement, metric
from keras_filtergan.evaluation.subject import Subject


@metric
def code_r2(subject: Subject) -> Measurement:
    """R² with which Q recovers z from test activations, at the noise it was trained with.

    1 − Σ‖Q(a(x|z)) − z‖² / Σ‖z − mean(z)‖², one latent an image.
    """
    latents = subject.latents(len(subject.labels))
    generator = np.random.default_rng([subject.seed, 0x0153])
    errors = 0.0
    for features, rows in subject.batches():
        maps = subject.activate(features, tf.convert_to_tensor(subject.kernels(latents[rows])))
        standard = subject.discriminator.standardize(maps)
        noise = generator.standard_normal(standard.shape).astype("float32")
        _, code = subject.discriminator(standard + subject.code_noise * noise)
        errors += np.square(code.numpy() - latents[rows]).sum()
    value = 1.0 - errors / np.square(latents - latents.mean(axis=0)).sum()
    return Measurement(float(value), {"latents": len(latents), "images": len(latents)})
