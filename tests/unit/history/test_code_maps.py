"""Codes through a map: exact keys before patterns, the first pattern before the next, * last."""

from __future__ import annotations

import pyarrow as pa

from riskflag.history.declared.code_maps import translated

YES = {"Yes": "exact", r"~(?:[a-z]\) *)?y(?:es)?": "yes", "~y.*": "later", "~.*stated": ""}


def test_exact_before_pattern_before_any_other():
    codes = pa.array(["Yes", "YES", "a) yes", "yellow", "not stated", "no", "xyes"])
    expected = ["exact", "yes", "yes", "later", "", None, None]
    assert translated(codes, YES) == expected
    assert translated(codes, YES | {"*": "other"}) == [
        "other" if value is None else value for value in expected
    ]


def test_a_pattern_must_fit_the_whole_code():
    assert translated(pa.array(["6", "16", "6: Police"]), {"~6|7": "police"}) == [
        "police",
        None,
        None,
    ]


def test_no_codes_and_no_map():
    assert translated(pa.array([], pa.string()), YES) == []
    assert translated(pa.array(["a"]), {}) == [None]
