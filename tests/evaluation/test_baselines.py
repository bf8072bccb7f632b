import numpy as np
import pytest
import scipy.special
import scipy.stats

from keras_filtergan.evaluation import NoisyKernels, PCAGaussian, RandomKernels, evaluate
from keras_filtergan.evaluation.baselines import SmoothNoise, baselines

SHAPE = (3, 3, 4, 6)


@pytest.fixture(scope="module")
def real() -> np.ndarray:
    """Kernels whose channels differ in norm, around a mean that is not 0."""
    generator = np.random.default_rng(0)
    kernels = 0.3 + generator.normal(size=SHAPE) * np.linspace(0.2, 2.0, 6)
    return kernels.astype("float32")


def latents(count: int, latent_dim: int = 5) -> np.ndarray:
    return np.random.default_rng(1).standard_normal((count, latent_dim)).astype("float32")


def all_kinds(real: np.ndarray) -> list:
    return [
        RandomKernels(real, 5, seed=3),
        NoisyKernels(real, 5, scale=0.7, seed=3),
        PCAGaussian(real, 5, seed=3),
        PCAGaussian(real, 5, share=0.4, seed=3),
    ]


def test_smooth_noise_is_white_and_normal_at_every_latent():
    noise = SmoothNoise((100, 100), latent_dim=5, seed=0)
    for point in (np.zeros((1, 5)), latents(1), 3 * np.eye(5)[:1]):
        draw = noise(point)[0]
        assert scipy.stats.kstest(draw.ravel(), "norm").pvalue > 1e-3
        neighbours = np.corrcoef(draw[:, 1:].ravel(), draw[:, :-1].ravel())[0, 1]
        assert abs(neighbours) < 0.04


def test_smooth_noise_of_two_latents_is_as_alike_as_they_are_near():
    """In four dimensions the mean of cos(ω·δ) over the directions of ω is 2 J₁(r) / r, r = 2‖δ‖."""
    noise = SmoothNoise((300, 300), latent_dim=4, seed=0)
    start = latents(1, 4)[0]
    for distance in (0.0, 0.3, 1.0, 2.0):
        shifts = distance * np.eye(4, dtype="float32")
        found = [
            np.corrcoef(noise(np.stack([start, start + shift])).reshape(2, -1))[0, 1]
            for shift in (*shifts, *-shifts)
        ]
        r = 2 * distance
        expected = 2 * scipy.special.j1(r) / r if r else 1.0
        assert np.mean(found) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("latent_dim", [1, 4, 16])
def test_smooth_noise_has_a_mean_of_nearly_zero(latent_dim):
    noise = SmoothNoise((60, 60), latent_dim, seed=0)
    mean = noise(latents(4000, latent_dim)).mean(axis=0)
    assert np.square(mean).mean() == pytest.approx(np.exp(-4), abs=0.01)


def test_all_are_fixed_smooth_functions_of_the_latent(real):
    points = latents(4)
    for first, again in zip(all_kinds(real), all_kinds(real), strict=True):
        kernels = first(points)
        assert kernels.shape == (4, *SHAPE)
        assert kernels.dtype == np.float32
        np.testing.assert_array_equal(kernels, again(points))
        np.testing.assert_allclose(kernels[2:3], first(points[2:3]), atol=1e-5)
        step = np.linalg.norm(first(points + 1e-3) - kernels) / np.linalg.norm(kernels)
        assert 0 < step < 1e-2
        assert np.linalg.norm(kernels[0] - kernels[1]) > 0.1 * np.linalg.norm(kernels[0])


def test_the_seed_draws_other_kernels(real):
    points = latents(1)
    assert not np.allclose(RandomKernels(real, 5, 0)(points), RandomKernels(real, 5, 1)(points))


def test_random_kernels_have_the_real_norms_and_nothing_else(real):
    kernels = RandomKernels(real, 5)(latents(3))
    for kernel_set in kernels:
        for channel in range(6):
            assert np.linalg.norm(kernel_set[..., channel]) == pytest.approx(
                np.linalg.norm(real[..., channel]), rel=1e-5
            )
    drawn, own = kernels[0].reshape(36, 6), real.reshape(36, 6)
    products = np.sum(drawn * own, axis=0) / np.linalg.norm(own, axis=0) ** 2  # cosines
    assert np.abs(products).max() < 0.6  # in 36 dimensions their standard deviation is 0.17


def test_noisy_kernels_are_the_real_ones_plus_noise_of_that_scale(real):
    big = np.zeros((3, 3, 40, 60), "float32") + 0.5
    noise = NoisyKernels(big, 5, scale=0.25)(latents(1))[0] - big
    assert scipy.stats.kstest(noise.ravel() / 0.25, "norm").pvalue > 1e-3
    np.testing.assert_array_equal(NoisyKernels(real, 5, scale=0.0)(latents(1))[0], real)


@pytest.mark.parametrize("share", [1.0, 0.4])
def test_pca_kernels_keep_mean_and_covariance_of_the_real_ones(real, share):
    """Over draws of the noise, for one latent: 4,000 networks of 6 channels each."""
    point = latents(1)
    sets = [PCAGaussian(real, 5, share=share, seed=seed)(point)[0] for seed in range(4000)]
    rows = np.concatenate([one.reshape(36, 6).T for one in sets]).astype("float64")
    sample = real.reshape(36, 6).T.astype("float64")
    scale = np.square(sample - sample.mean(0)).sum() / 36
    np.testing.assert_allclose(rows.mean(0), sample.mean(0), atol=0.05 * np.sqrt(scale))
    # The kept part has the covariance of a finite population (ddof 0), the drawn part ddof 1.
    factor = share**2 + (1 - share**2) * 5 / 6
    expected = factor * np.cov(sample.T)
    np.testing.assert_allclose(np.cov(rows.T), expected, atol=0.05 * np.abs(expected).max())


def test_pca_kernels_lie_in_the_span_of_the_real_ones(real):
    sample = real.reshape(36, 6).T
    basis = np.linalg.qr((sample - sample.mean(0)).T)[0][:, :5]
    for share in (1.0, 0.4):
        drawn = PCAGaussian(real, 5, share=share)(latents(1))[0].reshape(36, 6).T
        centred = drawn - sample.mean(0)
        np.testing.assert_allclose(centred @ basis @ basis.T, centred, atol=1e-4)


def test_pca_kernels_of_share_0_are_the_real_ones(real):
    kernels = PCAGaussian(real, 5, share=0.0)(latents(2))
    np.testing.assert_allclose(kernels, np.stack([real, real]), atol=1e-5)


def test_matched_baselines_have_the_variation_asked_for(trained_subject):
    made = baselines(trained_subject, 0.2)
    assert list(made) == ["random", "noisy", "pca", "pca_matched", "known_changes"]
    for name in ("noisy", "pca_matched", "known_changes"):
        card = evaluate(trained_subject.with_kernels(made[name]), ["activation_variation"])
        assert card["activation_variation"] == pytest.approx(0.2, rel=1e-3)


def test_noise_varies_around_the_real_kernels(trained_subject):
    """All of it is variation: what the mean of noisy kernels is off by is next to nothing."""
    noisy = trained_subject.with_kernels(baselines(trained_subject, 0.2)["noisy"])
    card = evaluate(noisy, ["activation_bias", "activation_variation"])
    assert card["activation_bias"] < 0.05 * card["activation_variation"]


def test_a_variation_out_of_reach_leaves_the_plain_gaussian(trained_subject):
    made = baselines(trained_subject, 1e6)
    points = trained_subject.latents(2)
    np.testing.assert_array_equal(made["pca"](points), made["pca_matched"](points))
