"""To which groups a child belongs, for the question whether flags are fair: never a reason.

Read from the history's person rows when the question is asked; nothing of it is kept in the store.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from riskflag.clock import date_of, day_number

if TYPE_CHECKING:
    import pyarrow as pa

#: Group by kind of group, for one child.
Groups = Mapping[str, str]

AGE, SEX, ETHNICITY = "age", "sex", "ethnicity"
KINDS = (AGE, SEX, ETHNICITY)
NOT_RECORDED = "not recorded"
#: Age bands in full years, each from its first year on.
BANDS = ((16, "16 and 17"), (10, "10 to 15"), (5, "5 to 9"), (1, "1 to 4"), (0, "under 1"))
UNBORN = "not yet born"
#: Ages from the youngest on.
AGES = (UNBORN, *(name for _, name in reversed(BANDS)))
#: The Department for Education's ethnicity codes by main group: by its first letter, with these
#: exceptions. The 20 codes apart would nearly all be too small to tell.
MAIN_GROUPS = {"W": "White", "M": "Mixed", "A": "Asian", "B": "Black", "O": "Other"}
EXCEPTIONS = {"CHNE": "Asian", "REFU": NOT_RECORDED, "NOBT": NOT_RECORDED}
CODE_LENGTH = 4


def standing(name: str) -> tuple[bool, int, str]:
    """Sorts groups: ages from the youngest, others by name, what is not recorded last."""
    return name == NOT_RECORDED, AGES.index(name) if name in AGES else 0, name


def groups_of(history: Path, ages_at: Mapping[str, dt.date]) -> dict[str, Groups]:
    """The groups of people by person id; `ages_at` names them and the day their age is told for.

    What no source has said is "not recorded". An empty history gives no group at all.
    """
    import pyarrow as pa

    from riskflag.history.arrays import isin
    from riskflag.history.schema import MATCH, PERSON, RELATIONSHIP, conform
    from riskflag.history.store.links import relationship_view
    from riskflag.history.store.matches import everyone_ever, joins
    from riskflag.history.store.parquet_store import HistoryStore
    from riskflag.history.store.persons import person_view

    store = HistoryStore(history)
    raw, matches = store.read("person"), conform(store.read("match"), MATCH)
    wanted = raw.filter(pa.array(isin(raw.column("person_id"), everyone_ever(matches, ages_at))))
    nobody = relationship_view(conform(None, RELATIONSHIP))
    view = person_view(conform(wanted, PERSON), nobody, joins(matches).groups)
    return _by_person(
        view.filter(pa.array(isin(view.column("person_id"), sorted(ages_at)))), ages_at
    )


def _by_person(view: pa.Table, ages_at: Mapping[str, dt.date]) -> dict[str, Groups]:
    """The last row of each person that was known by the day of the age."""
    found: dict[str, Groups] = {}
    columns = ("person_id", "known_day", "birth_day", "sex", "ethnicity")
    for row in view.select(columns).to_pylist():
        day = ages_at[row["person_id"]]
        if row["known_day"] < day_number(day):
            found[row["person_id"]] = {
                AGE: age_band(None if row["birth_day"] is None else date_of(row["birth_day"]), day),
                SEX: row["sex"] or NOT_RECORDED,
                ETHNICITY: main_group(row["ethnicity"]),
            }
    return found


def age_band(born: dt.date | None, day: dt.date) -> str:
    """The age band of somebody on a day."""
    if born is None:
        return NOT_RECORDED
    if born > day:
        return UNBORN
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return next(band for first, band in BANDS if years >= first)


def main_group(ethnicity: str | None) -> str:
    """The main ethnic group of a code; another authority's own word stays as it is."""
    if not ethnicity:
        return NOT_RECORDED
    if len(ethnicity) != CODE_LENGTH or not ethnicity.isupper():
        return ethnicity
    return EXCEPTIONS.get(ethnicity) or MAIN_GROUPS.get(ethnicity[0], ethnicity)
