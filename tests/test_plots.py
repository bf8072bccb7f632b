import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from keras_filtergan import plots


def images_of(figure):
    """The arrays that a figure shows, in order."""
    return [image.get_array().data for ax in figure.axes for image in ax.images]


def test_filters_show_the_same_slice_of_real_and_generated_kernels():
    generator = np.random.default_rng(0)
    real = generator.normal(size=(3, 3, 4, 6))
    real[..., 2] *= 10  # the strongest output channel comes first …
    real[:, :, 3, 2] *= 10  # … with its strongest input channel
    generated = generator.normal(size=(2, 3, 3, 4, 6))
    shown = images_of(plots.filters_figure(real, generated, channels=5))
    assert len(shown) == 3 * 5
    np.testing.assert_array_equal(shown[0], real[:, :, 3, 2])
    np.testing.assert_array_equal(shown[5], generated[0][:, :, 3, 2])
    np.testing.assert_array_equal(shown[10], generated[1][:, :, 3, 2])


def test_kernels_of_one_tap_are_shown():
    real = np.arange(1.0, 7.0).reshape(1, 1, 2, 3)
    shown = images_of(plots.filters_figure(real, -real[None]))
    assert [float(tile[0, 0]) for tile in shown] == [6, 5, 4, -6, -5, -4]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_grid_marks_the_original_and_what_changed(channels):
    images = np.random.default_rng(0).uniform(size=(3, 3, 5, 6, channels))
    changed = np.zeros((3, 3), bool)
    changed[0, 2] = True
    figure = plots.invariances_figure(images, [-1, 0, 1], ["z[0]", "z[1]"], "title", changed)
    shown = images_of(figure)
    np.testing.assert_array_equal(np.squeeze(images[1, 0]), shown[3])
    [ax] = figure.axes
    frames = [(patch.get_linewidth() > 1, patch.get_linestyle()) for patch in ax.patches]
    assert [i for i, (wide, _) in enumerate(frames) if wide] == [2, 4]
    assert frames[2][1] == ":"
    assert frames[4][1] == "-"


def test_tiles_lie_beside_each_other_and_keep_their_shape():
    images = np.zeros((3, 3, 5, 7, 1))
    changed = np.zeros((3, 3), bool)
    figure = plots.invariances_figure(images, [-1, 0, 1], ["z[0]", "z[1]"], "title", changed)
    FigureCanvasAgg(figure).draw()
    boxes = [image.get_window_extent() for image in figure.axes[0].images]
    for box in boxes:
        assert box.height / box.width == pytest.approx(5 / 7, rel=0.01)
    for left, right in ((0, 1), (1, 2), (3, 4)):
        assert 0 < boxes[right].x0 - boxes[left].x1 < 0.1 * boxes[0].width
    for above, below in ((0, 3), (4, 7)):
        assert 0 < boxes[above].y0 - boxes[below].y1 < 0.1 * boxes[0].height


@pytest.mark.parametrize("grid", [3, 5, 9])
def test_every_word_on_a_grid_is_inside_the_picture(grid):
    images = np.zeros((grid, grid, 4, 4, 1))
    title = "What stage/deep/conv4 cannot tell apart: test image 1234 (automobile, taken for truck)"
    title += ", images found by inversion, shifted by up to 1 px meanwhile\n89% of the change of "
    title += "kernels explained, pixel distance 0.19, same answer 100%"
    names = [f"principal {i} (92% explained)" for i in (1, 2)]
    changed = np.zeros((grid, grid), bool)
    figure = plots.invariances_figure(images, range(grid), names, title, changed)
    FigureCanvasAgg(figure).draw()
    for text in (figure._suptitle, figure._supxlabel, figure._supylabel):
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.x1
        assert box.y1 <= figure.bbox.y1
    assert " ".join(figure.get_suptitle().split()) == " ".join(title.split())


def test_every_channel_of_the_map_has_a_star_and_its_own_colour():
    points = np.random.default_rng(0).normal(size=(12, 2))
    channels = np.tile([3, 5, 8], 4)
    is_real = np.arange(12) < 3
    ax = plots.mds_figure(points, channels, is_real, "title").axes[0]
    assert [text.get_text() for text in ax.texts] == ["3", "5", "8"]
    stars = ax.collections[1::2]
    np.testing.assert_array_equal([s.get_offsets().data[0] for s in stars], points[:3])
    assert len({tuple(star.get_facecolor()[0]) for star in stars}) == 3


def test_training_curves_hold_the_history():
    terms = ("d_loss", "g_loss", "real_accuracy", "fake_accuracy", "code_error")
    terms += ("activation_variation", "discriminator_noise", "code_noise", "code_weight")
    history = [{"step": s, **{t: s * i for i, t in enumerate(terms)}} for s in (100, 200)]
    figure = plots.training_figure(history, "title")
    drawn = {line.get_label(): line.get_ydata() for ax in figure.axes for line in ax.lines}
    for i, term in enumerate(terms):
        np.testing.assert_array_equal(drawn[term], [100 * i, 200 * i])
