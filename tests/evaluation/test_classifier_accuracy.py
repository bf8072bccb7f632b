import dataclasses

import numpy as np

from keras_filtergan.evaluation import evaluate


def test_it_is_the_share_of_test_images_that_keras_gets_right(trained_subject):
    dataset = trained_subject.dataset
    labels = np.where(np.arange(40) % 4 == 0, 0, dataset.y_test)  # some of them wrong
    subject = dataclasses.replace(
        trained_subject, dataset=dataclasses.replace(dataset, y_test=labels)
    )
    scores = subject.target.classifier.predict(dataset.x_test / np.float32(255), verbose=0)
    right = [int(np.argmax(row)) == label for row, label in zip(scores, labels, strict=True)]
    assert 0.5 < np.mean(right) < 1
    card = evaluate(subject, ["classifier_accuracy"])
    assert card["classifier_accuracy"] == np.mean(right)
    assert card["taken_over"]["classifier_accuracy"] == {"images": 40}
