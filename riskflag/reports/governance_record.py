"""A record for the Algorithmic Transparency Recording Standard, as far as it can be filled.

The fields are those of version 4.0 by its guidance and change log, in its order, after what GOV.UK
files records by (the metadata of its document type). What riskflag knows is filled; everything else
is marked for a person, or is what a person wrote in `governance.toml`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from riskflag.errors import ConfigError
from riskflag.reports import words
from riskflag.reports.documents import Document, Section, Table, section
from riskflag.reports.governance_words import interval, outcome, percent
from riskflag.training.promotion.governance import ANSWERS, Evidence

TO_DO = "To be filled in by a person"


@dataclass(frozen=True)
class Field:
    """A field: its key in `governance.toml`, its title, and what is known of it, if anything."""

    key: str
    title: str
    known: str | Callable[[Evidence], str] | None = None


def record(evidence: Evidence) -> Document:
    """The record; raises ConfigError when `governance.toml` answers a field that is not there."""
    keys = {field.key for fields in FIELDS.values() for field in fields}
    unknown = sorted(set(evidence.answers) - keys)
    if unknown:
        raise ConfigError(
            f"{ANSWERS}: {len(unknown)} of its answers are for no field of the record, the first "
            f"in alphabetical order; the record lists the keys."
        )
    parts = [_part(title, fields, evidence) for title, fields in FIELDS.items()]
    open_ = sum(_value(field, evidence) == TO_DO for fields in FIELDS.values() for field in fields)
    return Document(
        "transparency-record",
        "Algorithmic transparency record",
        f"For the Algorithmic Transparency Recording Standard, version 4.0. {open_} fields are for "
        f"a person: write each under its key in {ANSWERS}, then make the pack again. Compare with "
        "the template in force before you publish.",
        tuple(parts),
    )


def _part(title: str, fields: tuple[Field, ...], evidence: Evidence) -> Section:
    rows = tuple((field.title, _value(field, evidence), field.key) for field in fields)
    open_ = sum(text == TO_DO for _, text, _ in rows)
    told = f"{title.partition(':')[0]}: {len(rows)} fields, {open_} of them for a person"
    return section(title, Table(told, ("field", "text", "key"), rows))


def _value(field: Field, evidence: Evidence) -> str:
    answer = evidence.answers.get(field.key, "").strip()
    known = field.known(evidence) if callable(field.known) else field.known
    if answer and known:
        return f"{answer} {known}"
    return answer or known or TO_DO


_DESCRIPTION = (
    "riskflag reads the contacts that agencies already hold about a child, works out signals "
    "from them every night, and brings some children to the attention of a social worker, by "
    "rules and by a model. The worker sees the reasons and the records behind them and decides."
)


def _detail(evidence: Evidence) -> str:
    return (
        f"{outcome(evidence.about)} A flag comes from a rule, from the model, or both; the model "
        "can raise a child and can never silence a rule. Out of scope: any decision, clearing a "
        "child, ranking families, judging staff."
    )


def _alternatives(evidence: Evidence) -> str:
    model = evidence.result["scorers"]["model"]["precision_at_capacity"]
    others = [
        f"{name} {interval(one['precision_at_capacity'])}"
        for name, one in evidence.result["scorers"].items()
        if name != "model" and name not in evidence.result["share_of"]
    ]
    return (
        f"Measured on the same months: precision at the team's capacity {interval(model)} for the "
        f"model; {'; '.join(others)}."
    )


_INTEGRATION = (
    "Each night a list with reasons, the records behind each, and questions to ask. No score "
    "is shown to a worker. Nothing is done automatically: no letter, no referral, no change of "
    "a record. A rule of a set level always brings a child; the model fills what is left of "
    "the team's weekly capacity."
)


_HUMAN = (
    "A person reviews every flag, records a decision and agrees or disagrees with each reason; "
    "a share of reviews is looked at again by somebody else who does not see the first "
    "decision. How many and with what result: the app's page on the health of alerts."
)


_ARCHITECTURE = (
    "Deliveries of agencies, an append-only history with the day each record became known, "
    "signals, rules and the model, one publication a night. It runs on the authority's own "
    "machines and needs no network."
)


def _models(evidence: Evidence) -> str:
    return (
        f"Two: the model {evidence.id}, described here, and the rulebook, whose rules are "
        "conditions that people wrote; the reference pages and the app's page on how this works "
        "list each."
    )


def _model_name(evidence: Evidence) -> str:
    return f"{evidence.about['experiment']}, of riskflag."


def _model_version(evidence: Evidence) -> str:
    return f"Bundle {evidence.id}, SHA-256 {evidence.hash}; riskflag {evidence.about['code']}."


def _task(evidence: Evidence) -> str:
    return str(evidence.about["question"])


def _model_input(evidence: Evidence) -> str:
    return (
        f"{len(evidence.inputs)} signals about a child, each a number with a question and its "
        "definition in the variable list."
    )


_MODEL_OUTPUT = (
    "A probability, which decides whether a child is brought to attention and is not shown, "
    "and what each theme of signals added to it."
)


def _model_architecture(evidence: Evidence) -> str:
    trees = evidence.performance["learnt_from"]["trees"]
    return (
        f"{trees} decision trees (LightGBM), calibrated. Of a signal of harm more never lowers the "
        "score. The variable list tells each signal's share of the scores."
    )


def _datasets(evidence: Evidence) -> str:
    windows = evidence.about["windows"]
    return (
        f"One, in three windows of time: {windows['train']} to learn from, "
        f"{windows['calibration']} to make probabilities of scores, {windows['test']} to judge."
    )


def _performance(evidence: Evidence) -> str:
    result = evidence.result
    model, told = result["scorers"]["model"], result["natural_frequency"]
    return (
        f"In {result['period']}: of {told['n']} children above the line {told['needed_more']} had "
        f"the outcome; precision {interval(model['precision_at_capacity'])} and recall "
        f"{interval(model['recall_at_capacity'])} at capacity, AUROC {interval(model['auroc'])}. "
        "By group: the fairness report."
    )


def _quantities(evidence: Evidence) -> str:
    learnt, result = evidence.performance["learnt_from"], evidence.result
    return (
        f"{learnt['rows']:,} child-months to learn from ({learnt['outcomes']:,} outcomes), "
        f"{result['rows']:,} to judge on ({result['outcomes']:,} outcomes; "
        f"{percent(result['base_rate'])})."
    )


def _sensitive(evidence: Evidence) -> str:
    proxies = [c for c in evidence.checks("fairness") if c["name"].startswith("proxies_of_")]
    told = " ".join(str(one["sentence"]) for one in proxies) or "Proxies were not measured."
    return (
        "Records about children's health, offences and social care. Sex, ethnicity and disability "
        f"are read to judge fairness and are never inputs; age is one. {told}"
    )


def _representative(evidence: Evidence) -> str:
    names = ("rows_on_assumed_known_on", "base_rate_by_month", "outcome_drift")
    found = (evidence.check(name) for name in names)
    return " ".join(str(one["sentence"]) for one in found if one is not None) or TO_DO


def _source_data(evidence: Evidence) -> str:
    return f"{evidence.authority}: records of contacts about children that its agencies hold."


_MODALITY = "Tables of dated records; no free text, picture or sound is read."


def _data_description(evidence: Evidence) -> str:
    return (
        f"{outcome(evidence.about)} One row is one child on one day, with what was known before "
        f"that day. Kinds of contact: {_kinds(evidence)}."
    )


_COLLECTION = (
    "Agencies recorded them in the course of their work, not for this purpose, and deliver "
    "them as files or from a database. Each keeps the day it happened and the day it became "
    "known."
)


_CLEANING = (
    "Every row of a delivery is accepted, known already, superseded or set aside with a "
    "reason; codes are mapped by declared tables; unknown stays unknown. Corrections and "
    "withdrawals are further rows, so what was known on any day can be told."
)


_STORAGE = (
    "In files and a database on the authority's own machines; riskflag sends nothing "
    "elsewhere. The bundle and the training record hold totals and no child's record."
)


_PROCESSING = (
    "Each night the signals of every child are worked out anew from the records known before "
    "that day, then rules and model are asked. A child whose records are missing is not "
    "assessed, which is never told as low."
)


_OPERATIONAL_SENSITIVE = (
    "As in development: sex, ethnicity and disability are never inputs; they are read to judge "
    "fairness."
)


def _kinds(evidence: Evidence) -> str:
    found = {kind for one in evidence.signals.values() for kind in one.types}
    return "; ".join(sorted(words.type_label(kind) for kind in found))


def _operational(evidence: Evidence) -> str:
    return f"The same kinds of contact as in development: {_kinds(evidence)}."


_LOGS = (
    "Every look at a child, every review and every publication is written into a chained audit "
    "log. A flag keeps its reasons and records, and can be made again byte for byte."
)


def _risks(evidence: Evidence) -> str:
    held = sum(gate.passed for gate in evidence.gates)
    signed = [gate for gate in evidence.gates if gate.signed_off is not None]
    told = "; ".join(f"{g.name}: {g.signed_off.reason}" for g in signed if g.signed_off)
    return (
        f"{held} of {len(evidence.gates)} gates held at promotion; the model card lists each."
        + (f" Signed off: {told}" if told else "")
    )


def _frequency(evidence: Evidence) -> str:
    month = f"{evidence.result['capacity_per_month']:.0f}"
    return (
        "Every night, over every child the authority knows of; figures are for a team that can "
        f"look at {month} children a month."
    )


def _authority(evidence: Evidence) -> str:
    return evidence.authority


FIELDS: Mapping[str, tuple[Field, ...]] = {
    "How the record is filed": (
        Field("standard_version", "Version of the standard", "v4.0"),
        Field("date_published", "Date published"),
        Field("organisation_type", "Organisation type, such as local authority"),
        Field("function", "Function, such as social protection"),
        Field("capability", "Capability, such as forecasting or analysis"),
        Field("task", "Task"),
        Field("phase", "Phase: pre-deployment, beta or pilot, production, retired"),
        Field("region", "Region"),
    ),
    "Tier 1: overview": (
        Field("name", "Name", "riskflag"),
        Field("description", "Description", _DESCRIPTION),
        Field("website", "Website URL"),
        Field("contact_email", "Contact email of the team"),
    ),
    "Tier 2.1: owner and responsibility": (
        Field("organisation", "Organisation", _authority),
        Field("team", "Team"),
        Field("senior_responsible_owner", "Senior responsible owner (title of the role)"),
        Field("third_party_involvement", "Third party involvement: yes or no"),
        Field("third_parties", "Third party: names"),
        Field("company_numbers", "Third party: Companies House number"),
        Field("third_party_role", "Third party role"),
        Field("procurement", "Procurement procedure type"),
        Field("third_party_access", "Third party data access terms"),
    ),
    "Tier 2.2: description and rationale": (
        Field("detailed_description", "Detailed description, scope and limits", _detail),
        Field("benefits", "Benefits"),
        Field("previous_process", "Previous process"),
        Field("alternatives", "Alternatives considered", _alternatives),
    ),
    "Tier 2.3: decision-making": (
        Field("integration", "Integration into broader operational process", _INTEGRATION),
        Field("human_review", "Human review", _HUMAN),
        Field("frequency", "Frequency and scale of usage", _frequency),
        Field("training", "Required training"),
        Field("appeals", "Appeals and review"),
    ),
    "Tier 2.4.1: system": (
        Field("architecture", "System architecture", _ARCHITECTURE),
        Field("system_input", "System-level input", _operational),
        Field("system_output", "System-level output", _INTEGRATION),
        Field("maintenance", "Maintenance"),
        Field("models", "Models", _models),
    ),
    "Tier 2.4.2: models": (
        Field("model", "Model name", _model_name),
        Field("model_version", "Model version", _model_version),
        Field("model_task", "Model task", _task),
        Field("model_input", "Model input", _model_input),
        Field("model_output", "Model output", _MODEL_OUTPUT),
        Field("model_architecture", "Model architecture", _model_architecture),
        Field("performance", "Model performance, bias and fairness", _performance),
        Field("datasets", "Datasets and their purposes", _datasets),
    ),
    "Tier 2.4.3: development data": (
        Field("data_description", "Development data description", _data_description),
        Field("modality", "Data modality", _MODALITY),
        Field("quantities", "Data quantities and how they were split", _quantities),
        Field("sensitive", "Sensitive attributes and proxies", _sensitive),
        Field("representative", "Data completeness and representativeness", _representative),
        Field("cleaning", "Data cleaning", _CLEANING),
        Field("collection", "Data collection", _COLLECTION),
        Field("storage", "Data access and storage: where", _STORAGE),
        Field("access", "Data access and storage: who has access, and until when"),
        Field("agreements", "Data sharing agreements"),
        Field("source_data", "Source of the data", _source_data),
        Field("source_url", "Address of the source data, where it is open"),
    ),
    "Tier 2.4.4: operational data": (
        Field("operational_input", "Data sources", _operational),
        Field("operational_sensitive", "Sensitive attributes", _OPERATIONAL_SENSITIVE),
        Field("processing", "Data processing methods", _PROCESSING),
        Field("operational_access", "Data access and storage"),
        Field("operational_agreements", "Data sharing agreements"),
        Field("logs", "Logs and outputs", _LOGS),
        Field("retention", "Retention"),
    ),
    "Tier 2.5: risks, mitigations and impact assessments": (
        Field("impact_assessments", "Impact assessments: name, date, address"),
        Field("risks", "Risks and mitigations", _risks),
        Field("engagement", "Public engagement"),
    ),
}
