"""The step in torch is the step of ours: else a comparison of their times says nothing."""

import keras
import numpy as np
import pytest

pytest.importorskip("torch", reason="extra `bench`")
torch_filtergan = pytest.importorskip("torch_filtergan")

from keras_filtergan.gan.filtergan import FilterGAN  # noqa: E402


@pytest.fixture
def warm(target, dataset, batch):
    """Players that have left their first weights; SGD shows the gradient of the next step."""
    gan = FilterGAN(target, latent_dim=3)
    gan.compile()
    gan.adapt(dataset.x_train)
    for _ in range(3):
        gan.train_step(batch)
    for weight in gan.discriminator.code.weights + gan.transformation.strengths.weights[-1:]:
        weight.assign(np.random.default_rng(5).normal(0, 0.1, weight.shape))
    return gan


@pytest.mark.parametrize("merged", [False, True])
def test_losses_of_a_step_agree(warm, batch, merged):
    step = torch_filtergan.TorchFilterGAN(warm, merged)
    terms = step(torch_filtergan.as_torch(batch))
    for mean in warm.metrics:
        mean.reset_state()
    logs = warm.train_step(batch)
    for name, value in terms.items():
        assert float(value) == pytest.approx(float(logs[name]), rel=1e-4, abs=1e-5), name
    for ours, control in (
        (step.d_noise, warm.discriminator_noise),
        (step.code_weight, warm.code_weight),
        (step.code_noise, warm.code_noise),
    ):
        assert float(ours) == pytest.approx(float(control.value), rel=1e-5)


@pytest.mark.parametrize("merged", [False, True])
def test_gradients_of_a_step_agree(warm, batch, merged):
    """Q's step comes after D's on the layers they share: what those lose is the sum."""
    step = torch_filtergan.TorchFilterGAN(warm, merged)
    _, (g, d, q, t) = step.gradients(torch_filtergan.as_torch(batch))
    warm.compile(*(keras.optimizers.SGD(1.0) for _ in range(4)))
    trunk, generator = warm.discriminator.trunk, warm.raw_generator
    shared, before = trunk.layers[0].bias, trunk.layers[0].bias.numpy()
    strengths = warm.transformation.strengths.layers[0].kernel
    weights = (shared, warm.discriminator.code.kernel, generator.hidden.kernel, strengths)
    before = [weight.numpy() for weight in weights]
    warm.train_step(batch)
    lost = [was - weight.numpy() for was, weight in zip(before, weights, strict=True)]
    hidden = [name for name, _ in step.generator.named_parameters()].index("hidden.weight")
    expected = [d[1] + q[1], q[-2].T, g[hidden].T, t[0].T]
    for found, wanted in zip(lost, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=2e-3, atol=2e-5)


def test_streams_have_the_same_batches_in_shape(warm, dataset, batch):
    step = torch_filtergan.TorchFilterGAN(warm)
    own = next(step.stream(dataset.x_train, dataset.y_train, 16))
    for key, value in torch_filtergan.as_torch(batch).items():
        assert own[key].shape == value.shape, key
        assert own[key].dtype == value.dtype, key
