"""The case system's people: children, adults, identifiers, mothers and families.

`ssd_family` names people who share a family identifier; the extract joins it to itself so that
each row says who is related to whom, as an authority's own extract query would.
"""

from __future__ import annotations

import string

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from riskflag.synth import text
from riskflag.synth.draws import Array, chance, ranges
from riskflag.synth.extract import Extract
from riskflag.synth.identity import Identity
from riskflag.synth.scene import FAR, Scene


def write(scene: Scene, ids: Identity) -> list[Extract]:
    """All files about people."""
    return [
        _persons(scene, ids),
        _disabilities(scene, ids),
        _identifiers(scene, ids),
        _mothers(scene, ids),
        _families(scene, ids),
    ]


def _appears(scene: Scene) -> tuple[Array, Array]:
    """The day each child and each adult is entered in the case system."""
    kids, adults, start = scene.people.children, scene.people.adults, scene.calendar.start
    lag = scene.rng("entered").integers(1, 12, kids.n)
    child = np.maximum(np.maximum(kids.born + lag, kids.arrives + lag), start)
    unborn = kids.born > scene.calendar.end
    child = np.where(unborn, scene.calendar.end - lag * 5, child)
    arrives = scene.people.households.arrives[adults.household]
    return child, np.maximum(np.maximum(adults.since + 5, arrives + 5), start)


def _forenames(children: int, adults: int) -> pa.Array:
    """Names nobody can bear: K000123 Child, Q000045 Adult."""
    kind = np.repeat([0, 1], [children, adults])
    numbers = np.concatenate([np.arange(children), np.arange(adults)])
    return pc.binary_join_element_wise(
        _lettered(numbers), text.coded(["Child", "Adult"], kind), " "
    )


def _surnames(scene: Scene) -> pa.Array:
    """T000045 Family for everybody of a household."""
    household = [scene.people.children.household, scene.people.adults.household]
    return pc.binary_join_element_wise(_lettered(np.concatenate(household)), "Family", " ")


def _lettered(numbers: Array) -> pa.Array:
    """A letter and a number, so that initials on a page tell one made-up child from another."""
    letter = text.coded(string.ascii_uppercase, np.asarray(numbers) * 7 % 26)
    return pc.binary_join_element_wise(letter, text.numbered("", numbers, 6), "")


def _persons(scene: Scene, ids: Identity) -> Extract:
    kids, adults, rng = scene.people.children, scene.people.adults, scene.rng("person file")
    n, m = kids.n, adults.n
    child_day, adult_day = _appears(scene)
    unborn = kids.born > scene.calendar.end
    born = np.concatenate([np.where(unborn, text.NO_DAY, kids.born), adults.born])
    nobody = np.full(m, text.NO_DAY)
    dead = np.concatenate([np.where(kids.dies < FAR, kids.dies, text.NO_DAY), nobody])
    expected = np.concatenate([np.where(unborn, kids.born, text.NO_DAY), nobody])
    sex = np.concatenate(
        [np.where(unborn, 2, kids.sex), np.where(adults.mother, 1, rng.integers(0, 2, m))]
    )
    of_all, migrated = np.arange(n + m), chance(rng, 0.3, n + m)
    ethnic = np.concatenate([kids.ethnicity, np.full(m, -1)])
    has_upn = np.concatenate(
        [(kids.born < scene.calendar.end - 4 * 365) & ~chance(rng, 0.01, n), np.zeros(m, bool)]
    )
    upn = pa.concat_arrays([ids.upn, pa.nulls(m, pa.string())])
    table = pa.table(
        {
            "pers_legacy_id": text.numbered("L", np.where(migrated, of_all, -1), 7),
            "pers_person_id": ids.person,
            "pers_upn": pc.if_else(pa.array(has_upn), upn, pa.scalar(None, pa.string())),
            "pers_forename": _forenames(n, m),
            "pers_surname": _surnames(scene),
            "pers_sex": text.coded(["M", "F", "U"], sex),
            "pers_gender": text.coded(["1", "2", "0"], sex),
            "pers_ethnicity": text.coded(kids.codes, ethnic),
            "pers_dob": text.day(born),
            "pers_single_unique_id": ids.nhs,
            "pers_upn_unknown": text.coded(["UN1"], np.where(has_upn | (of_all >= n), -1, 0)),
            "pers_send_flag": text.yes_no(np.concatenate([kids.disabled, np.zeros(m, bool)])),
            "pers_expected_dob": text.day(expected),
            "pers_death_date": text.day(dead),
            "pers_is_mother": text.yes_no(np.concatenate([np.zeros(n, bool), adults.mother])),
            "pers_nationality": text.constant(None, n + m),
        }
    )
    recorded = np.concatenate([child_day, adult_day])
    changed = np.concatenate([np.where(kids.dies < FAR, kids.dies + 3, child_day), adult_day])
    return Extract(
        "ssd_person",
        table,
        recorded,
        recorded,
        key="pers_person_id",
        changed=changed,
        later=("pers_death_date",),
    )


def _disabilities(scene: Scene, ids: Identity) -> Extract:
    """Children with a recorded disability."""
    rng, child = scene.rng("disability file"), np.flatnonzero(scene.people.children.disabled)
    codes = rng.integers(0, 6, len(child))
    table = pa.table(
        {
            "disa_table_id": text.numbered("DI", child, 7),
            "disa_person_id": ids.person.take(pa.array(child)),
            "disa_disability_code": text.coded(["LD", "AUT", "MOB", "COMM", "BEH", "HEAR"], codes),
        }
    )
    recorded = _appears(scene)[0][child]
    return Extract("ssd_disability", table, recorded, recorded, key="disa_table_id")


def _identifiers(scene: Scene, ids: Identity) -> Extract:
    """NHS numbers of everybody; police and housing references as matched by hand long ago."""
    kids, n = scene.people.children, scene.people.children.n
    rng = scene.rng("identifier file")
    child_day, adult_day = _appears(scene)
    everyone = np.arange(len(ids.person))
    known = np.concatenate([child_day, adult_day])
    matched = np.flatnonzero(chance(rng, 0.97, n))
    housed = np.flatnonzero(chance(rng, 0.96, n))
    person = np.concatenate([everyone, matched, housed])
    kind = np.repeat([0, 1, 2], [len(everyone), len(matched), len(housed)])
    values = pa.concat_arrays(
        [
            ids.nhs,
            ids.held("police_ref").take(pa.array(matched)),
            ids.held("housing_ref").take(pa.array(housed)),
        ]
    )
    adult_since = np.full(len(everyone) - n, text.NO_DAY)
    since = np.concatenate([kids.born, adult_since])[person]
    table = pa.table(
        {
            "link_table_id": text.numbered("LK", np.arange(len(person)), 8),
            "link_person_id": ids.person.take(pa.array(person)),
            "link_identifier_type": text.coded(
                ["NHS Number", "Police reference", "Housing reference"], kind
            ),
            "link_identifier_value": values,
            "link_valid_from_date": text.day(since),
            "link_valid_to_date": text.constant(None, len(person)),
        }
    )
    recorded = known[person]
    return Extract("ssd_linked_identifiers", table, recorded, recorded, key="link_table_id")


def _mothers(scene: Scene, ids: Identity) -> Extract:
    kids, adults = scene.people.children, scene.people.adults
    mother_of = np.full(scene.people.households.n, -1)
    mother_of[adults.household[adults.mother]] = np.flatnonzero(adults.mother)
    mother = mother_of[kids.household]
    child = np.flatnonzero(mother >= 0)
    table = pa.table(
        {
            "moth_table_id": text.numbered("MO", child, 7),
            "moth_person_id": ids.person.take(pa.array(ids.adult(mother[child]))),
            "moth_childs_person_id": ids.person.take(pa.array(child)),
            "moth_childs_dob": text.day(
                np.where(kids.born[child] > scene.calendar.end, text.NO_DAY, kids.born[child])
            ),
        }
    )
    recorded = _appears(scene)[0][child]
    return Extract("ssd_mother", table, recorded, recorded, key="moth_table_id")


def _families(scene: Scene, ids: Identity) -> Extract:
    """Who lives with whom: other adults of the household, and brothers and sisters."""
    kids, adults = scene.people.children, scene.people.adults
    first, count = scene.children_of
    others = np.flatnonzero(~adults.mother)
    rows, child = ranges(first[adults.household[others]], count[adults.household[others]])
    adult = others[rows]
    size = count[kids.household]
    of, sibling = ranges(first[kids.household], size)
    apart = of != sibling
    of, sibling = of[apart], sibling[apart]
    child = np.concatenate([child, of])
    related = np.concatenate([ids.adult(adult), sibling])
    kind = np.repeat([0, 1], [len(adult), len(of)])
    since = np.concatenate(
        [
            np.maximum(adults.since[adult], kids.born[child[: len(adult)]]),
            np.maximum(kids.born[of], kids.born[sibling]),
        ]
    )
    until = np.concatenate([adults.until[adult], np.full(len(of), FAR)])
    child_day, adult_day = _appears(scene)
    everyone = np.concatenate([child_day, adult_day])
    recorded = np.maximum(everyone[child], everyone[related])
    ended = until < FAR
    table = pa.table(
        {
            "fami_table_id": text.numbered("FA", np.arange(len(child)), 8),
            "fami_family_id": text.numbered("F", kids.household[child], 6),
            "fami_person_id": ids.person.take(pa.array(child)),
            "related_person_id": ids.person.take(pa.array(related)),
            "relationship": text.coded(["Household adult", "Sibling"], kind),
            "from_date": text.day(np.minimum(since, scene.calendar.end)),
            "to_date": text.day(np.where(ended, until, text.NO_DAY)),
        }
    )
    changed = np.where(ended, until + 14, recorded)
    keep = since < until
    extract = Extract(
        "ssd_family",
        table,
        recorded,
        recorded,
        key="fami_table_id",
        changed=changed,
        later=("to_date",),
    )
    return extract.only(keep)
