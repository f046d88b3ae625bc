"""The wheel holds all that a host needs: installed away from the checkout, every command works."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: Data files that no import would miss, by where they are in the checkout.
SHIPPED = {
    "features": "riskflag/_features",
    "experiments/borough": "riskflag/_experiments/borough",
    "riskflag/history/declared/sources": "riskflag/history/declared/sources",
    "riskflag/history/declared/code_lists": "riskflag/history/declared/code_lists",
    "riskflag/reports/templates": "riskflag/reports/templates",
    "riskflag/casework/migrations": "riskflag/casework/migrations",
}


def python(*words: str, cwd: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run this interpreter without the checkout on its path, and with `path` on it."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    environment |= {"COLUMNS": "200", "NO_COLOR": "1"} | ({"PYTHONPATH": path} if path else {})
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    built = python("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=ROOT)
    assert built.returncode == 0, built.stderr
    [found] = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """A folder with nothing but the wheel's content, as an installer unpacks it."""
    target = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


@pytest.fixture
def riskflag(installed, tmp_path):
    """Run a command of the installed copy in an empty folder; the checkout is not on the path."""
    # -S leaves out the editable install; the dependencies come from the same environment.
    path = os.pathsep.join([str(installed), sysconfig.get_paths()["purelib"]])

    def command(*words: str) -> str:
        ran = python("-S", "-m", "riskflag", *words, cwd=tmp_path, path=path)
        assert ran.returncode in (0, 10), ran.stdout + ran.stderr
        return ran.stdout

    return command


def tracked(folder: Path) -> set[str]:
    found = {
        p.relative_to(folder).as_posix()
        for p in folder.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    assert found, f"{folder} is empty"
    return found


@pytest.mark.parametrize(("ours", "theirs"), SHIPPED.items(), ids=SHIPPED)
def test_every_data_file_is_in_the_wheel(installed, ours, theirs):
    """Signals, rulebook, experiment, sources, templates, migrations: file by file, the same."""
    names = tracked(ROOT / ours)
    assert tracked(installed / theirs) == names
    for name in names:
        assert (installed / theirs / name).read_bytes() == (ROOT / ours / name).read_bytes()


def test_every_file_of_the_package_is_in_the_wheel_and_nothing_of_the_tests(wheel):
    """No cache, no test, no experiment run travels."""
    names = zipfile.ZipFile(wheel).namelist()
    for name in tracked(ROOT / "riskflag"):
        assert f"riskflag/{name}" in names
    for name in names:
        assert name.startswith(("riskflag/", "riskflag-")), name
        assert "__pycache__" not in name
    for name in ("riskflag/history/vocabulary.toml", "riskflag/reports/words.toml"):
        assert name in names


def test_the_installed_copy_is_the_one_that_runs(installed, tmp_path, riskflag):
    """The negative control of this file: what runs is not the checkout."""
    path = os.pathsep.join([str(installed), sysconfig.get_paths()["purelib"]])
    asked = "import riskflag; print(riskflag.__file__)"
    ran = python("-S", "-c", asked, cwd=tmp_path, path=path)
    assert Path(ran.stdout.strip()).is_relative_to(installed)
    assert riskflag("--version").startswith("riskflag ")


def test_the_catalogues_are_found(riskflag):
    """Signals, rules and sources come from the wheel."""
    assert "ed_attendances_180d" in riskflag("signals")
    assert "repeat_missing" in riskflag("rules")
    assert "ssda903_missing" in riskflag("sources")


def test_a_night_runs_from_the_wheel(riskflag, tmp_path):
    """From a source of the wheel to a page: templates, migrations, kernel and rules are there."""
    riskflag("init", "w", "--source", "ssda903")
    for name, text in DELIVERY.items():
        (tmp_path / "w" / "landing" / name).write_text(text)
    assert "contact versions added" in riskflag("ingest", "--workspace", "w", "--landed", DAY)
    said = riskflag("score", "--as-of", "2018-02-02", "--workspace", "w")
    assert "children assessed" in said
    [publication] = (tmp_path / "w" / "publications").glob("2018-*")
    assert (publication / "worklist.html").is_file()
    assert "All as it was left" in riskflag("verify", "--workspace", "w")


def test_the_shipped_experiment_is_found_by_name(installed, tmp_path):
    """`riskflag train borough` and `riskflag demo` need no checkout."""
    path = os.pathsep.join([str(installed), sysconfig.get_paths()["purelib"]])
    asked = (
        "from pathlib import Path; from riskflag.cli.demo import experiment_folder; "
        "from riskflag.training.data.experiment import Experiment, find_experiment; "
        "print(Experiment.read(find_experiment('borough', Path('w'))).name, experiment_folder())"
    )
    ran = python("-S", "-c", asked, cwd=tmp_path, path=path)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith(f"borough {installed}")


DAY = "2018-02-01"
DELIVERY = {
    "header.csv": "CHILD,SEX,DOB,ETHNIC,UPN,MOTHER,MC_DOB\n1,2,27/03/2008,WBRI,,,\n",
    "missing.csv": "CHILD,DOB,MISSING,MIS_START,MIS_END\n"
    + "".join(f"1,27/03/2008,M,{day}/01/2018,{day}/01/2018\n" for day in (10, 15, 20, 25, 28)),
}
