import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from keras_filtergan import plots


def images_of(figure):
    """The arrays that a figure shows, in the order of its axes."""
    return [ax.images[0].get_array().data for ax in figure.axes if ax.images]


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


@pytest.mark.parametrize("channels", [1, 3])
def test_the_grid_marks_the_original_and_what_changed(channels):
    images = np.random.default_rng(0).uniform(size=(3, 3, 5, 6, channels))
    changed = np.zeros((3, 3), bool)
    changed[0, 2] = True
    figure = plots.invariances_figure(images, [-1, 0, 1], ["z[0]", "z[1]"], "title", changed)
    shown = images_of(figure)
    np.testing.assert_array_equal(np.squeeze(images[1, 0]), shown[3])
    styles = [ax.spines["left"].get_linestyle() for ax in figure.axes]
    widths = [ax.spines["left"].get_linewidth() for ax in figure.axes]
    assert [i for i, width in enumerate(widths) if width > 1] == [2, 4]
    assert styles[2] == ":"
    assert styles[4] == "-"


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
