"""A social care register and a school roll that share no identifier, as stored rows."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa

from riskflag.history.linkage.model import load_weights
from riskflag.history.linkage.run import How, LinkReport, link
from riskflag.history.loading.addresses import address_key, plain_postcode
from riskflag.history.schema import IDENTIFIER
from riskflag.history.store.matches import MADE
from riskflag.history.store.parquet_store import HistoryStore
from tests.factories import contact_rows, person_rows, relationship_rows

DAY = dt.date(2024, 6, 1)
AT = "2024-06-01T02:00:00+00:00"


def someone(person_id, given, family, birth, *, where=None, source="register", **more):
    """A person row; `where` is an address with the postcode after a comma."""
    address, _, postcode = (where or "").partition(",")
    return {
        "person_key": f"{source}-{person_id}",
        "person_id": person_id,
        "given_name": given,
        "family_name": family,
        "birth_on": birth,
        "address_key": address_key([address]),
        "postcode": plain_postcode(postcode),
        "source": source,
        "known_on": "2024-05-01",
        **more,
    }


def pupil(number, given, family, birth, **more):
    """A row of the school roll."""
    return someone(f"{MADE}{number}", given, family, birth, **{"source": "school", **more})


def identifier(person_id, scheme, value, source="register", **more):
    return {
        "identifier_key": f"{source}|{person_id}|{scheme}|{value}",
        "person_id": person_id,
        "scheme": scheme,
        "value": value,
        "version": 1,
        "op": "assert",
        "source": source,
        "known_on": dt.date(2024, 5, 1),
        "row_hash": "x",
        **more,
    }


def stored(folder: Path, persons, *, identifiers=(), relationships=(), contacts=()):
    """A history with these rows, landed on 1 May 2024."""
    store = HistoryStore(folder)
    tables = {
        "person": person_rows(persons),
        "identifier": pa.Table.from_pylist(list(identifiers), schema=IDENTIFIER),
        "relationship": relationship_rows(relationships),
        "contact": contact_rows(contacts),
    }
    store.append_batch(f"b{len(store.batches())}", "2024-05-01", tables)
    return store


def run(store: HistoryStore, day: dt.date = DAY, **options) -> LinkReport:
    return link(store, load_weights(), day, How(AT, **options))


def decided(store: HistoryStore) -> dict[tuple[str, str], dict]:
    """The last decision of each pair, by its ids."""
    rows = sorted(store.read("match").to_pylist(), key=lambda row: row["version"])
    return {(row["person_id"], row["other_id"]): row for row in rows}
