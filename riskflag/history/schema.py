"""The canonical tables of the history, as Arrow schemas, and the names every room shares."""

from __future__ import annotations

import pyarrow as pa

from riskflag.history.vocabulary import (
    AGENCIES,
    ContactType,
    Vocabulary,
    load_vocabulary,
)

__all__ = [
    "AGENCIES",
    "ATTRIBUTES",
    "CONTACT",
    "COVERAGE",
    "ENDED",
    "IDENTIFIER",
    "KNOWN_BASES",
    "LINKS",
    "MATCH",
    "NUMBERS",
    "PERSON",
    "RELATIONSHIP",
    "SCHEMAS",
    "ContactType",
    "Vocabulary",
    "conform",
    "load_vocabulary",
]

#: What a source may say about a contact, as text from the vocabulary; all may be unknown (null).
ATTRIBUTES = (
    "category",
    "outcome",
    "grade",
    "role",
    "seen",
    "seen_alone",
    "voice",
    "offered",
    "accepted",
    "worker",
    "organisation",
)
#: What a source says of a contact type, besides attributes, when it says whether contacts ended.
ENDED = "ended"
#: Numbers about a contact; null when unknown.
NUMBERS = ("quantity", "duration_days")
#: How `known_on` was found; `assumed_lag` is an assumption and is reported apart.
KNOWN_BASES = ("landed", "recorded", "shared", "assumed_lag")
#: Through which relationship another person's contact reaches a child.
LINKS = ("mother", "parent", "household_adult", "sibling", "carer")

_DAY = pa.date32()
_TEXT = pa.string()


def _fields(names: str, kind: pa.DataType) -> list[pa.Field]:
    return [pa.field(name, kind) for name in names.split()]


_LINEAGE = [
    *_fields("source record_id source_file", _TEXT),
    pa.field("source_line", pa.int32()),
    *_fields("batch_id row_hash", _TEXT),
]
_VERSION = [pa.field("version", pa.int32()), pa.field("op", _TEXT)]
_KNOWN = [pa.field("known_on", _DAY), pa.field("known_basis", _TEXT)]

#: One row per version of a contact. `op` is assert or retract.
CONTACT = pa.schema(
    [
        pa.field("contact_key", _TEXT),
        *_VERSION,
        *_fields("person_id agency type", _TEXT),
        pa.field("occurred_on", _DAY),
        pa.field("occurred_at", pa.timestamp("us")),
        pa.field("ended_on", _DAY),
        pa.field("open_ended", pa.bool_()),
        *_KNOWN,
        *_LINEAGE,
        pa.field("issues", _TEXT),
        *_fields(" ".join(ATTRIBUTES), _TEXT),
        *_fields(" ".join(NUMBERS), pa.float64()),
        *_fields("subject_scheme subject_value", _TEXT),
    ]
)

#: What one source says about one person; `kind` is null when the source does not say.
PERSON = pa.schema(
    [
        *_fields("person_key person_id", _TEXT),
        *_VERSION,
        *_KNOWN,
        pa.field("birth_on", _DAY),
        pa.field("birth_precision", _TEXT),
        pa.field("death_on", _DAY),
        *_fields("sex ethnicity disability kind given_name family_name issues", _TEXT),
        # Only for comparing people whom no identifier joins; address and family are hashed.
        *_fields("postcode address_key family_key", _TEXT),
        *_LINEAGE,
    ]
)

#: Which identifier value belongs to which person, as one source says.
IDENTIFIER = pa.schema(
    [
        *_fields("identifier_key person_id scheme value", _TEXT),
        *_fields("valid_from valid_to", _DAY),
        pa.field("check_ok", pa.bool_()),
        *_VERSION,
        *_KNOWN,
        *_LINEAGE,
    ]
)

#: A dated link from a child to another person; ids are null while an identifier is not resolved.
RELATIONSHIP = pa.schema(
    [
        *_fields("relationship_key person_id related_id kind", _TEXT),
        *_fields("valid_from valid_to", _DAY),
        *_VERSION,
        *_KNOWN,
        *_LINEAGE,
        *_fields("subject_scheme subject_value related_scheme related_value", _TEXT),
    ]
)

#: One row per delivery and contact type: up to which day this feed is complete.
COVERAGE = pa.schema(
    [
        *_fields("source agency type", _TEXT),
        # The attributes (and ENDED) the source declares for this type; null: not told.
        pa.field("says", _TEXT),
        *_fields("covered_from complete_to received_on", _DAY),
        pa.field("rows", pa.int64()),
        pa.field("status", _TEXT),
        *_fields("fresh_days tolerance_days", pa.int32()),
        pa.field("first_load", pa.bool_()),
        pa.field("batch_id", _TEXT),
    ]
)

#: One row per decision on whether two person ids are one person; the last one of a pair holds.
MATCH = pa.schema(
    [
        # `person_id` stays when the two are one; `other_id` is then the same person.
        *_fields("match_key person_id other_id", _TEXT),
        *_VERSION,
        *_KNOWN,
        *_fields("decision method", _TEXT),
        pa.field("probability", pa.float64()),
        # Why it was not linked without a person, in the words of linkage_decide.DOUBTS.
        *_fields("doubts model decided_by decided_at reason", _TEXT),
        *_fields("batch_id", _TEXT),
    ]
)

SCHEMAS: dict[str, pa.Schema] = {
    "contact": CONTACT,
    "person": PERSON,
    "identifier": IDENTIFIER,
    "relationship": RELATIONSHIP,
    "coverage": COVERAGE,
    "match": MATCH,
}


def conform(
    table: pa.Table | None, schema: pa.Schema, *, coded: bool = False, lean: bool = False
) -> pa.Table:
    """The table with exactly the schema's columns, in its order; absent columns become null.

    With `coded`, texts that are dictionary-encoded stay so; with `lean` they do too, and absent
    columns take no room (their type is null).
    """
    if table is None:
        return schema.empty_table()
    if table.schema.equals(schema, check_metadata=True):
        return table
    given = dict(zip(table.column_names, table.columns, strict=True))
    columns = [
        _column(given[field.name], field, coded or lean, lean)
        if field.name in given
        else pa.nulls(table.num_rows, pa.null() if lean else field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, names=schema.names)


def _column(column: pa.ChunkedArray, field: pa.Field, coded: bool, lean: bool) -> pa.ChunkedArray:
    if lean and pa.types.is_null(column.type):
        return column
    if column.type == field.type or (coded and pa.types.is_dictionary(column.type)):
        return column
    return column.cast(field.type)
