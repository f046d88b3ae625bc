"""Source declarations: what is accepted, and mistakes named by file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskflag.errors import ConfigError
from riskflag.history.declared.shipped import SHIPPED_SOURCES, copy_shipped, shipped_names
from riskflag.history.declared.source_load import load_source, load_sources
from riskflag.history.vocabulary import load_vocabulary

GOOD = """name = "ecds"
title = "Attendances"
agency = "ed"

[files]
pattern = "ecds_*.csv"
date_format = "%d/%m/%Y"

[[contact]]
type = "ed.attendance"
record_id = ["Id"]
subject = { column = "Nhs", scheme = "nhs" }
occurred = { column = "Arrival" }
when = { column = "Kind", is = ["1"] }

[contact.attributes]
category = { column = "Complaint", map = "complaint" }

[maps.complaint]
"1" = "injury"
"""


def load(tmp_path, text):
    path = tmp_path / "ecds.toml"
    path.write_text(text)
    return load_source(path)


def test_a_sound_declaration_tells_the_columns_it_needs(tmp_path):
    source = load(tmp_path, GOOD)
    assert source.columns() == {"Id", "Nhs", "Arrival", "Kind", "Complaint"}
    assert source.delivery.scope == "full"


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('agency = "ed"', 'agency = "edd"', 3, "agency must be one of"),
        ('date_format = "%d/%m/%Y"', 'date_format = "%d/%m/%y"', 7, "%y"),
        ('"ed.attendance"', '"ed.attendence"', 10, "not in the vocabulary"),
        ('map = "complaint"', 'map = "complaints"', 17, "no such map"),
        ('"1" = "injury"', '"1" = "injured"', 17, "must be one of"),
        ("category = {", "grade = {", 17, "no such attribute"),
        ("occurred =", "ocurred =", 9, "required"),
        ('is = ["1"]', 'is = ["1"], present = true', 14, "exactly one"),
        ('is = ["1"]', 'matches = "(?=x)"', 14, "regular expression"),
        ('"ecds_*.csv"', '"../ecds_*.csv"', 6, "without folders"),
        ("[[contact]]", "[delivery]\nscope = 'window'\n\n[[contact]]", 9, "window_days"),
        ('title = "Attendances"', "title = Attendances", 2, "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(tmp_path, old, new, line, words):
    assert old in GOOD
    with pytest.raises(ConfigError) as mistake:
        load(tmp_path, GOOD.replace(old, new))
    assert f"ecds.toml line {line}:" in str(mistake.value)
    assert words in str(mistake.value)


def test_an_unused_map_is_a_mistake(tmp_path):
    with pytest.raises(ConfigError, match="no entry uses this map"):
        load(tmp_path, GOOD + '\n[maps.other]\n"1" = "x"\n')


def test_every_shipped_source_is_sound_and_named_like_its_file():
    sources = load_sources(SHIPPED_SOURCES)
    assert len(sources) >= 14
    assert [source.name for source in sources] == list(shipped_names())


def test_two_sources_of_one_name_are_refused(tmp_path):
    (tmp_path / "a.toml").write_text(GOOD)
    (tmp_path / "b.toml").write_text(GOOD)
    with pytest.raises(ConfigError, match="twice"):
        load_sources(tmp_path)


def test_shipped_sources_are_copied_by_name_or_family_and_never_overwritten(tmp_path):
    copy_shipped("ssda903_missing", tmp_path)
    adapted = tmp_path / "ssda903_missing.toml"
    adapted.write_text("adapted")
    copy_shipped("ssda903", tmp_path)
    assert len(list(tmp_path.iterdir())) >= 4
    assert adapted.read_text() == "adapted"
    with pytest.raises(ConfigError, match="no shipped source"):
        copy_shipped("ssda90", tmp_path)


def test_a_workspace_may_add_contact_types_but_not_redefine_one(tmp_path):
    extra = tmp_path / "vocabulary.toml"
    extra.write_text('[fire.visit]\nagency = "fire"\nmeaning = "A home fire safety visit."\n')
    words = load_vocabulary(extra)
    assert "fire.visit" in words
    assert "ed.attendance" in words
    again = tmp_path / "again.toml"
    again.write_text('[ed.attendance]\nagency = "ed"\nmeaning = "Another."\n')
    with pytest.raises(ConfigError, match="redefines"):
        load_vocabulary(again)


def test_the_example_in_the_manual_is_sound(tmp_path):
    page = Path(__file__).parents[3] / "docs" / "reference" / "source-format.md"
    example = page.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    source = load(tmp_path, example)
    assert source.contact
    assert source.person
    assert source.identifier
    assert source.relationship
