import pytest

from keras_filtergan.instruments.specimen import Specimen


@pytest.fixture
def specimen(target, dataset, trained) -> Specimen:
    """The small network with a run whose generator varies."""
    generator, real = trained.generator, target.kernel.numpy()
    by_channel = real.reshape(-1, real.shape[-1]).T
    generator.mean.assign(by_channel / (generator.scale * generator.mean_learning_rate))
    generator.deviation.kernel.assign(4 * generator.deviation.kernel)
    return Specimen(target, dataset, "patterns", trained)


@pytest.fixture
def bare(target, dataset) -> Specimen:
    """The small network alone."""
    return Specimen(target, dataset, "patterns")
