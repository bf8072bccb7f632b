"""Compiled by XLA, which uses neither TensorFlow's own kernels for a CPU nor oneDNN's."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from convolutions import ALL, DILATED, STRIDED, draw_for, expected_of, with_gradients

from keras_filtergan.gan.filtergan import FilterGAN


@pytest.mark.parametrize(
    ("form", "kind", "shared", "geometry"),
    [(*case, (STRIDED, DILATED)[i % 2]) for i, case in enumerate(ALL)],
)
def test_every_form_of_convolution_equals_the_loops_with_both_gradients(
    form, kind, shared, geometry
):
    data = draw_for(kind, shared, geometry)
    compiled = tf.function(with_gradients(form, geometry), jit_compile=True)
    for one, other in zip(
        compiled(*map(tf.constant, data)), expected_of(*data, geometry), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=2e-5)


def test_compiled_by_xla_a_step_gives_the_same_numbers(target, dataset, batch):
    """Under plain gradient descent: RMSprop divides by what it rounds."""
    logs, moves = [], []
    for jit_compile in (False, True):
        gan = FilterGAN(target, latent_dim=3, seed=4)
        gan.compile(*(keras.optimizers.SGD(0.1) for _ in range(4)))
        gan.adapt(dataset.x_train)
        kernel = gan.transformation.strengths.layers[-1].kernel
        kernel.assign(np.random.default_rng(5).normal(0, 0.05, kernel.shape))
        before = [np.array(weight) for weight in gan.weights]
        terms = tf.function(gan.train_step, jit_compile=jit_compile)(batch)
        logs.append({name: float(value) for name, value in terms.items()})
        moves.append(
            [
                b - a
                for a, b in zip(before, [np.array(weight) for weight in gan.weights], strict=True)
            ]
        )
    for name, value in logs[0].items():
        np.testing.assert_allclose(logs[1][name], value, rtol=1e-4, err_msg=name)
    assert sum(np.abs(move).max() > 1e-4 for move in moves[0]) > 20
    for plain, compiled in zip(*moves, strict=True):
        np.testing.assert_allclose(
            compiled, plain, rtol=1e-3, atol=1e-6 + 1e-4 * np.abs(plain).max()
        )
