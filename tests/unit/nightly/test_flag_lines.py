"""The flags of a night as bytes: read one at a time, found by their ids."""

from __future__ import annotations

import pytest

from riskflag.nightly.flag_lines import FlagLines, FlagsById, line_id
from riskflag.nightly.folder import flag_line, flags_bytes, flags_pieces, sha256
from riskflag.nightly.listing import lines

FLAGS = [
    {"flag_id": "F-2026-000001", "child": {"display": 'A "flag_id": "F-2026-000009" B'}},
    {"flag_id": "F-2026-000002", "child": {"display": "Zoë\n[é]"}},
]


def test_flags_come_back_as_they_were_from_their_lines():
    """Each flag, a slice of them, and a flag by its id; an id that is not there is none."""
    made = [flag_line(flag) for flag in FLAGS]
    assert list(FlagLines(made)) == FLAGS
    assert list(FlagLines(made)[1:]) == FLAGS[1:]
    held = FlagsById({line_id(line): line for line in made})
    assert [held[flag["flag_id"]] for flag in FLAGS] == FLAGS
    assert held.get("F-2026-000009") is None


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_file_holds_each_line_where_the_store_is_told_that_it_stands(count):
    """Pieces put together are the file, its hash is theirs, and each place gives its own line."""
    made = [flag_line(flag) for flag in FLAGS[:count]]
    content = flags_bytes(FLAGS[:count])
    assert content == b"".join(flags_pieces(made))
    assert sha256(content) == sha256(flags_pieces(made))
    assert [content[start : start + size] for start, size in lines(map(len, made))] == made
