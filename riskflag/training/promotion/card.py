"""The model card of a bundle: short, and only what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from riskflag.training.judging.gates import Gate

LIMITS = """## What it must not be used for

- It decides nothing. It brings a child's records to a person's attention; that person decides.
- A child without a flag is not a child at low risk: the recall above says how many are missed.
- It learnt what agencies recorded and did. Harm that nobody noticed is not in its outcome, and
  families that are looked at more are recorded more.
- The score is never shown to caseworkers as a number or as a probability of harm.
- It is for the area, agencies and period it learnt from. Elsewhere it has to be trained and
  checked again.
"""


def card(about: Mapping[str, Any], result: Mapping[str, Any], inputs: int) -> str:
    """The card as Markdown; the same inputs give the same bytes."""
    model = result["scorers"]["model"]
    frequency = result["natural_frequency"]
    flagged = f"Of {frequency['n']} children above the line, {frequency['needed_more']}"
    lines = [
        f"# Model card: {about['experiment']}",
        "",
        f"Question: {about['question']}",
        "",
        _outcome(about),
        "",
        f"Inputs: {inputs} signals, listed in signals.json; none of them counts the outcome or a "
        "protected characteristic other than age. More harm in the records can only raise the "
        "score for every signal that declares so.",
        "",
        f"Learnt from {about['windows']['train']}, calibrated on "
        f"{about['windows']['calibration']}, "
        f"checked on {about['windows']['test']}, with a gap of the horizon between them.",
        "",
        "## What was measured on the test window",
        "",
        f"- {result['rows']} child-months of {result['children']} children, "
        f"{result['outcomes']} with the outcome ({result['base_rate']:.2%}).",
        f"- AUROC {_figure(model['auroc'])}.",
        f"- At a capacity of {result['capacity_per_month']:.0f} children a month: precision "
        f"{_figure(model['precision_at_capacity'])}, "
        f"recall {_figure(model['recall_at_capacity'])}.",
        f"- {flagged} had the outcome within {about['horizon_days']} days.",
        *_baselines(result),
        *_oracle(result),
        "",
        LIMITS,
    ]
    return "\n".join(lines)


def at_promotion(text: str, gates: Sequence[Gate]) -> str:
    """The card with how every gate stood when the model was promoted."""
    lines = ["", "## Gates at promotion", ""]
    for gate in gates:
        lines.append(f"- {gate.verdict}: {gate.name} ({gate.measured.rstrip('.')}).")
        if gate.signed_off is not None:
            lines.append(f"  Signed off by the {gate.signed_off.role}: {gate.signed_off.reason}")
    return text + "\n".join([*lines, ""])


def _outcome(about: Mapping[str, Any]) -> str:
    if about.get("labelled_table"):
        return (
            "Outcome: the label of a table kept by the authority, settled within "
            f"{about['horizon_days']} days of the as-of date."
        )
    return (
        f"Outcome: first of {', '.join(about['outcome_types'])} within "
        f"{about['horizon_days']} days of the as-of date. Children on an open plan "
        "or looked after that day are outside it."
    )


def _baselines(result: Mapping[str, Any]) -> list[str]:
    told = []
    for name, gain in result["gain_over"].items():
        auroc = result["scorers"][name]["auroc"]
        told.append(f"- {name}: AUROC {_figure(auroc)}; the model adds {_figure(gain['auroc'])}.")
    return told


def _oracle(result: Mapping[str, Any]) -> list[str]:
    if "oracle" not in result:
        return []
    share = result["oracle"]["share"]
    return [
        "- Synthetic data, so the best possible is known: the model goes "
        f"{_figure(share)} of the way from chance to the true hazard."
    ]


def _figure(figure: Mapping[str, float | None]) -> str:
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None or low is None or high is None:
        return "not known"
    return f"{value:.3f} ({low:.3f} to {high:.3f})"
