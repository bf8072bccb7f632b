import oracles

from keras_filtergan.evaluation import evaluate


def test_it_is_the_accuracy_of_the_average_of_ten_activations(stumbling):
    averaged = oracles.all_activations(stumbling, 10).mean(axis=0).astype("float32")
    expected = oracles.accuracy(stumbling, averaged)
    card = evaluate(stumbling, ["averaged_accuracy", "swapped_accuracy"])
    assert card["averaged_accuracy"] == expected
    assert abs(expected - card["swapped_accuracy"]["mean"]) > 0.01  # else a test of nothing
    assert card["taken_over"]["averaged_accuracy"] == {"latents": 10, "images": 40}
