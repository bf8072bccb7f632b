import json
import math

import numpy as np
import pytest
import scipy.ndimage
from sklearn.linear_model import LinearRegression

from keras_filtergan.inversion.anatomy import (
    anatomy,
    bend,
    common,
    even_share,
    locality,
    nonlinearity,
    shares,
    tangents,
)
from keras_filtergan.inversion.walks import Walk, latent_grid

SIDE = 21
MIDDLE = (SIDE - 1) / 2


def walk_of(images, start, latents=None):
    """A walk that holds these pictures; how they were found does not matter here."""
    images, start = np.asarray(images, np.float32), np.asarray(start, np.float32)
    n, grid = images.shape[:2]
    if latents is None:
        latents = latent_grid(np.zeros(3), 3, (0, 2), grid, span=grid // 2)
    errors = np.ones((n, grid, grid))
    return Walk(images, latents, start, errors, errors)


def steps(grid=3):
    """Offsets s_i and s_j of all cells, shaped for images behind them."""
    s = np.arange(grid) - grid // 2.0
    return s[None, :, None, None, None, None], s[None, None, :, None, None, None]


def picture(turn=(), shift=(0.0, 0.0)):
    """A smooth figure without symmetries, read at A(u − middle) + shift for each pixel u."""
    place = np.stack(np.mgrid[:SIDE, :SIDE], axis=-1) - MIDDLE
    place = place @ np.transpose(turn if len(turn) else np.eye(2)) + shift
    figure = 0.0
    for centre, widths, height in (
        ((-3, 2), (3.0, 1.5), 0.9),
        ((3, -3), (1.6, 2.6), 0.6),
        ((5, 4), (1.8, 1.8), 0.4),
    ):
        figure += height * np.exp(-np.sum(((place - centre) / widths) ** 2, axis=-1) / 2)
    return figure[..., None]


def straight_walk(start, change, grid=3):
    """x + s_i · change, for images `(n, h, w, c)`."""
    down, right = steps(grid)
    return walk_of(start[:, None, None] + (down + 0 * right) * change[:, None, None], start)


@pytest.fixture
def random_walk():
    rng = np.random.default_rng(0)
    return walk_of(rng.uniform(size=(2, 3, 3, 9, 8, 3)), rng.uniform(size=(2, 9, 8, 3)))


def test_even_share_by_hand():
    """3 s thicker and s² paler: c = 3 s a + s² b with a at right angles to b."""
    start = np.full((1, 2, 2, 1), 0.5)
    odd, even = (np.reshape(x, (1, 1, 1, 2, 2, 1)) for x in ([1, 1, 0, 0], [0, 0, 1, 1]))
    down, right = steps(3)
    s = down + right  # 0 in three cells, ±1 in four, ±2 in two
    walk = walk_of(start[:, None, None] + 0.01 * (3 * s * odd + s**2 * even), start)
    expected = (4 * 1 + 2 * 16) / (4 * (9 + 1) + 2 * (36 + 16))
    assert even_share(walk) == pytest.approx(expected, abs=1e-5)
    assert even_share(walk_of(start[:, None, None] + 0.01 * 3 * s * odd, start)) < 1e-8
    assert even_share(walk_of(start[:, None, None] + 0.01 * s**2 * even, start)) > 1 - 1e-8


def test_a_gain_is_straight_and_all_brightness():
    start = np.random.default_rng(0).uniform(0.1, 0.6, (2, 7, 9, 3))
    down, right = steps(5)
    walk = walk_of(start[:, None, None] * (1 + 0.1 * down - 0.05 * right), start)
    found = anatomy(walk)
    assert found["nonlinearity"] == pytest.approx(0, abs=1e-9)
    assert found["common"] == pytest.approx(0, abs=1e-9)
    assert found["bend"] == pytest.approx(0, abs=1e-9)
    assert found["shares"]["brightness"] == pytest.approx(1, abs=1e-6)
    assert found["shares"]["all"] == pytest.approx(1, abs=1e-6)
    assert found["shares"]["translation"] < 0.3


@pytest.mark.parametrize("span", [1.0, 2.0])
def test_nonlinearity_of_a_parabola_by_hand(span):
    """x + s u + s² v: on 3 × 3 cells Σ s² = 6 span², Σ s³ = 0, Σ s⁴ = 6 span⁴."""
    start = np.full((1, 2, 2, 1), 0.5)
    u = np.array([1.0, 1.0, 1.0, 0.0]).reshape(2, 2, 1)  # ‖u‖² = 3
    v = np.array([0.0, 0.0, 0.0, 1.0]).reshape(2, 2, 1)
    down, right = steps()
    s = span * (down + 0 * right)
    latents = latent_grid(np.ones(3), 3, (0, 2), 3, span)
    walk = walk_of(start[:, None, None] + s * u + s**2 * v, start, latents)
    assert nonlinearity(walk) == pytest.approx(span**2 / (3 + span**2), abs=1e-6)
    # s² is span² in 6 of the 8 cells around: their mean squared is 4.5 span⁴ of Σ s⁴ = 6 span⁴
    assert common(walk) == pytest.approx(0.75 * span**2 / (3 + span**2), abs=1e-6)
    assert bend(walk) == pytest.approx(0.25 * span**2 / (3 + 0.25 * span**2), abs=1e-6)


def test_a_line_must_go_through_the_original():
    """All cells shifted alike: a fit with an intercept would call that straight."""
    start = np.full((1, 4, 4, 1), 0.5)
    assert nonlinearity(walk_of(np.full((1, 3, 3, 4, 4, 1), 0.75), start)) == pytest.approx(1)


def test_a_leap_from_the_original_is_common_and_no_bend():
    """x + l + s u away from the middle: over 8 cells ‖l‖² · 8 against ‖u‖² · 6."""
    down, right = steps()
    start = np.zeros((1, 3, 3, 1))
    leap, u = np.zeros((2, 3, 3, 1))
    leap[0, 0], u[1, 1] = 0.5, 0.3
    images = leap + (down + 0 * right) * u
    images[:, 1, 1] = 0
    walk = walk_of(images, start)
    straight = 6 * 0.09 / (6 * 0.09 + 8 * 0.25)
    assert common(walk) == pytest.approx(1 - straight, rel=1e-6)
    assert nonlinearity(walk) == pytest.approx(1 - straight, rel=1e-6)
    assert bend(walk) == pytest.approx(0, abs=1e-9)


def test_bend_is_a_fit_with_an_intercept(random_walk):
    """By scikit-learn, without the middle cell."""
    coordinates = [(i - 1, j - 1) for i in range(3) for j in range(3) if (i, j) != (1, 1)]
    left = total = same = whole = 0.0
    for images, start in zip(random_walk.images, random_walk.start, strict=True):
        changes = np.delete((images - start).reshape(9, -1).astype("float64"), 4, axis=0)
        fit = LinearRegression().fit(coordinates, changes)
        left += np.sum((changes - fit.predict(coordinates)) ** 2)
        total += np.sum((changes - changes.mean(axis=0)) ** 2)
        same, whole = same + 8 * np.sum(changes.mean(axis=0) ** 2), whole + np.sum(changes**2)
    assert bend(random_walk) == pytest.approx(left / total, rel=1e-5)
    assert common(random_walk) == pytest.approx(same / whole, rel=1e-5)


def test_images_that_change_more_count_more():
    """One image walks straight with ‖change‖² 9 : 1 to another that bends entirely."""
    down, right = steps()
    bend = np.abs(down) + 0 * right
    images = np.concatenate([3 * (down + 0 * right), bend]) * np.ones((2, 1, 1, 4, 4, 1))
    walk = walk_of(images, np.zeros((2, 4, 4, 1)))
    assert nonlinearity(walk) == pytest.approx(0.1)


def test_nonlinearity_is_that_of_scikit_learn(random_walk):
    """Slanted latent directions of different lengths, away from the origin."""
    rng = np.random.default_rng(1)
    directions = rng.normal(size=(2, 4)) * [[1.0], [3.0]]
    latents = latent_grid(rng.normal(size=4), 4, list(directions), 3, span=1.7)
    walk = walk_of(random_walk.images, random_walk.start, latents)
    left = total = 0.0
    for images, start in zip(walk.images, walk.start, strict=True):
        changes = (images - start).reshape(9, -1).astype("float64")
        coordinates = [(i - 1, j - 1) for i in range(3) for j in range(3)]
        fit = LinearRegression(fit_intercept=False).fit(coordinates, changes)
        left += np.sum((changes - fit.predict(coordinates)) ** 2)
        total += np.sum(changes**2)
    assert nonlinearity(walk) == pytest.approx(left / total, rel=1e-4)


def test_pictures_that_know_nothing_of_each_other():
    images = np.random.default_rng(0).normal(size=(1, 7, 7, 40, 40, 1))
    images[:, 3, 3] = 0
    walk = walk_of(images, np.zeros((1, 40, 40, 1)))
    assert nonlinearity(walk) == pytest.approx(1 - 2 / 48, abs=0.005)
    assert common(walk) == pytest.approx(1 / 48, abs=0.005)
    assert bend(walk) == pytest.approx(1 - 2 / 47, abs=0.005)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("pixels", [1, 4, 20])
def test_locality_of_pixels_that_change_alike(pixels, channels):
    change = np.zeros((20, channels))
    change[:pixels] = 0.3
    walk = straight_walk(np.full((1, 5, 4, channels), 0.5), change.reshape(1, 5, 4, channels))
    assert locality(walk) == pytest.approx(pixels / 20, rel=1e-5)


def test_locality_of_unequal_pixels_by_hand():
    """Squared changes 4, 1, 1, 0: 6² / (4 · 18) = 1/2."""
    change = np.array([2.0, 1.0, -1.0, 0.0]).reshape(1, 2, 2, 1)
    assert locality(straight_walk(np.zeros((1, 2, 2, 1)), change)) == pytest.approx(0.5)


def test_the_channels_of_a_pixel_change_as_one():
    """Squared changes of two pixels over their channels, 1 + 4 and 0 + 10: 15² / (2 · 125)."""
    change = np.array([[1.0, 2.0], [0.0, math.sqrt(10)]]).reshape(1, 1, 2, 2)
    assert locality(straight_walk(np.zeros((1, 1, 2, 2)), change)) == pytest.approx(0.9)


def test_locality_weighs_cells_by_their_change():
    images = np.zeros((1, 3, 3, 4, 4, 1))
    images[0, 0, 0, 1, 1] = 1.0  # one pixel, energy 1
    images[0, 2, 1] = 0.5  # 16 pixels, energy 4; the other cells do not change and do not count
    found = locality(walk_of(images, np.zeros((1, 4, 4, 1))))
    assert found == pytest.approx((1 * 1 / 16 + 4 * 1) / 5)


def turned(angle=0.0, slant=0.0, growth=0.0):
    """(down, right) → rotated by an angle, then slanted, then grown."""
    rotation = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    return (1 + growth) * np.array([[1, 0], [slant, 1]]) @ rotation


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("translation", lambda s: picture(shift=(0.3 * s, -0.2 * s))),
        ("rotation", lambda s: picture(turned(angle=0.04 * s))),
        ("shear", lambda s: picture(turned(slant=0.05 * s))),
        ("scale", lambda s: picture(turned(growth=0.04 * s))),
        ("brightness", lambda s: (1 + 0.1 * s) * picture()),
    ],
)
def test_a_transformation_is_recognised(name, moved):
    """Pictures computed from their formula, not by any resampling."""
    start = picture()[None]
    images = np.stack([np.stack([moved(i)] * 3) for i in (-1, 0, 1)])[None]
    found = shares(walk_of(images, start))
    assert found[name] > 0.97
    assert found["all"] > 0.97
    others = {key: share for key, share in found.items() if key not in (name, "all")}
    assert max(others.values()) < 0.75


def test_a_round_blob_shifts_but_does_not_rotate():
    def blob(down, right):
        y, x = np.mgrid[:SIDE, :SIDE] - MIDDLE
        return np.exp(-((y - down) ** 2 + (x - right) ** 2) / 18)[..., None]

    images = [[blob(0.5 * i, 0.4 * j) for j in (-1, 0, 1)] for i in (-1, 0, 1)]
    found = shares(walk_of([images], [blob(0, 0)]))
    assert found["translation"] > 0.95
    assert found["rotation"] < 0.01


def test_a_bar_rotates():
    def bar(angle):
        y, x = np.mgrid[:SIDE, :SIDE] - MIDDLE
        along = np.cos(angle) * y + np.sin(angle) * x
        across = np.cos(angle) * x - np.sin(angle) * y
        return np.exp(-(along**2) / 50 - across**2 / 5)[..., None]

    images = [[bar(0.6 + 0.04 * (i + j)) for j in (-1, 0, 1)] for i in (-1, 0, 1)]
    found = shares(walk_of([images], [bar(0.6)]))
    assert found["rotation"] > 0.95
    assert found["translation"] < 0.01
    assert found["brightness"] < 0.01


def test_a_wider_stroke_is_stroke_width(dataset):
    """A soft-edged ring, thinner and wider by its formula, and scipy's dilation and erosion."""
    y, x = np.mgrid[:SIDE, :SIDE] - MIDDLE

    def ring(width):
        distance = np.abs(np.hypot(y, 0.7 * x + 0.3 * y) - 5)
        return 1 / (1 + np.exp(2 * (distance - width)))[..., None]

    images = np.stack([np.stack([ring(1.5 + 0.2 * i)] * 3) for i in (-1, 0, 1)])[None]
    found = shares(walk_of(images, ring(1.5)[None]))
    assert found["stroke_width"] > 0.85
    assert found["stroke_width"] > max(found[name] for name in ("brightness", "shear", "scale"))

    start = dataset.x_test[:2] / 255.0
    gradient = scipy.ndimage.morphological_gradient(start, size=(1, 3, 3, 1), mode="nearest")
    assert shares(straight_walk(start, 0.1 * gradient))["stroke_width"] == pytest.approx(1)


@pytest.mark.parametrize("channels", [1, 3])
def test_tangents_are_small_transformations_by_scipy(channels):
    rng = np.random.default_rng(0)
    image = scipy.ndimage.gaussian_filter(rng.uniform(size=(15, 18, channels)), (2, 2, 0))
    found = tangents(image[None])
    centre, small = np.array([7.0, 8.5]), 1e-3

    def moved(matrix, offset=(0.0, 0.0)):
        matrix = np.asarray(matrix, float)
        shift = centre - matrix @ centre + offset
        planes = [
            scipy.ndimage.affine_transform(image[..., k], matrix, shift, order=1, mode="nearest")
            for k in range(channels)
        ]
        return np.stack(planes, axis=-1)

    def difference(matrix, offset=(0.0, 0.0)):
        around = np.eye(2) + small * np.asarray(matrix), np.eye(2) - small * np.asarray(matrix)
        shifts = small * np.asarray(offset)
        return moved(around[0], shifts) - moved(around[1], -shifts)

    still = np.zeros((2, 2))
    expected = {
        "translation": [difference(still, (1, 0)), difference(still, (0, 1))],
        "rotation": [difference([[0, -1], [1, 0]])],
        "shear": [difference([[0, 0], [1, 0]])],
        "scale": [difference(np.eye(2))],
    }
    assert set(found) == {*expected, "brightness", "stroke_width"}
    for name, rows in expected.items():
        assert len(rows) == found[name].shape[1]
        for one, other in zip(found[name][0], rows, strict=True):
            cosine = np.sum(one * other) / np.linalg.norm(one) / np.linalg.norm(other)
            assert abs(cosine) > 0.995, name
    np.testing.assert_allclose(found["brightness"][0, 0], image, rtol=1e-6)
    grey = scipy.ndimage.morphological_gradient(image, size=(3, 3, 1), mode="nearest")
    np.testing.assert_allclose(found["stroke_width"][0, 0], grey, atol=1e-6)


def test_shares_are_least_squares(random_walk):
    families = tangents(random_walk.start)
    families["all"] = np.concatenate(list(families.values()), axis=1)
    found = shares(random_walk)
    assert set(found) == set(families)
    for name, family in families.items():
        left = total = 0.0
        for images, start, basis in zip(random_walk.images, random_walk.start, family, strict=True):
            for change in (images - start).reshape(9, -1).astype("float64"):
                columns = basis.reshape(len(basis), -1).T
                solution = np.linalg.lstsq(columns, change, rcond=None)[0]
                left += np.sum((change - columns @ solution) ** 2)
                total += np.sum(change**2)
        assert found[name] == pytest.approx(1 - left / total, abs=1e-6), name


@pytest.mark.parametrize("seed", range(5))
def test_all_tangents_together_explain_at_least_what_each_does(seed):
    rng = np.random.default_rng(seed)
    shape = rng.integers(1, 8, 2)
    start = np.round(rng.uniform(size=(2, *shape, 1)))  # often flat, often of one row
    found = shares(walk_of(rng.uniform(size=(2, 3, 3, *shape, 1)), start))
    joint = found.pop("all")
    assert all(0 <= share <= joint + 1e-6 for share in found.values())
    assert joint <= 1 + 1e-9


def test_a_blank_image_has_no_tangents_and_a_flat_one_only_a_gain():
    changed = np.random.default_rng(0).uniform(size=(1, 3, 3, 6, 6, 1))
    blank = shares(walk_of(changed, np.zeros((1, 6, 6, 1))))
    assert set(blank.values()) == {0.0}
    start = np.full((5, 13, 13, 1), np.linspace(0.1, 0.9, 5)[:, None, None, None])
    images = np.random.default_rng(1).uniform(size=(5, 3, 3, 13, 13, 1))
    flat = shares(walk_of(images, start))  # where interpolation leaves rounding errors
    assert [name for name, share in flat.items() if share > 0] == ["brightness", "all"]


def test_a_walk_that_goes_nowhere_has_no_anatomy():
    still = walk_of(np.full((1, 5, 5, 6, 6, 1), 0.5), np.full((1, 6, 6, 1), 0.5))
    assert math.isnan(nonlinearity(still))
    assert math.isnan(locality(still))
    found = anatomy(still)
    assert found["nonlinearity"] is None
    assert found["common"] is None
    assert found["bend"] is None
    assert found["locality"] is None
    assert set(found["shares"].values()) == {None}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_the_inner_walk_is_the_middle_of_the_walk():
    rng = np.random.default_rng(0)
    start = rng.uniform(size=(2, 4, 4, 1))
    walk = walk_of(rng.uniform(size=(2, 7, 7, 4, 4, 1)), start)
    part = walk.inner(1)
    np.testing.assert_array_equal(part.images, walk.images[:, 2:5, 2:5])
    np.testing.assert_array_equal(part.latents, walk.latents[2:5, 2:5])
    assert part.explained_fraction == 0.0  # the history goes along
    found = anatomy(walk)["by_reach"]
    assert [one["offset"] for one in found] == [1.0, 2.0, 3.0]
    assert found[0]["nonlinearity"] == nonlinearity(part)
    assert found[0]["pixel_distance"] == part.pixel_distance
    assert found[2]["nonlinearity"] == nonlinearity(walk)
    assert found[2]["pixel_distance"] == walk.pixel_distance


def test_a_walk_bends_more_the_further_it_goes():
    """(s + s²/5, s) in two channels; Σ s² is 6, 50, 196 and Σ s⁴ is 6, 170, 1372 by reach."""
    down, right = steps(7)
    images = (
        (down + 0 * right) + 0.2 * down**2 * np.array([1.0, 0.0]) + np.zeros((1, 1, 1, 3, 3, 1))
    )
    found = anatomy(walk_of(images, np.zeros((1, 3, 3, 2))))["by_reach"]
    expected = [0.04 * s4 / (2 * s2 + 0.04 * s4) for s2, s4 in ((6, 6), (50, 170), (196, 1372))]
    assert [one["nonlinearity"] for one in found] == pytest.approx(expected, rel=1e-5)
