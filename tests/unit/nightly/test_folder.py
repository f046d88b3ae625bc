"""Publication folders and anchors: whole or not there, also after a torn write."""

from __future__ import annotations

import pytest

from riskflag.casework.audit import Head
from riskflag.errors import IntegrityError
from riskflag.nightly import anchors, folder
from riskflag.nightly.caveats import Situation, caveats


def test_flags_are_one_on_a_line_and_the_same_for_the_same_flags():
    """Keys in another order give the same bytes; none gives an empty list."""
    one, other = {"a": 1, "b": [None, "é"]}, {"b": [None, "é"], "a": 1}
    assert folder.flags_bytes([one, one]) == folder.flags_bytes([other, other])
    assert folder.flags_bytes([one, one]).count(b"\n") == 4
    assert folder.flags_bytes([]) == b"[]\n"


def test_a_value_that_is_not_a_number_never_gets_into_a_file():
    """JSON has no NaN: unknown is null, decided before."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        folder.flags_bytes([{"value": float("nan")}])


def test_leftovers_of_an_ended_run_are_replaced(tmp_path):
    """A staging folder and a nameless publication of an ended run do not survive."""
    (tmp_path / ".staging-old").mkdir()
    (tmp_path / "night").mkdir()
    (tmp_path / "night" / "half").write_text("x")
    staging = folder.begin(tmp_path, "night")
    folder.write(staging / "flags.json", b"[]\n")
    folder.finish(staging, tmp_path / "night")
    assert [path.name for path in tmp_path.iterdir()] == ["night"]
    assert [path.name for path in folder.files(tmp_path / "night")] == ["flags.json"]


def test_files_that_are_known_are_not_read_again_unless_their_size_is_another(tmp_path):
    """What is told of a file that was written goes into the list as it is."""
    for name in ("one", "two"):
        (tmp_path / name).write_text("text")
    known = {name: {"bytes": size, "sha256": "told"} for name, size in (("one", 4), ("two", 5))}
    found = folder.listed(tmp_path, {**known, "three": {"bytes": 4, "sha256": "told"}})
    assert found == {"one": known["one"], "two": folder.told(b"text")}


@pytest.mark.parametrize("change", ["edit", "delete", "add"])
def test_each_change_of_a_folder_is_named(tmp_path, change):
    """Edited, missing and unknown files are faults; an untouched folder has none."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "one.html").write_text("one")
    manifest = folder.pretty_bytes({"files": folder.listed(tmp_path)})
    (tmp_path / "manifest.json").write_bytes(manifest)
    known = folder.sha256(manifest)
    assert folder.faults(tmp_path, known) == []
    if change == "edit":
        (tmp_path / "pages" / "one.html").write_text("two")
    elif change == "delete":
        (tmp_path / "pages" / "one.html").unlink()
    else:
        (tmp_path / "pages" / "two.html").write_text("two")
    assert folder.faults(tmp_path, known) == [f"pages/{'two' if change == 'add' else 'one'}.html"]


def test_a_missing_file_is_an_integrity_error(tmp_path):
    """Exit 40 with the name of the file."""
    with pytest.raises(IntegrityError, match=r"flags\.json is missing"):
        folder.read_flags(tmp_path, "00")


def test_anchors_survive_a_torn_last_line(tmp_path):
    """What a crash cut short does not count and does not spoil what follows."""
    anchors.append(tmp_path, "one", Head(1, "aa"))
    with (tmp_path / anchors.NAME).open("a") as handle:
        handle.write('{"run_key": "tw')
    assert anchors.read(tmp_path) == [("one", Head(1, "aa"))]
    anchors.append(tmp_path, "two", Head(2, "bb"))
    anchors.append(tmp_path, "two", Head(3, "cc"))
    assert anchors.read(tmp_path) == [("one", Head(1, "aa")), ("two", Head(2, "bb"))]


def contact(**more):
    return {"withdrawn": False, "known_basis": "landed", "issues": [], "in_pattern": True} | more


def test_no_caveat_without_a_cause():
    """A whole, linked, scored child has nothing to be warned of."""
    assert caveats(Situation([contact()], {}, True, True, 0)) == []


def test_every_cause_has_its_sentence():
    """Withdrawn, assumed, marked, undecided, short, unlinked, without a model: seven sentences."""
    import datetime as dt

    told = caveats(
        Situation(
            [contact(withdrawn=True), contact(known_basis="assumed_lag"), contact(issues=["x"])],
            {"police": dt.date(2026, 1, 5)},
            linked=False,
            with_bundle=False,
            undecided=2,
        )
    )
    assert len(told) == 7
    assert "5 January 2026" in told[4]
    assert all(sentence.endswith(".") for sentence in told)
