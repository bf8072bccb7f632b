"""What the explorer shows, against the run's own functions and against arithmetic."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from reading import numbers, sheet

from keras_filtergan.classifiers.classifier import build_classifier
from keras_filtergan.classifiers.target import FrozenTarget
from keras_filtergan.gan.bending import ImageBending
from keras_filtergan.gan.filtergan import FilterGAN
from keras_filtergan.inversion.inversion import Inverter
from keras_filtergan.inversion.walks import Walk, latent_grid
from keras_filtergan.report import explorer as module
from keras_filtergan.report.explorer import Explorer, explore, numbers_of, saved_walks
from keras_filtergan.report.grids import Grid, explained_shares
from keras_filtergan.report.pictures import picture_uri
from keras_filtergan.report.planes import Axis, Plane, image_numbers, planes_of
from keras_filtergan.runs.settings import Settings
from keras_filtergan.runs.trained import TrainedRun


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(module, "LAYOUTS", ((3, 3), (1, 3)))


def softmax(logits) -> np.ndarray:
    powers = np.exp(np.asarray(logits, np.float64))
    return powers / powers.sum(axis=-1, keepdims=True)


def plain(first: int, second: int, latent_dim: int = 3) -> Plane:
    rows = np.eye(latent_dim)
    return Plane(Axis("plain", first, rows[first]), Axis("plain", second, rows[second]))


@pytest.fixture
def walk(trained) -> Walk:
    """One image, over z[0] and z[2]."""
    image = trained.dataset.x_test[4:5]
    inverter = Inverter(trained.target, trained.generator, steps=2)
    return inverter.walk(image, np.zeros(3), (0, 2), grid=3, span=3.0)


def test_latents_of_a_plane_are_those_of_a_walk():
    wanted = latent_grid(np.zeros(3), 3, dims=(0, 2), grid=5, span=3.0)
    np.testing.assert_allclose(plain(0, 2).latents(5, 3.0), wanted, atol=1e-6)


def test_a_walk_is_found_in_its_plane_turned_if_need_be(walk):
    assert plain(0, 2).view_of(walk) is walk
    turned = plain(2, 0).view_of(walk)
    np.testing.assert_array_equal(turned.latents, plain(2, 0).latents(3, 3.0))
    np.testing.assert_array_equal(turned.images[0, 2, 1], walk.images[0, 1, 2])
    assert turned.error_after[0, 0, 2] == walk.error_after[0, 2, 0]
    assert plain(0, 1).view_of(walk) is None
    moved = dataclasses.replace(walk, latents=walk.latents + 1.0)
    assert plain(0, 2).view_of(moved) is None


def test_a_walk_is_kept_and_read_again(walk, tmp_path):
    walk.save(tmp_path / "walk.npz")
    again = Walk.load(tmp_path / "walk.npz")
    np.testing.assert_allclose(again.images, walk.images, atol=0.5 / 255 + 1e-6)
    for name in ("latents", "error_before", "error_after"):
        np.testing.assert_array_equal(getattr(again, name), getattr(walk, name))


def test_what_is_no_walk_is_named_and_left_out(walk, tmp_path):
    walk.save(tmp_path / "good.npz")
    (tmp_path / "bad.npz").write_bytes(b"no archive")
    np.savez(tmp_path / "other.npz", images=np.zeros([1, 3, 3, 2, 2, 1]))
    found, notes = saved_walks(tmp_path)
    assert len(found) == 1
    assert ["bad.npz" in notes[0], "other.npz" in notes[1]] == [True, True]


def test_pictures_and_numbers_are_those_of_the_run(trained):
    """T against the run's own walk, probabilities against the softmax of each network."""
    other = build_classifier((12, 12, 1), 3, widths=(4, 4, 4, 4, 4), seed=5)
    found = explore(trained, independent=other)
    data = found.payload()
    json.dumps(data, allow_nan=False)
    image = found.images[7:8]
    latents = found.planes[1].latents(3, 3.0)
    expected = trained.transformed_walk(image, latents)
    grid = data["grids"]["7/1/transformation"]
    shown = sheet(grid)[..., 0] / 255.0
    np.testing.assert_allclose(shown, expected.images[0, ..., 0], atol=0.011)
    said = numbers(grid)
    share = 1 - expected.error_after[0] / np.maximum(expected.error_before[0], 1e-12)
    share[1, 1] = np.nan
    assert said[1, 1, 0] == 255
    outer = np.isfinite(share)
    wanted = np.clip(np.round(100 * share[outer]), -150, 100)
    np.testing.assert_allclose(said[outer][:, 0].astype(int) - 150, wanted, atol=1)
    for network, columns in ((trained.target, slice(1, 4)), (other, slice(4, 7))):
        asked = softmax(network(expected.images[0].reshape(-1, 12, 12, 1)))
        np.testing.assert_allclose(
            said[..., columns].reshape(-1, 3) / 255.0, asked, atol=0.5 / 255 + 2e-3
        )


def test_what_was_found_by_inversion_is_shown_in_its_plane(trained, walk, monkeypatch):
    monkeypatch.setattr(module, "LAYOUTS", ((12, 3),))
    found = explore(trained, [walk])
    [grid] = [one for one in found.grids if one.method == "inversion"]
    assert found.numbers[grid.image] == 4
    assert found.planes[grid.plane].right.name == "z[2]"
    np.testing.assert_array_equal(grid.pictures, walk.images[0])
    assert found.inverted == [4]
    assert not found.has_independent
    middle = np.isfinite(grid.explained)
    assert middle.sum() == 8
    assert not middle[1, 1]


def test_shares_by_hand():
    shares = explained_shares(np.array([[4.0, 0.0, 2.0]]), np.array([[1.0, 0.0, 3.0]]))
    np.testing.assert_array_equal(shares, [[0.75, np.nan, -0.5]])


def test_bytes_by_hand():
    shares = np.array([[np.nan, 0.5, -9.0]])
    frozen = np.array([[[0.0, 1.0], [0.2, 0.8], [0.6, 0.4]]])
    grid = Grid(0, 0, "inversion", np.zeros([1, 3, 2, 2, 1]), shares, frozen, None)
    wanted = [[255, 0, 255], [200, 51, 204], [0, 153, 102]]
    np.testing.assert_array_equal(numbers_of(grid, [0, 1]), wanted)
    np.testing.assert_array_equal(numbers_of(grid, [1]), np.array(wanted)[:, [0, 2]])


@pytest.mark.parametrize(
    ("classes", "count", "each"), [(10, 20, 2), (3, 21, 7), (100, 20, 2), (2, 20, 10)]
)
def test_twenty_images_two_of_each_class(classes, count, each):
    labels = np.random.default_rng(0).permutation(np.arange(3000) % classes)
    chosen = image_numbers(labels)
    assert len(set(chosen)) == count
    counts = np.bincount(labels[chosen], minlength=classes)
    assert set(counts[counts > 0]) == {each}


def test_of_many_classes_the_likeliest_are_shown():
    frozen = np.full([1, 1, 30], 0.01)
    frozen[..., [3, 17, 28]] = 0.2
    grid = Grid(0, 0, "transformation", np.zeros([1, 1, 2, 2, 1]), np.zeros([1, 1]), frozen, None)
    names = tuple(map(str, range(30)))
    images = np.zeros([1, 2, 2, 1])
    found = Explorer([0], [9], images, names, [plain(0, 1)], [grid], 3.0, [])
    shown = found.payload()["images"][0]["classes"]
    assert len(shown) == 10
    assert {3, 9, 17, 28} <= set(shown)


def test_large_pictures_are_fewer(monkeypatch):
    """By hand: of 20 photographs of 224 × 224 one plane of 3 × 3 has 9e6 pixels, 5 × 5 2.5e7."""
    monkeypatch.undo()
    noise = np.random.default_rng(0).uniform(0, 1, (20, 7, 7, 3))
    photographs = noise.repeat(32, axis=1).repeat(32, axis=2)
    planes, size = module._layout(photographs, 12)
    assert planes == 1
    assert size in (3, 5)
    digits = np.zeros([20, 28, 28, 1])
    digits[:, 5:20, 9:12] = 0.7
    assert module._layout(digits, 12) == (12, 9)
    assert picture_uri(photographs[0]).startswith("data:image/webp;base64,")


def test_what_is_too_large_loses_planes_and_then_pixels():
    picture = np.arange(32.0 * 32).reshape(32, 32, 1) / 1024
    cells = np.broadcast_to(picture, (1, 1, 32, 32, 1))
    grids = [
        Grid(0, p, "transformation", cells, np.zeros([1, 1]), np.ones([1, 1, 2]), None)
        for p in (0, 1)
    ]
    whole = Explorer(
        [0], [0], picture[None], ("a", "b"), [plain(0, 1), plain(0, 2)], grids, 3.0, []
    )
    one = whole.smaller()
    assert [grid.plane for grid in one.grids] == [0]
    half = one.smaller()
    wanted = (picture[0, 0] + picture[0, 1] + picture[1, 0] + picture[1, 1]) / 4
    assert half.grids[0].pictures[0, 0, 0, 0] == pytest.approx(wanted)
    assert half.images.shape == (1, 16, 16, 1)
    assert half.smaller() is None


def test_a_latent_of_one_dimension_has_a_line(target, dataset):
    gan = FilterGAN(target, latent_dim=1)
    gan.compile()
    gan.adapt(dataset.x_train)
    line = TrainedRun.of(gan, Settings(method="infogan", latent_dim=1), dataset)
    found = explore(line)
    assert found.planes[0].down is None
    grid = found.payload()["grids"]["0/0/transformation"]
    assert (grid["rows"], grid["columns"]) == (1, 3)


def test_principal_directions_come_first_then_dimensions(trained):
    planes, note = planes_of(trained)
    assert [plane.right.kind for plane in planes] == ["principal"] * 3 + ["plain"] * 3
    assert note == ""
    lengths = [
        np.linalg.norm(axis.vector) for plane in planes for axis in (plane.down, plane.right)
    ]
    np.testing.assert_allclose(lengths, 1.0, rtol=1e-5)


def test_dimensions_that_have_names_come_first(trained):
    bending = ImageBending(latent_dim=3, kinds=("shift right", None, "slant"))
    planes, _ = planes_of(dataclasses.replace(trained, transformation=bending))
    assert [plane.right.kind for plane in planes] == ["plain"] * 3 + ["principal"] * 3
    names = [(plane.down.name, plane.right.name) for plane in planes[:3]]
    right, none, slant = "z[0]: shift right", "z[1]", "z[2]: slant"
    assert names == [(right, none), (right, slant), (none, slant)]


def test_a_generator_that_does_not_vary_has_plain_directions_and_says_why(trained):
    planes, note = planes_of(dataclasses.replace(trained, generator=Constant(trained.target)))
    assert {plane.right.kind for plane in planes} == {"plain"}
    assert note.startswith("There are no principal directions: expected activations that depend")


class Constant:
    """The real kernels whatever the latent."""

    latent_dim = 3

    def __init__(self, target: FrozenTarget):
        self.target = target

    def __call__(self, latents):
        shape = [tf.shape(latents)[0], *self.target.kernel_shape]
        return tf.broadcast_to(self.target.kernel, shape) + 0.0 * tf.reduce_sum(latents)
