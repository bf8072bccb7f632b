import dataclasses

import oracles

from keras_filtergan.evaluation import evaluate


def test_it_is_the_accuracy_of_the_average_of_ten_activations(stumbling):
    improvements = []
    for seed in range(8):
        subject = dataclasses.replace(stumbling, seed=seed)
        averaged = oracles.all_activations(subject, 10).mean(axis=0).astype("float32")
        card = evaluate(subject, ["averaged_accuracy", "swapped_accuracy"])
        assert card["averaged_accuracy"] == oracles.accuracy(subject, averaged)
        improvements.append(card["averaged_accuracy"] - card["swapped_accuracy"]["mean"])
    assert max(improvements) > 0.05  # else a test of nothing
    assert card["taken_over"]["averaged_accuracy"] == {"latents": 10, "images": 40}
