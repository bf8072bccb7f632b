"""A T that was made of known kinds, mixed by a rotation of the latent, and found again."""

import keras
import numpy as np
import pytest

from keras_filtergan.data import load_dataset, to_unit_interval
from keras_filtergan.errors import InputError
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
    mixed.rotate(orthogonal(3))
    mixed.stroke.assign(-mixed.stroke)  # so that thicker is the other way
    basis, found = kinds.named_basis(mixed, digits, 3)
    np.testing.assert_allclose(basis.T @ basis, np.eye(3), atol=1e-6)
    assert set(found) == {"shift right", "shift down", "stroke width"}
    assert {kind.split()[0] for kind in found[:2]} == {"shift", "stroke"}  # new kinds come first
    mixed.rotate(basis)
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


def test_the_basis_is_purer_than_random_ones(digits):
    model = ImageBending(latent_dim=4, seed=1)
    model.bend.assign(0.1 * RANDOM.normal(size=model.bend.shape))
    model.stroke.assign(0.1 * RANDOM.normal(size=4))
    changes = kinds.changes_of(model, digits, 4)

    def purity(basis):
        return np.square(changes.shares(basis)).sum()

    others = [purity(orthogonal(4, seed)) for seed in range(500)]
    assert purity(kinds.purest_basis(changes)) > max(others)


@pytest.mark.parametrize(
    ("down", "right", "name"),
    [
        (1.0, 0.0, "shift down"),
        (1.0, 0.9, "shift"),
        (-1.0, -0.9, "shift"),
        (0.2, 1.0, "shift right"),
    ],
)
def test_a_diagonal_shift_has_no_direction(down, right, name, digits):
    """Its sign is that of the tangent that has the larger share."""
    model = bending(-0.7 * (down * DOWN + right * RIGHT))
    basis, found = kinds.named_basis(model, digits, 1)
    assert found == (name,)
    changes = kinds.changes_of(model, digits, 1)
    larger = np.argmax(changes.shares(np.eye(1))[0, :2])
    assert changes.along[larger, 0] * basis[0, 0] > 0


def test_the_name_decides_on_the_sign_where_another_tangent_is_larger():
    """Two tangents of a shift together may be more than a slant that is larger than each."""
    odd = np.array([0.28, 0.27, 0.0, 0.30, 0.0, 0.0])
    line = {"translation": 0.5, "rotation": 0.0, "shear": 0.3, "scale": 0.0, "stroke_width": 0.0}
    assert kinds._kind(line, odd) == ("shift", "translation", 0.5, 0)
    assert kinds._kind({**line, "translation": 0.2}, odd) == ("slant", "shear", 0.3, 3)
    assert kinds._kind(dict.fromkeys(line, np.nan), odd) == (None, "", 0.0, 3)


def test_images_in_colour_and_not_square_a_few_at_a_time(digits, monkeypatch):
    colour = np.concatenate([digits[:, 2:26]] * 3, axis=-1)
    model = bending(RIGHT, LEANING, stroke=[0.0, 0.05])
    expected = kinds.changes_of(model, colour, 2)
    names = kinds.named_basis(model, colour, 2)[1]
    monkeypatch.setattr(kinds, "VALUES", 5 * 4 * colour[0].size)  # five images
    monkeypatch.setattr(kinds, "PIXELS_AT_ONCE", 3 * 24 * 28)  # three pictures
    for found, wanted in zip(kinds.changes_of(model, colour, 2), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    assert kinds.named_basis(model, colour, 2)[1] == names == ("shift right", "slant")


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
    generator.rotate(basis)
    np.testing.assert_allclose(generator(LATENTS), before, atol=1e-5)


def test_t_and_q_rotate_with_it(digits, tmp_path):
    basis, x = orthogonal(3), digits[:5]
    old = LATENTS @ basis.T.astype("float32")
    bent = bending(RIGHT, STILL, LEANING, stroke=[0.0, 0.1, 0.05])
    bent.kinds = ("shift right", "stroke width", "slant")
    before = bent((x, np.zeros_like(old[:1]), old)).numpy()
    bent.rotate(basis)
    np.testing.assert_allclose(bent((x, np.zeros_like(old[:1]), LATENTS)), before, atol=1e-4)
    assert bent.kinds == (None, None, None)
    bent.kinds = ("slant", None, "turn")
    bent.save(tmp_path / "t.keras")
    assert keras.models.load_model(tmp_path / "t.keras").kinds == ("slant", None, "turn")
    with pytest.raises(InputError, match="expected 3 `kinds`, received 2"):
        ImageBending(latent_dim=3, kinds=("slant", None))

    reader = ChangeReader((3, 3, 2), latent_dim=3, rank=4)
    for weights in reader.trainable_variables:
        weights.assign_add(0.1 * RANDOM.normal(size=weights.shape))
    coordinates = RANDOM.normal(size=(6, 4)).astype("float32")
    reader.unit.assign(1.0)
    codes = reader.read(coordinates).numpy()
    reader.rotate(basis)
    np.testing.assert_allclose(reader.read(coordinates), codes @ basis, atol=1e-5)
