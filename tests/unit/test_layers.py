"""The layers: a room imports only from rooms above it, and the gate that holds it can go red."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALLOWED_IN_FEATURES = {"__future__", "riskflag.signals"}


def lint_layers(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the layer contracts of pyproject.toml on the package in `folder`."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("riskflag/clock.py", "import riskflag.history.store.view"),
        ("riskflag/history/store/parquet_store.py", "import riskflag.signals.build"),
        ("riskflag/scoring/rules.py", "import riskflag.nightly.run"),
        ("riskflag/nightly/run.py", "import mlflow"),
        ("riskflag/history/files/raw_file.py", "import riskflag.history.files.csv_reader"),
    ],
)
def test_an_import_against_the_layers_is_found(tmp_path, file, line):
    """Negative control: a planted import in the wrong direction turns the gate red."""
    shutil.copytree(ROOT / "riskflag", tmp_path / "riskflag")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    planted = tmp_path / file
    planted.write_text(planted.read_text() + f"\n{line}\n")
    result = lint_layers(tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "BROKEN" in result.stdout


def test_the_package_keeps_its_layers():
    """The package as it stands passes every contract."""
    result = lint_layers(ROOT)
    assert result.returncode == 0, result.stdout


def imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_features_import_only_the_signal_language():
    """What practice leads edit declares signals and does nothing else."""
    files = sorted((ROOT / "features").glob("*.py"))
    assert len(files) > 8
    found = {file.name: imported(file.read_text()) - ALLOWED_IN_FEATURES for file in files}
    assert not any(found.values()), found


def test_a_feature_that_imports_more_is_found():
    """Negative control of the check above."""
    assert imported("import os\nfrom riskflag.signals import count\n") - ALLOWED_IN_FEATURES == {
        "os"
    }
