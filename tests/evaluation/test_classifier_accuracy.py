import numpy as np

from keras_filtergan.evaluation import evaluate


def test_it_is_the_share_of_test_images_that_keras_gets_right(subject, dataset, classifier):
    scores = classifier.predict(dataset.x_test / np.float32(255), verbose=0)
    right = [
        int(np.argmax(row)) == label for row, label in zip(scores, dataset.y_test, strict=True)
    ]
    assert 0 < sum(right) < len(right)
    assert evaluate(subject, ["classifier_accuracy"])["classifier_accuracy"] == np.mean(right)
