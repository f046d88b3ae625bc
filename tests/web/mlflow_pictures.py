"""The documentation's pictures of MLflow's pages: `python -m tests.web.mlflow_pictures WORKSPACE`.

WORKSPACE holds recorded runs on a synthetic borough; its record is only read. The server is the
one that docs/analyst/mlflow.md starts, with the same switches, and is stopped at the end.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from riskflag.training.record.track import PARENT, Store
from riskflag.workspace import Workspace
from tests.functional.browser import browser
from tests.functional.pictures import IMAGES, _smaller

#: Milliseconds that a page is given to draw itself.
DRAWN = 9000
#: Where the plus sign before a run with folds lies.
OPENS = (319, 265)
SWITCHES = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


@contextmanager
def served(mlruns: Path) -> Iterator[str]:
    """The address of an MLflow server of this record, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["server", "--backend-store-uri", f"sqlite:///{mlruns / 'mlflow.db'}"]
    words += ["--artifacts-destination", str(mlruns / "artifacts"), "--workers", "1"]
    words += ["--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *words],
        env={**os.environ, **SWITCHES},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _answering(f"http://127.0.0.1:{port}")
    finally:
        server.terminate()
        server.wait()


def _answering(address: str) -> str:
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"{address}/health"):
                return address
        except urllib.error.URLError:
            time.sleep(0.5)
    raise SystemExit("the MLflow server did not begin to answer")


def pages(workspace: Workspace) -> dict[str, str]:
    """Each picture's name with the part of its address after the server's."""
    store = Store(workspace.mlruns)
    runs = store.runs()
    chosen = next((run for run in runs if store.folds(run)), runs[0])
    owner = store._client.get_run(chosen.id).info.experiment_id
    assert PARENT not in chosen.tags
    place = f"experiments/{owner}/runs"
    return {
        "mlflow-runs.png": f"{place}?workflowType=machine_learning",
        "mlflow-run.png": f"{place}/{chosen.id}?workflowType=machine_learning",
        "mlflow-models.png": "models/riskflag?workflowType=machine_learning",
    }


def draw(opened: Any, address: str, path: str, image: Path) -> None:
    """One page as a picture, once it has drawn what it asked for (its polling never ends)."""
    page = opened.new_page(viewport={"width": 1280, "height": 760})
    page.goto(f"{address}/#/{path}")
    page.wait_for_timeout(DRAWN)
    # The panel of MLflow's assistant, which nobody here asked for.
    page.mouse.click(1254, 36)
    if image.name == "mlflow-runs.png":
        page.wait_for_timeout(DRAWN // 3)
        page.mouse.click(*OPENS)
    page.wait_for_timeout(DRAWN // 3)
    page.screenshot(path=image)
    page.close()
    _smaller(image)


def main(folder: str) -> None:
    """Every picture into docs/images."""
    workspace = Workspace.open(Path(folder))
    with served(workspace.mlruns.resolve()) as address, browser() as opened:
        for name, path in pages(workspace).items():
            draw(opened, address, path, IMAGES / name)
            print(IMAGES / name)


if __name__ == "__main__":
    main(sys.argv[1])
