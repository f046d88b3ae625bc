"""The house rules that a machine can hold: sizes, bans, and words that must not be committed.

Each gate has a negative control: the same check on a planted fault must find it.
"""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAX_FUNCTION, MAX_FILE, MAX_ARGUMENTS = 50, 400, 6

BANNED_CALLS = {"eval", "exec", "read_pickle", "load_model"}
BANNED_MODULES = {"pickle", "cloudpickle", "joblib", "dill", "shelve", "marshal", "yaml"}
CLOCK_CALLS = {"today", "now", "utcnow"}
#: Of the module `time` these tell the time of day; `monotonic` and the like only measure.
DAYTIME = {"time", "time_ns", "localtime", "gmtime", "ctime"}


def python_files(*folders: str) -> list[Path]:
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    assert files, "no files to check: the gate would pass on nothing"
    return files


def functions(tree: ast.AST) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    total = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        total -= first.end_lineno - first.lineno + 1
    return total


def size_faults(source: str, name: str) -> list[str]:
    faults = []
    if source.count("\n") > MAX_FILE:
        faults.append(f"{name}: {source.count(chr(10))} lines")
    for function in functions(ast.parse(source)):
        named = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        arguments = [a for a in named if a.arg not in {"self", "cls"}]
        is_command = any("command" in ast.unparse(d) for d in function.decorator_list)
        is_kernel = any("njit" in ast.unparse(d) for d in function.decorator_list)
        if length(function) > MAX_FUNCTION and function.name != "register":
            faults.append(f"{name}:{function.lineno} {function.name}: {length(function)} lines")
        if len(arguments) > MAX_ARGUMENTS and not (is_command or is_kernel):
            faults.append(f"{name}:{function.lineno} {function.name}: {len(arguments)} arguments")
    return faults


def banned_in(source: str, name: str, *, clock_allowed: bool = False) -> list[str]:
    faults = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = (
                [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
            )
            faults += [
                f"{name}:{node.lineno} {m}"
                for m in modules
                if m and m.split(".")[0] in BANNED_MODULES
            ]
        if isinstance(node, ast.Call):
            called = node.func
            word = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if word in BANNED_CALLS:
                faults.append(f"{name}:{node.lineno} {word}()")
    return faults if clock_allowed else faults + clock_faults(source, name)


def clock_faults(source: str, name: str) -> list[str]:
    """Where a file asks the time of day, called there or only named (as a default, say)."""
    faults, modules = [], {"time"}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            modules |= {a.asname or a.name for a in node.names if a.name == "time"}
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            faults += [f"{name}:{node.lineno} {a.name}" for a in node.names if a.name in DAYTIME]
        elif isinstance(node, ast.Attribute):
            whose = ast.unparse(node.value)
            by_date = node.attr in CLOCK_CALLS and whose != "clock"
            if by_date or (whose in modules and node.attr in DAYTIME):
                faults.append(f"{name}:{node.lineno} {whose}.{node.attr}")
    return faults


@pytest.mark.parametrize("file", python_files("riskflag", "features"), ids=lambda f: f.name)
def test_functions_and_files_stay_small(file):
    """No function over 50 lines, no file over 400, no more than six arguments."""
    assert size_faults(file.read_text(), str(file.relative_to(ROOT))) == []


def test_the_size_gate_sees_a_long_function_and_a_long_argument_list():
    """Negative control: planted faults are found."""
    long = "def f():\n" + "    x = 1\n" * 60
    assert size_faults(long, "x.py")
    assert size_faults("def f(a, b, c, d, e, f, g): ...\n", "x.py")
    assert size_faults("x = 1\n" * 500, "x.py")


@pytest.mark.parametrize("file", python_files("riskflag", "features"), ids=lambda f: f.name)
def test_nothing_executes_from_data_and_only_the_clock_tells_the_time(file):
    """No pickle or its kin, no eval, no model loader; the time of day comes from one place."""
    name = str(file.relative_to(ROOT))
    source = file.read_text()
    assert banned_in(source, name, clock_allowed=name == "riskflag/clock.py") == []


@pytest.mark.parametrize(
    "line",
    [
        "import pickle",
        "from joblib import load",
        "eval('1')",
        "m.load_model(x)",
        "date.today()",
        "datetime.now(UTC)",
        "dt.datetime.now",
        "pd.Timestamp.utcnow()",
        "import time\ntime.time()",
        "import time as t\nt.time_ns()",
        "from time import time",
        "f(default=time.time)",
    ],
)
def test_the_ban_gate_sees_each_kind_of_fault(line):
    """Negative control: planted faults are found."""
    assert banned_in(line + "\n", "x.py")


@pytest.mark.parametrize("line", ["time.monotonic()", "clock.today()", "from time import sleep"])
def test_the_ban_gate_lets_through_what_does_not_tell_the_time(line):
    """Measuring how long something took, and asking the clock, are allowed."""
    assert banned_in(line + "\n", "x.py") == []


HOSTS = "|".join(["py" + "pi", "files" + r"\.python" + "hosted", "registry" + r"\.npm" + "js"])
PATHS = "|".join(["/" + "root/", "/" + "work/", "/" + "home/[a-z]"])
UNWANTED = re.compile(rf"({HOSTS}|(?<![\w.])({PATHS}))")


def unwanted_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if UNWANTED.search(line)]


def test_no_tracked_text_names_a_download_host_or_a_path_of_a_machine():
    """What is committed speaks of the project alone."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        pytest.skip("this is not a git checkout, so there is no list of tracked files")
    names = [name for name in listing.stdout.split("\0") if name]
    assert len(names) > 50
    found = {}
    for name in names:
        path = ROOT / name
        if path.suffix in {".png", ".parquet", ".ico"} or not path.is_file():
            continue
        lines = unwanted_lines(path.read_text(encoding="utf-8"))
        if lines:
            found[name] = lines[:3]
    assert found == {}


def test_the_host_gate_sees_a_planted_host_and_path():
    """Negative control: planted faults are found."""
    assert unwanted_lines("see https://" + "py" + "pi.org/x")
    assert unwanted_lines("open /" + "root/x")
