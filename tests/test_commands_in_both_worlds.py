"""The two main commands, as a user types them, with oneDNN off and on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.parametrize("onednn", ["0", "1"])
def test_from_nothing_to_pictures(onednn, tmp_path):
    def command(script, *words):
        result = subprocess.run(
            [sys.executable, ROOT / script, *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": onednn, "PYTHONPATH": str(ROOT)},
            timeout=1200,
        )
        assert result.returncode == 0, result.stdout[-2000:] + result.stderr
        return result.stdout

    command("train.py", "--layer", "4", "--quick")
    [run] = (tmp_path / "runs").glob("*-layer4-seed0-quick")
    card = json.loads((run / "evaluation.json").read_text())
    assert card["classifier_accuracy"] > 0.8  # one that learned
    assert card["activation_variation"] > 0.0
    assert json.loads((run / "config.json").read_text())["environment"]["onednn"] == onednn
    drawn = {path.name for path in (run / "figures").glob("*.png")}
    assert {"filters.png", "mds.png", "training.png"} <= drawn
    assert sum(name.startswith("invariances_layer4_") for name in drawn) == 4
    assert (run / "report.html").read_text().rstrip().endswith("</html>")
    assert "invariances_layer4_7.png" in command("visualize.py", "--images", "7", "--grid", "3")
    for path in (run / "figures").glob("**/*.png"):
        assert path.read_bytes().startswith(b"\x89PNG")
