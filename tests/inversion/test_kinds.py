"""A T that was made of known kinds, mixed by a rotation of the latent, and found again."""

import keras
import numpy as np
import pytest

from keras_filtergan.data import load_dataset, to_unit_interval
from keras_filtergan.gan.bending import ImageBending
from keras_filtergan.gan.change_reader import ChangeReader
from keras_filtergan.generators.architectures import GENERATORS
from keras_filtergan.inversion import kinds
from keras_filtergan.inversion.anatomy import tangents

RANDOM = np.random.default_rng(2)
LATENTS = RANDOM.normal(size=(5, 3)).astype("float32")


def orthogonal(d, seed=0):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


@pytest.fixture(scope="module")
def digits():
    return to_unit_interval(load_dataset("mnist_sample").x_test[:12])


def lattice(down, right):
    """A bend whose lattice values are functions of the place, from −1 to 1 down and right."""
    y, x = np.meshgrid(*[np.linspace(-1, 1, 4)] * 2, indexing="ij")
    return 0.15 * np.stack([down(y, x) + 0 * y, right(y, x) + 0 * y], axis=-1)


# What is seen moves by −τ: right, down, clockwise, its upper end to the right, larger.
RIGHT = lattice(lambda y, x: 0, lambda y, x: -1)
DOWN = lattice(lambda y, x: -1, lambda y, x: 0)
CLOCKWISE = lattice(lambda y, x: -x, lambda y, x: y)
LEANING = lattice(lambda y, x: 0, lambda y, x: y)
LARGER = lattice(lambda y, x: -y, lambda y, x: -x)
STILL = np.zeros_like(RIGHT)


def bending(*bends, stroke=None):
    model = ImageBending(latent_dim=len(bends))
    model.bend.assign(np.stack(bends))
    model.stroke.assign(np.zeros(len(bends)) if stroke is None else stroke)
    return model


def test_kinds_that_were_mixed_are_found_again(digits):
    planted = bending(RIGHT, STILL, DOWN, stroke=[0.0, 0.15, 0.0])
    mixed = bending(RIGHT, STILL, DOWN, stroke=[0.0, 0.15, 0.0])
    mixed.turn(orthogonal(3))
    mixed.stroke.assign(-mixed.stroke)  # so that thicker is the other way
    basis, found = kinds.named_basis(mixed, digits, 3)
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-6)
    assert set(found) == {"shift right", "shift down", "stroke width"}
    assert {kind.split()[0] for kind in found[:2]} == {"shift", "stroke"}  # new kinds come first
    mixed.turn(basis)
    order = [("shift right", "stroke width", "shift down").index(kind) for kind in found]
    np.testing.assert_allclose(mixed.bend, planted.bend.numpy()[order], atol=0.03)
    np.testing.assert_allclose(mixed.stroke, planted.stroke.numpy()[order], atol=0.03)


@pytest.mark.parametrize(
    ("bend", "kind"),
    [
        (RIGHT, "shift right"),
        (DOWN, "shift down"),
        (CLOCKWISE, "turn"),
        (LEANING, "slant"),
        (LARGER, "size"),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_each_kind_has_its_name_and_its_direction(bend, kind, sign, digits):
    basis, found = kinds.named_basis(bending(sign * bend), digits, 1)
    assert found == (kind,)
    np.testing.assert_allclose(basis, [[sign]], atol=1e-12)


def test_the_basis_is_purer_than_any_other(digits):
    model = ImageBending(latent_dim=4, seed=1)
    model.bend.assign(0.1 * RANDOM.normal(size=model.bend.shape))
    model.stroke.assign(0.1 * RANDOM.normal(size=4))
    changes = kinds.changes_of(model, digits, 4)

    def purity(basis):
        return np.square(changes.shares(basis)).sum()

    others = [purity(orthogonal(4, seed)) for seed in range(500)]
    assert purity(kinds.purest_basis(changes)) > max(others)


def test_shares_are_projections_on_tangents(digits):
    """Against image by image, tangent by tangent; along directions between the dimensions."""
    model = bending(RIGHT, LEANING + DOWN, CLOCKWISE, stroke=[0.0, 0.05, 0.0])
    basis = orthogonal(3, seed=5)
    found = kinds.changes_of(model, digits, 3).shares(basis)
    zero = np.zeros((1, 3), "float32")
    ends = 1.5 * np.eye(3, dtype="float32")
    odd = [
        model((digits, zero, np.tile(end, (12, 1)))).numpy().astype(float)
        - model((digits, zero, np.tile(-end, (12, 1)))).numpy()
        for end in ends
    ]
    seen = tangents(digits)
    each = [seen["translation"][:, 0], seen["translation"][:, 1]]
    each += [seen[name][:, 0] for name in ("rotation", "shear", "scale", "stroke_width")]
    for column, row in zip(basis.T, found, strict=True):
        change = sum(u * part for u, part in zip(column, odd, strict=True))
        for share, tangent in zip(row, each, strict=True):
            onto = [(c * t).sum() ** 2 / (t**2).sum() for c, t in zip(change, tangent, strict=True)]
            assert share == pytest.approx(sum(onto) / np.square(change).sum(), rel=1e-4)


def test_a_t_that_does_nothing_has_no_kinds(digits):
    basis, found = kinds.named_basis(bending(STILL, STILL), digits, 2)
    np.testing.assert_array_equal(basis, np.eye(2))
    assert found == (None, None)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_reads_latents_in_another_basis(name):
    generator = GENERATORS[name]((3, 3, 4, 8), latent_dim=3, seed=1)
    generator.build((None, 3))
    for weights in generator.trainable_variables:
        weights.assign_add(0.1 * RANDOM.normal(size=weights.shape))
    basis = orthogonal(3)
    before = generator(LATENTS @ basis.T.astype("float32")).numpy()
    assert np.abs(generator(LATENTS) - before).max() > 1e-3
    generator.turn(basis)
    np.testing.assert_allclose(generator(LATENTS), before, atol=1e-5)


def test_t_and_q_turn_with_it(digits, tmp_path):
    basis, x = orthogonal(3), digits[:5]
    old = LATENTS @ basis.T.astype("float32")
    bent = bending(RIGHT, STILL, LEANING, stroke=[0.0, 0.1, 0.05])
    bent.kinds = ("shift right", "stroke width", "slant")
    before = bent((x, np.zeros_like(old[:1]), old)).numpy()
    bent.turn(basis)
    np.testing.assert_allclose(bent((x, np.zeros_like(old[:1]), LATENTS)), before, atol=1e-4)
    assert bent.kinds == (None, None, None)
    bent.kinds = ("slant", None, "turn")
    bent.save(tmp_path / "t.keras")
    assert keras.models.load_model(tmp_path / "t.keras").kinds == ("slant", None, "turn")

    reader = ChangeReader((3, 3, 2), latent_dim=3, rank=4)
    for weights in reader.trainable_variables:
        weights.assign_add(0.1 * RANDOM.normal(size=weights.shape))
    coordinates = RANDOM.normal(size=(6, 4)).astype("float32")
    reader.unit.assign(1.0)
    codes = reader.read(coordinates).numpy()
    reader.turn(basis)
    np.testing.assert_allclose(reader.read(coordinates), codes @ basis, atol=1e-5)
