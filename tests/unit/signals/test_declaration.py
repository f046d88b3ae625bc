"""Declarations as plain values: every signal comes back as it was, and nothing else does."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from riskflag.errors import ConfigError, IntegrityError
from riskflag.scoring.bundle import carried
from riskflag.signals import Catalogue, load_catalogue
from riskflag.signals.declaration import from_plain, to_plain
from riskflag.signals.expression import OPERATIONS, aggregates
from riskflag.training.promotion.parts import signal_entry
from tests.functional.test_own_signals import OWN
from tests.small_borough import write_features


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = tmp_path_factory.mktemp("own")
    write_features(folder, OWN, rules=False)
    return load_catalogue(folder)


def test_every_signal_comes_back_with_its_fingerprint(own: Catalogue) -> None:
    """All that are shipped, and some of every kind of expression, through JSON and back."""
    signals = (*load_catalogue().signals, *own.signals)
    assert {part.op for one in signals for part in aggregates(one.of)} == set(OPERATIONS)
    for signal in signals:
        again = from_plain(json.loads(json.dumps(to_plain(signal))))
        assert again == signal
        assert again.fingerprint == signal.fingerprint


def plain(own: Catalogue) -> dict[str, Any]:
    return copy.deepcopy(json.loads(json.dumps(to_plain(own.by_name["own_followed"]))))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("of", "kind"), "eval"),
        (("of", "op"), "system"),
        (("of", "days"), "90"),
        (("of", "days"), None),
        (("of", "within"), 1.5),
        (("of", "selection", "types"), "ed.attendance"),
        (("of", "selection", "types"), ["ed.nothing"]),
        (("of", "selection", "where"), [["category"]]),
        (("of", "selection", "extra"), 1),
        (("of",), [1]),
        (("name",), "../own"),
        (("protective",), 1),
        (("further",), "x"),
    ],
)
def test_what_no_signal_declares_is_refused(
    own: Catalogue, path: tuple[str, ...], value: object
) -> None:
    """A crafted declaration ends in one sentence, never in another signal or a crash."""
    told = plain(own)
    inner = told
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ConfigError):
        from_plain(told)


def test_a_carried_signal_must_be_what_its_fingerprint_says(own: Catalogue) -> None:
    """Another window under the same fingerprint is found; without the change all come."""
    entries = [signal_entry(one) | {"declared": to_plain(one)} for one in own.signals]
    assert tuple(carried(entries, "here")) == own.signals
    entries[0]["declared"]["question"] = "Something else?"
    with pytest.raises(IntegrityError, match="own_worries_60d is not declared as its fingerprint"):
        list(carried(entries, "here"))


def test_the_catalogue_takes_what_it_does_not_have_and_tells_so(own: Catalogue) -> None:
    """Its fingerprint changes with what came, so the night's key does; nothing is taken twice."""
    here = Catalogue(own.signals[:2], "a" * 64, Path("none"))
    whole = here.with_more(own.signals)
    assert whole.names == own.names
    assert whole.fingerprint != here.fingerprint
    assert whole.with_more(own.signals) is whole
    assert here.with_more(()) is here
