import dataclasses

import numpy as np
import pytest

from keras_filtergan.errors import InputError
from keras_filtergan.evaluation import Subject, evaluate, grids
from keras_filtergan.generators.kernel_source import KernelFunction
from keras_filtergan.inversion.walks import Walk


def test_the_images_are_one_of_each_class_then_the_next():
    labels = np.array([2, 2, 0, 1, 0, 2, 1, 1])
    eligible = np.array([0, 1, 1, 1, 1, 1, 0, 1], bool)
    chosen = [grids.one_of_each_class(labels, eligible, count) for count in (2, 3, 5, 100)]
    assert [list(numbers) for numbers in chosen] == [
        [2, 3],
        [2, 3, 1],
        [2, 3, 1, 4, 7],
        [2, 3, 1, 4, 7, 5],
    ]


def test_the_dimensions_are_two_of_those_there_are_and_follow_the_seed():
    drawn = {grids.random_dims(4, seed) for seed in range(100)}
    assert drawn == {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)}
    assert grids.random_dims(4, 5) == grids.random_dims(4, 5)
    assert grids.random_dims(1, 0) is None


@pytest.fixture(scope="module", autouse=True)
def short():
    """Grids that are quick to fill: 3 × 3, and four images."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grids, "GRID", 3)
        patch.setattr(grids, "IMAGES", 4)
        yield


@pytest.fixture(scope="module")
def walked(trained_subject, short) -> Subject:
    """A subject whose walk is done once for this file."""
    subject = dataclasses.replace(trained_subject)
    assert len(subject.walk.start) == 4
    return subject


def with_walk(subject: Subject, walk: Walk) -> Subject:
    other = dataclasses.replace(subject)
    vars(other)["walk"] = walk  # where `cached_property` keeps it
    return other


def test_the_walk_is_that_of_the_paper(walked):
    walk, dataset = walked.walk, walked.dataset
    first, second = grids.random_dims(3, seed=7)
    assert walk.images.shape == (4, 3, 3, *dataset.image_shape)
    expected = np.zeros((3, 3, 3))
    expected[..., first] += np.array([-3, 0, 3])[:, None]
    expected[..., second] += np.array([-3, 0, 3])
    np.testing.assert_allclose(walk.latents, expected, atol=1e-6)
    pictures = [
        np.flatnonzero((dataset.x_test / np.float32(255) == x).all((1, 2, 3))) for x in walk.start
    ]
    numbers = np.concatenate(pictures)
    answers = np.argmax(walked.target(walk.start), axis=-1)
    np.testing.assert_array_equal(dataset.y_test[numbers], answers)
    assert sorted(answers[:3]) == [0, 1, 2]


def test_the_walk_is_done_once_for_all_metrics(walked):
    calls = []

    def kernels(latents):
        calls.append(len(latents))
        return walked.kernels(latents)

    subject = dataclasses.replace(
        walked,
        kernels=KernelFunction(kernels, 3),
        independent_classifier=lambda: walked.target.classifier,
    )
    names = ["explained_fraction", "pixel_distance", "label_agreement"]
    card = evaluate(subject, [*names, "independent_label_agreement"])
    assert calls == [9]
    assert all(over == {"latents": 9, "images": 4} for over in card["taken_over"].values())
    assert card["independent_label_agreement"] == card["label_agreement"]


def test_a_network_that_gets_nothing_right_has_no_grids(trained_subject):
    dataset = trained_subject.dataset
    wrong = np.argmin(trained_subject.target(dataset.x_test / np.float32(255)), axis=-1)
    subject = dataclasses.replace(
        trained_subject, dataset=dataclasses.replace(dataset, y_test=wrong)
    )
    with pytest.raises(InputError, match="gets a test image right, it gets none"):
        evaluate(subject, ["explained_fraction"])


def test_explained_fraction_is_its_definition(walked):
    """Activations of every cell, computed anew."""
    walk, target = walked.walk, walked.target
    before = after = 0.0
    for i, x in enumerate(walk.start):
        wanted = activation(target, x, walked.kernels(np.zeros((1, 3), "float32"))[0])
        for row, column in np.ndindex(3, 3):
            kernels = walked.kernels(walk.latents[row, column][None])[0]
            before += np.square(activation(target, x, kernels) - wanted).sum()
            after += np.square(
                activation(target, walk.images[i, row, column], kernels) - wanted
            ).sum()
    value = evaluate(walked, ["explained_fraction"])["explained_fraction"]
    assert 0.05 < value < 1
    assert value == pytest.approx(1 - after / before, abs=1e-4)


def activation(target, image, kernels):
    return target.activations(target.features(image[None]), kernels).numpy()[0].astype("float64")


def test_memorised_kernels_have_nothing_to_explain(trained_subject):
    real = trained_subject.target.kernel.numpy()
    subject = dataclasses.replace(
        trained_subject, kernels=KernelFunction(lambda z: np.repeat(real[None], len(z), 0), 3)
    )
    card = evaluate(subject, ["explained_fraction", "pixel_distance", "label_agreement"])
    assert card["explained_fraction"] is None
    assert card["pixel_distance"] == pytest.approx(0.0, abs=1e-6)
    assert card["label_agreement"] == 1.0


def test_pixel_distance_is_the_mean_over_cells(walked):
    walk = walked.walk
    distances = [
        np.linalg.norm(walk.images[i, row, column] - walk.start[i]) / np.linalg.norm(walk.start[i])
        for i, row, column in np.ndindex(4, 3, 3)
    ]
    value = evaluate(walked, ["pixel_distance"])["pixel_distance"]
    assert value > 0.01
    assert value == pytest.approx(np.mean(distances), rel=1e-5)


def test_label_agreement_counts_cells_that_keep_the_answer(walked):
    """A walk whose pictures turn into those of the next class in known cells."""
    walk = walked.walk
    images = np.repeat(walk.start[:, None, None], 3, 1).repeat(3, 2)
    images[0, 0, :] = walk.start[1]  # classes 0, 1, 2 and 0
    images[1, 2, 2] = walk.start[2]
    images[3, 1, 1] = walk.start[0]  # another picture of the same class
    subject = with_walk(walked, dataclasses.replace(walk, images=images))
    card = evaluate(subject, ["label_agreement"])
    assert card["label_agreement"] == pytest.approx(32 / 36)


def test_independent_agreement_asks_the_other_network(walked):
    """A network that knows the very pictures by heart, and calls all others a fourth class."""
    walk = walked.walk
    labels = [0, 1, 2, 0]

    def strict(images):
        answers = []
        for image in np.asarray(images):
            same = np.flatnonzero((walk.start == image).all((1, 2, 3)))
            answers.append(labels[same[0]] if len(same) else 3)
        return np.eye(4, dtype="float32")[answers]

    subject = with_walk(dataclasses.replace(walked, independent_classifier=lambda: strict), walk)
    kept = np.mean((walk.images == walk.start[:, None, None]).all((-3, -2, -1)))
    assert 0 < kept < 1
    card = evaluate(subject, ["independent_label_agreement"])
    assert card["independent_label_agreement"] == pytest.approx(kept)


def test_a_network_that_misreads_the_original_does_not_agree_with_its_label(walked):
    def stubborn(images):
        return np.eye(3, dtype="float32")[np.ones(len(images), int)]  # all are of class 1

    subject = dataclasses.replace(walked, independent_classifier=lambda: stubborn)
    subject = with_walk(subject, walked.walk)
    card = evaluate(subject, ["independent_label_agreement"])
    assert card["independent_label_agreement"] == pytest.approx(1 / 4)
