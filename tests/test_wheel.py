"""What is installed from a wheel or an sdist trains and draws, without the checkout."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*words, cwd):
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in words], cwd=cwd, env=alone, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_in_a_clean_environment_it_trains_and_draws(kind, tmp_path):
    run(sys.executable, "-m", "pip", "install", "-q", "build", cwd=tmp_path)
    run(
        sys.executable,
        "-m",
        "build",
        f"--{kind}",
        "--outdir",
        tmp_path / "dist",
        ROOT,
        cwd=tmp_path,
    )
    [built] = (tmp_path / "dist").iterdir()
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "-q", built, cwd=tmp_path)
    program = tmp_path / "env" / "bin" / "keras-filtergan"
    said = run(program, "train", "--quick", "--steps", "5", "--out", "run", cwd=tmp_path)
    assert "more pictures: keras-filtergan visualize --run run" in said
    assert (tmp_path / "run" / "figures" / "filters.png").exists()
    run(
        program,
        "visualize",
        "--grid",
        "3",
        "--images",
        "7",
        "--run",
        "run",
        "--out",
        "more",
        cwd=tmp_path,
    )
    assert (tmp_path / "more" / "invariances_layer4_7.png").exists()
    assert "natural" in run(program, "list", "--runs", ".", cwd=tmp_path)
    where = run(python, "-c", "import keras_filtergan as k; print(k.__file__)", cwd=tmp_path)
    assert str(tmp_path / "env") in where
    assert (Path(where.strip()).parent / "py.typed").exists()
