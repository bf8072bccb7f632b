import dataclasses

import numpy as np
import pytest

from keras_filtergan.evaluation import Subject
from keras_filtergan.inversion.inversion import Inverter
from keras_filtergan.inversion.walks import latent_grid
from keras_filtergan.runs import gallery
from keras_filtergan.runs.classifier_cache import independent_classifier


def test_the_transformed_walk_measures_what_the_inversion_measures(trained):
    """Cell by cell against the definition, and at the start against the inverter's own walk."""
    image = trained.dataset.x_test[0] / np.float32(255)
    latents = latent_grid(np.zeros(3), 3, (0, 2), grid=3, span=2.0)
    walk = trained.transformed_walk(image[None], latents)
    target = trained.target
    middle = trained.generator(latents[1, 1][None])[0]
    wanted = target.activations(target.features(image[None]), middle).numpy()
    for row, column in np.ndindex(3, 3):
        z = latents[row, column][None]
        cell = trained.transformation((image[None], latents[1:2, 1], z)).numpy()
        np.testing.assert_allclose(walk.images[0, row, column], cell[0], atol=1e-6)
        found = target.activations(target.features(cell), trained.generator(z)[0]).numpy()
        expected = np.sum((found - wanted) ** 2)
        assert walk.error_after[0, row, column] == pytest.approx(expected, rel=1e-3, abs=1e-5)
    np.testing.assert_allclose(walk.images[0, 1, 1], image, atol=1e-6)
    inverter = Inverter(target, trained.generator, steps=1)
    inverted = inverter.walk(image[None], np.zeros(3), (0, 2), grid=3, span=2.0)
    np.testing.assert_allclose(walk.error_before, inverted.error_before, rtol=1e-3, atol=1e-5)


def test_one_image_of_a_walk_is_the_walk_of_that_image(trained):
    images = trained.dataset.x_test[:3] / np.float32(255)
    inverter = Inverter(trained.target, trained.generator, steps=2)
    walk = inverter.walk(images, np.zeros(3), grid=3, span=1.0)
    alone = inverter.walk(images[1:2], np.zeros(3), grid=3, span=1.0)
    one = walk.of_image(1)
    assert one.explained_fraction == pytest.approx(alone.explained_fraction, rel=1e-2, abs=1e-4)
    np.testing.assert_array_equal(one.start, images[1:2])
    np.testing.assert_array_equal(one.images, walk.images[1:2])


def test_the_subject_of_a_run_holds_its_parts(trained):
    subject = trained.subject()
    assert isinstance(subject, Subject)
    assert subject.kernels is trained.generator
    assert subject.code_noise == 2.5


def test_an_image_that_the_network_gets_wrong_is_marked(trained):
    """Labels by the network's own answers, of which one is then called wrong."""
    images = trained.dataset.x_test
    answers = np.argmax(trained.target(images / np.float32(255)), axis=-1)
    labels = answers.copy()
    labels[1] = (answers[1] + 1) % 3
    told = dataclasses.replace(trained, dataset=dataclasses.replace(trained.dataset, y_test=labels))
    inverter = Inverter(told.target, told.generator, steps=1)
    walk = inverter.walk(images[:2] / np.float32(255), np.zeros(3), grid=3, span=1.0)
    right, wrong = (
        gallery._draw_grid(told, walk.of_image(i), i, "by test", ["z[0]", "z[1]"], 1.0)
        for i in (0, 1)
    )
    names = told.dataset.class_names
    note = f"({names[labels[1]]}, taken for {names[answers[1]]})"
    titles = [" ".join(figure.get_suptitle().split()) for figure in (right, wrong)]  # of one line
    assert [note in title for title in titles] == [False, True]
    assert "taken for" not in titles[0]


def test_too_small_images_have_no_independent_network(trained, tmp_path):
    """Known before anything is computed, so that the rest of the card is not lost."""
    assert callable(independent_classifier(trained, tmp_path))
    data = trained.dataset
    small = dataclasses.replace(data, x_train=data.x_train[:, :8], x_test=data.x_test[:, :8])
    assert independent_classifier(dataclasses.replace(trained, dataset=small), tmp_path) is None
