"""The governance pack: every figure from the bundle, nothing invented, the same bytes again."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from riskflag.errors import ConfigError, InputError
from riskflag.reports.documents import Document, Points, Table, Words
from riskflag.reports.governance import documents, files
from riskflag.reports.governance_record import FIELDS, TO_DO
from riskflag.training.judging.gates import SignOff
from riskflag.training.promotion import governance
from riskflag.training.promotion import promote as promotion
from riskflag.training.promotion.governance import Evidence, gather
from riskflag.training.promotion.promote import promote
from riskflag.workspace import Workspace
from tests.functional.browser import browser, opened
from tests.functional.test_pages_in_browser import violations
from tests.made_up_candidates import MADE_UP, judged, recorded
from tests.made_up_checks import check

NAMES = {"model-card", "transparency-record", "variables", "data-sheet", "fairness", "changes"}
REASON = "Looked at with the equality group on 3 March."
#: The fields of version 4.0 of the transparency standard for one model, in their order.
STANDARD = (
    "Name", "Description", "Website URL", "Contact email", "Organisation", "Team",
    "Senior responsible owner", "Third party involvement", "Third party",
    "Third party: Companies House number", "Third party role", "Procurement procedure type",
    "Third party data access terms", "Detailed description", "Benefits", "Previous process",
    "Alternatives considered", "Integration into broader operational process", "Human review",
    "Frequency and scale of usage", "Required training", "Appeals and review",
    "System architecture", "System-level input", "System-level output", "Maintenance", "Models",
    "Model name", "Model version", "Model task", "Model input", "Model output",
    "Model architecture", "Model performance", "Datasets and their purposes",
    "Development data description", "Data modality", "Data quantities", "Sensitive attributes",
    "Data completeness and representativeness", "Data cleaning", "Data collection",
    "Data access and storage", "Data sharing agreements",
    "Data sources", "Sensitive attributes", "Data processing methods", "Data access and storage",
    "Data sharing agreements", "Impact assessments", "Risks and mitigations",
)  # fmt: skip


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (promotion, governance):
            patch.setattr(module, "load_catalogue", lambda *_: MADE_UP)
        patch.setattr(promotion, "ask_trial", lambda *_: {})
        yield patch


@pytest.fixture(scope="module")
def workspace(patch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with one promoted model; one of its gates was signed off."""
    place = tmp_path_factory.mktemp("governance") / "workspace"
    made = Workspace.create(place, "A <b>Borough</b> & more")
    judgement = judged()
    judgement.result["checks"].append(
        check("missed_cases_by_age", "fairness", 0.3, verdict="look", table=[GROUP])
    )
    patch.setattr(promotion, "Store", lambda _: recorded(judgement))
    promote(made, signed_off={"no group is missed more": SignOff("governance lead", REASON)})
    return made


def figure(value: float | None) -> dict[str, float | None]:
    return {"value": value, "low": value, "high": value}


GROUP = {
    "group": "1 to 4", "children": 40, "share_of_children": 0.4, "share_of_list": None,
    "list_rate": figure(0.1), "missed": figure(0.712), "false_alarms": figure(0.1),
    "precision": figure(None), "foretold_over_observed": figure(1.1),
}  # fmt: skip


@pytest.fixture(scope="module")
def evidence(workspace: Workspace) -> Evidence:
    return gather(workspace)


def said(document: Document) -> list[str]:
    """Every text of a document."""
    found = [document.title, document.lead]
    for part in document.sections:
        found.append(part.title)
        for block in part.blocks:
            if isinstance(block, Words):
                found.append(block.text)
            elif isinstance(block, Points):
                found += block.texts
            else:
                found += [*block.heads, *(cell for row in block.rows for cell in row)]
    return found


def test_the_pack_made_again_has_the_same_bytes(workspace: Workspace, evidence: Evidence) -> None:
    again = gather(workspace)
    assert files(evidence, evidence) == files(again, again)
    assert {name.split(".")[0] for name in files(evidence, evidence)} == NAMES
    assert "changes.md" not in files(evidence)


def test_the_page_and_the_markdown_say_the_same(evidence: Evidence) -> None:
    """Every text of every document stands in both, and no text is markup."""
    made = files(evidence, evidence)
    told = 0
    for document in documents(evidence, evidence):
        page = html.unescape(made[f"{document.name}.html"].replace("<wbr>", ""))
        text = made[f"{document.name}.md"].replace("&lt;", "<").replace("\\|", "|")
        for one in said(document):
            assert re.sub(r"\s+", " ", one) in re.sub(r"\s+", " ", page), one
            assert one in text
            told += 1
        assert "<b>Borough" not in made[f"{document.name}.html"]
        assert "<b>Borough" not in made[f"{document.name}.md"]
        assert "<script" not in made[f"{document.name}.html"]
    assert told > 200


def cells(document: Document) -> list[tuple[str, ...]]:
    tables = [b for part in document.sections for b in part.blocks if isinstance(b, Table)]
    assert all(len(row) == len(table.heads) for table in tables for row in table.rows)
    return [row for table in tables for row in table.rows]


def one(evidence: Evidence, name: str, earlier: Evidence | None = None) -> Document:
    return next(d for d in documents(evidence, earlier) if d.name == name)


def test_the_figures_are_those_of_the_run(evidence: Evidence) -> None:
    """Recomputed from what the run measured, to the digits shown."""
    auroc = evidence.result["scorers"]["model"]["auroc"]
    wanted = f"{auroc['value']:.2f} ({auroc['low']:.2f} to {auroc['high']:.2f})"
    rows = cells(one(evidence, "model-card"))
    assert next(row for row in rows if row[0] == "model")[1] == wanted
    for gate in evidence.gates:
        assert any(row[0] == gate.name and row[2] == gate.measured for row in rows)
    assert ("Hash of its manifest", evidence.hash) in rows
    signed = next(row for row in rows if row[0] == "no group is missed more")
    assert signed[3] == f"signed off by the governance lead: {REASON}"


def test_every_signal_is_listed_with_its_words_direction_and_share(evidence: Evidence) -> None:
    rows = {row[0]: row for row in cells(one(evidence, "variables"))}
    assert evidence.inputs
    for signal in evidence.inputs:
        row = rows[signal["name"]]
        assert row[1] == signal["question"]
        assert row[-1] == f"{evidence.shares[signal['name']]:.1%}"
    assert "the number of the child's own contacts" in rows["attendances_90d"][2]
    assert "raise" in rows["attendances_90d"][5]
    assert rows["enquiries_ever"][1] == "counts care.s47, which is part of the outcome"
    changed = replace(evidence, signals={})
    assert (
        "defined otherwise"
        in {row[0]: row for row in cells(one(changed, "variables"))}["attendances_90d"][2]
    )


def test_what_only_a_person_can_say_is_marked_and_never_invented(
    workspace: Workspace, evidence: Evidence
) -> None:
    """Every field of the standard is there; those without a known text are a person's."""
    rows = {row[2]: row[1] for row in cells(one(evidence, "transparency-record"))}
    fields = {field.key: field for part in FIELDS.values() for field in part}
    assert set(rows) == set(fields)
    assert {key for key, text in rows.items() if text == TO_DO} >= {
        key for key, field in fields.items() if field.known is None
    }
    for key in ("contact_email", "senior_responsible_owner", "impact_assessments", "appeals"):
        assert rows[key] == TO_DO
    known = ("model_version", "model_architecture", "datasets", "modality", "collection", "models")
    assert [key for key in known if rows[key] == TO_DO] == []
    assert evidence.hash in rows["model_version"]
    (workspace.root / "governance.toml").write_text('[answers]\nphase = "Private beta."\n')
    again = {row[2]: row[1] for row in cells(one(gather(workspace), "transparency-record"))}
    assert again["phase"] == "Private beta."
    (workspace.root / "governance.toml").write_text('[answers]\nphases = "Beta."\n')
    with pytest.raises(ConfigError, match=r"governance\.toml: 1 of its answers"):
        files(gather(workspace))
    (workspace.root / "governance.toml").unlink()


def test_the_record_has_every_field_of_the_standard_in_its_order(evidence: Evidence) -> None:
    """A person copies it into the template from top to bottom and finds a text or a gap each."""
    titles = [row[0] for row in cells(one(evidence, "transparency-record"))]
    places, after = [], 0
    for name in STANDARD:
        after = next(n for n in range(after, len(titles)) if titles[n].startswith(name)) + 1
        places.append(after)
    assert len(places) == len(STANDARD) == 51


def test_a_rate_of_too_few_is_not_told(evidence: Evidence) -> None:
    row = next(r for r in cells(one(evidence, "fairness")) if r[0] == "1 to 4")
    assert row[4] == "71 (71 to 71)"
    assert row[3] == row[6] == "too few to tell"


def test_the_change_log_tells_what_came_went_and_moved(evidence: Evidence) -> None:
    figures: dict[str, Any] = json.loads(json.dumps(evidence.performance))
    figures["result"]["scorers"]["model"]["auroc"]["value"] = 0.123
    before = replace(
        evidence,
        id="tiny-000000000000",
        inputs=evidence.inputs[1:],
        performance=figures,
        about={**evidence.about, "history": "e" * 64},
    )
    changed = one(evidence, "changes", before)
    rows = {row[0]: row for row in cells(changed)}
    assert rows["attendances_90d"][1] == "none"
    assert rows["AUROC"][1].startswith("0.12 ")
    assert rows["AUROC"][2] != rows["AUROC"][1]
    assert any("different data" in text for text in said(changed))
    same = one(evidence, "changes", evidence)
    assert ("nothing", "", "") in cells(same)
    assert not any("different data" in text for text in said(same))


def look_at(evidence: Evidence, folder: Path, names: set[str]) -> None:
    """axe-core on these pages at both widths: nothing found, nothing fetched, nothing too wide."""
    for name, text in files(evidence, evidence).items():
        (folder / name).write_text(text)
    with browser() as running:
        for name in sorted(names):
            for width in (1280, 320):
                with opened(running, folder / f"{name}.html", width=width) as shown:
                    assert violations(shown) == []
                    assert len(shown.asked) == 1
                    assert shown.evaluate("document.documentElement.scrollWidth") <= width


def test_a_page_is_accessible_and_fetches_nothing(evidence: Evidence, tmp_path: Path) -> None:
    """The one that has every kind of block; all pages share its template."""
    look_at(evidence, tmp_path, {"model-card"})


@pytest.mark.long
def test_every_page_is_accessible_and_fetches_nothing(evidence: Evidence, tmp_path: Path) -> None:
    look_at(evidence, tmp_path, NAMES)


def test_a_bundle_from_before_its_figures_were_kept_is_told_so(
    patch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workspace = Workspace.create(tmp_path / "old", "Test")
    old = recorded(judged(), performance={"n": 3, "needed_more": 1, "period": "2025"})
    patch.setattr(promotion, "Store", lambda _: old)
    promote(workspace)
    with pytest.raises(InputError, match="train and promote again"):
        gather(workspace)
    for wrong in ("nothing", "../bundles", "CURRENT.json"):
        with pytest.raises(ConfigError, match="no such bundle"):
            gather(workspace, wrong)
