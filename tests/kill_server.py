"""A process that has imported TensorFlow and forks one for each command, which may kill itself.

Reads a JSON object a line: `words` of `train.py`, `root` (a folder), and perhaps `at` (how many
file operations under `root` until the end) and `signal`. Answers with the exit status and the
number of file operations. With `small`, what is drawn and measured is cut to what costs no time.
"""

import json
import os
import signal
import sys


def make_small():
    import tensorflow as tf

    from keras_filtergan.runs import gallery, training

    tf.config.run_functions_eagerly(True)  # tracing costs more than a few steps
    tf.data.experimental.enable_debug_mode()
    evaluate = training.evaluate
    training.evaluate = lambda subject, *_: evaluate(subject, ("classifier_accuracy",))
    gallery._draw_mds = gallery._draw_filters
    gallery._draw_invariances = lambda trained, view, numbers, tell: (
        {
            name: gallery._draw_filters(trained)
            for name in gallery._grid_names(trained, numbers[:1])
        },
        {},
    )
    image_numbers = gallery._image_numbers
    gallery._image_numbers = lambda trained, wanted: image_numbers(trained, wanted)[:1]


def count_operations(root, at, signum, count):
    kinds = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.listdir", "os.scandir"}

    def hook(event, arguments):
        if event not in kinds or not str(arguments[0]).startswith(root):
            return
        count[0] += 1
        if count[0] == at:
            os.kill(os.getpid(), signum)

    sys.addaudithook(hook)


def child(job, report):
    if job.get("small"):
        make_small()
    from keras_filtergan.cli import module_main

    with open(os.path.join(job["root"], "screen.txt"), "a") as screen:
        os.dup2(screen.fileno(), 1)
        os.dup2(screen.fileno(), 2)
    count = [0]
    count_operations(os.path.join(job["root"], ""), job.get("at", 0), job.get("signal", 9), count)
    try:
        code = module_main(job["words"])
    except SystemExit as stop:
        code = stop.code
    os.write(report, str(count[0]).encode())
    os._exit(code)


def main():
    import keras  # noqa: F401
    import matplotlib.figure  # noqa: F401
    import tensorflow  # noqa: F401

    import keras_filtergan.cli
    import keras_filtergan.runs.gallery
    import keras_filtergan.runs.training  # noqa: F401

    for line in sys.stdin:
        job = json.loads(line)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            child(job, writer)
        os.close(writer)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        operations = os.read(reader, 100).decode()
        os.close(reader)
        print(json.dumps({"status": status, "operations": int(operations or 0)}), flush=True)


if __name__ == "__main__":
    main()
