"""B27 to B31, B34, B64 to B66: deliveries again, corrected, stale, contradicting, ahead of time."""

from __future__ import annotations

import datetime as dt

from riskflag.clock import day_number, visible
from riskflag.history.schema import CONTACT, IDENTIFIER, PERSON, conform
from riskflag.history.store.parquet_store import HistoryStore
from tests.bad_files.world import (
    DAY,
    HEADER,
    NEXT,
    SIZE,
    THIRD,
    Case,
    Told,
    case,
    data,
    held,
    loaded,
    place,
    sound_row,
    sound_rows,
    source,
    without,
)

KNOWN = Told("known")
SCOPES = ("delta", "full", 'window"\nwindow_days = 400 #', "in_year_or_open", "delta")


def read(root, name, schema):
    return conform(HistoryStore(root / "history").read(name), schema).to_pylist()


def no_new_versions(root):
    assert all(row["version"] == 1 for row in read(root, "contact", CONTACT))


@case("B27", "nothing to do", "The same bytes again, the same day and under another name")
def b27(position):
    rows = sound_rows()
    raw = data(rows)
    declared = source(scope=SCOPES[position])
    return Case(
        {DAY: {"list.csv": raw, "list_again.csv": raw}},
        {"list.csv": loaded(), "list_again.csv": KNOWN},
        rows,
        {"list": declared},
        also=no_new_versions,
    )


@case("B28", "no new contacts", "The same rows in another order and file")
def b28(position):
    rows = sound_rows()
    cut = place(position) + 1
    again = rows[cut:] + rows[:cut] if position < 4 else rows[::-1]
    return Case(
        {DAY: {"list.csv": data(rows)}, NEXT: {"list_b.csv": data(again)}},
        {"list.csv": loaded(), "list_b.csv": Told("loaded", rows=SIZE, duplicate=SIZE)},
        rows,
        {"list": source(scope=SCOPES[position])},
        also=no_new_versions,
    )


@case("B29", "accepted; what was known before stays known", "A correction")
def b29(position):
    rows, fixed, at = sound_rows(), sound_rows(), place(position)
    fixed[at]["Interview"] = {"Y": "N", "N": "Y"}[fixed[at]["Interview"]]
    before = {"Y": "yes", "N": "no"}[rows[at]["Interview"]]

    def both_views(root):
        for as_of, version in ((NEXT, 1), (THIRD, 2)):
            (seen,) = [
                c
                for c in HistoryStore(root / "history").load().contacts.to_pylist()
                if c["record_id"] == rows[at]["Ref"]
                and visible(c["known_day"], c["superseded_day"], day_number(as_of))
            ]
            assert seen["version"] == version
            assert (seen["offered"] == before) == (version == 1)

    return Case(
        {DAY: {"list.csv": data(rows)}, NEXT: {"list_b.csv": data(fixed)}},
        {
            "list.csv": loaded(),
            "list_b.csv": Told("loaded", rows=SIZE, accepted=1, duplicate=SIZE - 1),
        },
        fixed,
        {"list": source(scope="full" if position % 2 else "delta")},
        also=both_views,
    )


@case("B30", "held: volume", "What is new sent where everything is declared")
def b30(position):
    rows = [sound_row(number) for number in range(100)]
    few = rows[place(position) : place(position) + 3]
    return Case(
        {DAY: {"list.csv": data(rows)}, NEXT: {"list_b.csv": data(few)}},
        {"list.csv": loaded(100), "list_b.csv": held("volume")},
        rows,
        {"list": source(scope="full")},
        also=no_new_versions,
    )


@case("B31", "held: stale", "Yesterday's extract with today's name")
def b31(position):
    rows = sound_rows()
    for row in rows:
        row["Made"] = "01/03/2026"
    rows[place(position)]["Made"] = "02/03/2026"
    again = [dict(row) for row in rows]
    again[place(position)]["Interview"] = ""
    header = (*HEADER, "Made")
    declared = source(scope=SCOPES[position], delivery='generated = { column = "Made" }')
    second = data(rows if position % 2 else again, header=header)
    return Case(
        {DAY: {"list.csv": data(rows, header=header)}, NEXT: {"list_b.csv": second}},
        {"list.csv": loaded(), "list_b.csv": held("stale")},
        rows,
        {"list": declared},
        also=no_new_versions,
    )


@case("B34", "held: date_order", "American dates that all could be English, of known records")
def b34(position):
    rows, turned = sound_rows(), sound_rows()
    share = (3, 5, 12, SIZE - 1, SIZE)[position]
    changed = 0
    for row in turned[::-1]:
        day, month, year = row["Went"].split("/")
        if changed < share and day != month:
            row["Went"] = f"{month}/{day}/{year}"
            changed += 1
    return Case(
        {DAY: {"list.csv": data(rows)}, NEXT: {"list_b.csv": data(turned)}},
        {"list.csv": loaded(), "list_b.csv": held("date_order")},
        rows,
        {"list": source(scope="full" if position % 2 else "delta")},
        also=no_new_versions,
    )


@case("B64", "both rows quarantined: conflicting_rows", "One record twice, saying different things")
def b64(position):
    rows, at = sound_rows(), place(position)
    twin = dict(rows[at])
    twin["Sessions"] = str(int(twin["Sessions"]) + 1)
    return Case(
        {DAY: {"list.csv": data([*rows, twin])}},
        {"list.csv": loaded(SIZE + 1, reasons={"conflicting_rows": 2})},
        without(rows, at),
        lines={"list.csv": [at + 2, SIZE + 2]},
        unseen=[rows[at]["Ref"]],
    )


@case("B65", "accepted, nobody merged", "One NHS number for two children; one child with two")
def b65(position):
    rows, at = sound_rows(), place(position)
    other = (at + 5) % SIZE
    rows[other] |= {"NHS": rows[at]["NHS"], "DOB": "01/01/2014"}
    second = (at + 9) % SIZE
    extra = {**sound_row(90), "Child": rows[second]["Child"], "Surname": rows[second]["Surname"]}
    extra |= {"Forename": rows[second]["Forename"], "DOB": rows[second]["DOB"]}
    every = [*rows, extra]

    def apart(root):
        people = {row["person_id"]: row for row in read(root, "person", PERSON)}
        assert len(people) == SIZE
        assert people[rows[other]["Child"]]["birth_on"] == dt.date(2014, 1, 1)
        owners = {}
        for row in read(root, "contact", CONTACT):
            owners.setdefault(row["subject_value"], set()).add(row["person_id"])
        assert owners.pop(rows[at]["NHS"]) == {None}, "nobody is guessed"
        assert owners[extra["NHS"]] == owners[rows[second]["NHS"]] == {rows[second]["Child"]}
        assert len(read(root, "identifier", IDENTIFIER)) == SIZE + 1

    marks = {rows[number]["Ref"]: "ambiguous_identifier" for number in (at, other)}
    return Case(
        {DAY: {"list.csv": data(every)}},
        {"list.csv": loaded(SIZE + 1)},
        every,
        marks=marks,
        also=apart,
    )


@case("B66", "accepted, known when it landed, warned: recorded_ahead", "A sender's clock ahead")
def b66(position):
    rows, at = sound_rows(), place(position)
    for row in rows:
        row["Written"] = row["Back"]
    rows[at]["Written"] = (DAY + dt.timedelta(days=2)).strftime("%d/%m/%Y")

    def known_when_landed(root):
        (row,) = [r for r in read(root, "contact", CONTACT) if r["record_id"] == rows[at]["Ref"]]
        assert row["known_on"] == DAY

    return Case(
        {DAY: {"list.csv": data(rows, header=(*HEADER, "Written"))}},
        {"list.csv": loaded(warnings={"recorded_ahead": 1})},
        rows,
        {"list": source(contact='recorded = { column = "Written" }')},
        also=known_when_landed,
    )
