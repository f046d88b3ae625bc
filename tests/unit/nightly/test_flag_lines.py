"""The flags of a night as bytes: read one at a time, found by their ids."""

from __future__ import annotations

import pytest

from riskflag.errors import IntegrityError
from riskflag.nightly.flag_lines import FlagLines, FlagsById, cut_down
from riskflag.nightly.folder import FlagsFile, flag_line, flags_bytes, flags_pieces, sha256
from riskflag.nightly.listing import lines

FLAGS = [
    {"flag_id": "F-2026-000001", "child": {"display": 'A "flag_id": "F-2026-000009" B'}},
    {"flag_id": "F-2026-000002", "child": {"display": "Zoë\n[é]"}},
]


def test_flags_come_back_as_they_were_from_their_lines():
    """Each flag, and a slice of them."""
    made = [flag_line(flag) for flag in FLAGS]
    assert list(FlagLines(made)) == FLAGS
    assert list(FlagLines(made)[1:]) == FLAGS[1:]


def test_flags_are_found_in_their_file_by_id(tmp_path):
    """An id that is not there is none; another file than the one that was published is refused."""
    content = flags_bytes(FLAGS)
    (tmp_path / "flags.json").write_bytes(content)
    held = FlagsById.of(tmp_path, sha256(content))
    assert [held[flag["flag_id"]] for flag in FLAGS] == FLAGS
    assert "F-2026-000002" in held
    assert "F-2026-000009" not in held
    assert held.get("F-2026-000009") is held.cut_down("F-2026-000009") is None
    with pytest.raises(IntegrityError, match="not the one that was published"):
        FlagsById.of(tmp_path, sha256(b"other"))


def test_cutting_down_leaves_out_records_and_contributions_and_nothing_else():
    """Also when texts look like the names of parts, and when nothing of it is there."""
    trap = '", "contacts": [", "earlier_reasons": ['
    flag = {
        "as_of": trap,
        "contacts": [{"key": trap}],
        "earlier_reasons": [trap],
        "level": "soon",
        "model": {"base": 1.5, "contributions": [{"name": "a"}], "probability": 0.5},
        "reasons": [{"contact_keys": [trap], "model": {"share": 0.5}}],
    }
    short = {**flag, "model": {"base": 1.5, "probability": 0.5}}
    del short["contacts"]
    assert cut_down(flag_line(flag)) == short
    assert cut_down(flag_line({"level": trap})) == {"level": trap}


def test_a_line_that_cannot_be_cut_down_is_read_whole():
    """As when another program put its parts in another order."""
    flag = {"care": {"contacts": [1]}, "earlier_reasons": [], "level": "soon"}
    odd = b'{"care": {"a": 1, "contacts": [1]}, "earlier_reasons": [], "level": "soon"}'
    assert cut_down(odd) == {**flag, "care": {"a": 1, "contacts": [1]}}


@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_file_written_line_by_line_is_the_one_written_at_once(tmp_path, count):
    """The same bytes, and the hash of them."""
    with FlagsFile(tmp_path / "flags.json") as file:
        for flag in FLAGS[:count]:
            file.add(flag_line(flag))
        told = file.finish()
    content = (tmp_path / "flags.json").read_bytes()
    assert content == flags_bytes(FLAGS[:count])
    assert (file.size, told) == (len(content), sha256(content))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_the_file_holds_each_line_where_the_store_is_told_that_it_stands(count):
    """Pieces put together are the file, its hash is theirs, and each place gives its own line."""
    made = [flag_line(flag) for flag in FLAGS[:count]]
    content = flags_bytes(FLAGS[:count])
    assert content == b"".join(flags_pieces(made))
    assert sha256(content) == sha256(flags_pieces(made))
    assert [content[start : start + size] for start, size in lines(map(len, made))] == made
