"""The governance pack: what an authority needs to answer for a model, from the model's own record.

Nothing is written by hand and nothing is invented: what was not measured says so, and what only a
person can say is marked for a person. The same bundle gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence

from riskflag.reports import governance_record
from riskflag.reports.documents import Document, Points, Table, as_markdown, section
from riskflag.reports.governance_changes import changes
from riskflag.reports.governance_data import data_sheet, variables
from riskflag.reports.governance_fairness import fairness
from riskflag.reports.governance_words import baselines, figure, outcome, percent, sentences
from riskflag.reports.render import page
from riskflag.training.promotion.governance import Evidence

#: Uses for which the model was not made and was not measured.
NEVER = (
    "To decide anything, or to start anything without a person who read the records.",
    "To clear a child: no flag does not mean low risk. The figures say how many are missed.",
    "To show a number for a child as a chance of harm, to staff or to families.",
    "To rank families against each other, or to judge the work of staff or teams.",
    "In another area, for other ages, or from other feeds than those it learnt from.",
)
NOBODY = "Figures over many children; nobody can be told from them."
LIMITS = (
    "It learnt what agencies recorded and did. Harm that nobody noticed is not in its outcome.",
    "Families that are looked at more are recorded more; the checks above say how far that goes.",
    "A feed that is late or lost makes it see less; flags then say what could not be seen.",
)


def documents(evidence: Evidence, earlier: Evidence | None = None) -> tuple[Document, ...]:
    """Every document of the pack; the change log when there is an `earlier` bundle."""
    told = (
        model_card(evidence),
        governance_record.record(evidence),
        variables(evidence),
        data_sheet(evidence),
        fairness(evidence),
    )
    return told if earlier is None else (*told, changes(earlier, evidence))


def files(evidence: Evidence, earlier: Evidence | None = None) -> dict[str, str]:
    """Every file of the pack by name: each document as Markdown and as a page that stands alone."""
    made = documents(evidence, earlier)
    others = [(one.name, one.title) for one in made]
    told = {}
    for one in made:
        told[f"{one.name}.md"] = as_markdown(one)
        told[f"{one.name}.html"] = page(
            "document.html",
            doc=one,
            others=others,
            mark="Governance pack",
            authority=evidence.authority,
            of=evidence.id,
            foot=f"Made by riskflag governance from the bundle {evidence.id}. {NOBODY}",
        )
    return told


def model_card(evidence: Evidence) -> Document:
    """What the model is for, what it was measured to do, and what it must not be used for."""
    about, result = evidence.about, evidence.result
    windows = about["windows"]
    return Document(
        "model-card",
        "Model card",
        f"The model {evidence.id}: {about['question']}",
        (
            section(
                "What it is for",
                outcome(about),
                "It brings the records of some children to a person's attention, beside the rules. "
                "That person decides. It can raise a child; it can never silence a rule.",
            ),
            section("What it must not be used for", Points(NEVER)),
            section(
                "What it is",
                f"{evidence.performance['learnt_from']['trees']} small decision trees (LightGBM) "
                f"on {len(evidence.inputs)} signals. For a signal with a direction, more harm can "
                "never lower the score. Its probabilities are calibrated on later months "
                f"({windows['calibration']}). What each signal added to a score adds up to it.",
                _versions(evidence),
            ),
            section("What was measured", *_measured(evidence)),
            section(
                "Is that to be trusted?", sentences("Checks of honesty", evidence.checks("honesty"))
            ),
            section("Gates at promotion", gates(evidence)),
            section(
                "What it cannot know",
                Points(LIMITS),
                f"Of the {result['outcomes']} outcomes in the test months "
                f"{percent(1 - _recall(evidence))} were not on a list as long as the team can "
                "work.",
            ),
        ),
    )


def _recall(evidence: Evidence) -> float:
    return float(evidence.result["scorers"]["model"]["recall_at_capacity"]["value"] or 0.0)


def _measured(evidence: Evidence) -> Sequence[str | Table | Points]:
    result = evidence.result
    frequency = result["natural_frequency"]
    return (
        f"In {result['period']}, months that it did not learn from: {result['rows']:,} "
        f"child-months of {result['children']:,} children, {result['outcomes']:,} with the outcome "
        f"({percent(result['base_rate'])}).",
        f"Of {frequency['n']} children above the line, {frequency['needed_more']} had the outcome "
        f"within {evidence.about['horizon_days']} days; the others did not.",
        baselines(result),
        "Figures in brackets are the ends of 95% intervals, drawn by family.",
        sentences("Further figures", evidence.checks("evaluation")),
    )


def _versions(evidence: Evidence) -> Table:
    about, run = evidence.about, evidence.run
    rows = [
        ("Bundle", evidence.id),
        ("Hash of its manifest", evidence.hash),
        ("Signed", "yes" if evidence.signed else "no: no promotion key was used"),
        ("Experiment", f"{about['experiment']} (config {about['config'][:12]})"),
        ("Signals", f"catalogue {about['catalogue'][:12]}"),
        ("Data", f"history {about['history'][:12]}, cut {about['cut']}"),
        ("Version of riskflag", str(about["code"])),
        ("Recorded run", "not in this workspace's record" if run is None else run.id),
        ("Revision of the code", "not known" if run is None else run.tags["git_revision"]),
        ("Line", f"probability {figure(evidence.thresholds['probability'])}, drawn by capacity"),
    ]
    return Table("Versions", ("what", "which"), tuple(rows))


def gates(evidence: Evidence) -> Table:
    """Every gate with what was asked, what was measured, and who signed it off."""
    rows = []
    for gate in evidence.gates:
        by = gate.signed_off
        verdict = gate.verdict if by is None else f"{gate.verdict} by the {by.role}: {by.reason}"
        rows.append((gate.name, gate.asked, gate.measured, verdict))
    return Table("Gates", ("gate", "asked", "measured", "verdict"), tuple(rows))
