"""B32, B33, B35 to B56: dates, identifiers, codes, numbers and texts."""

from __future__ import annotations

from tests.bad_files.world import (
    DAY,
    HEADER,
    SIZE,
    Case,
    accepted,
    case,
    changed,
    check_digit_right,
    data,
    held,
    loaded,
    one_file,
    place,
    quarantined,
    sound_rows,
    source,
    without,
)

TIMED = "%d/%m/%Y %H:%M"


def turned(day: str) -> str:
    """A date with month and day changed round."""
    first, second, year = day.split("/")
    return f"{second}/{first}/{year}"


@case("B32", "accepted as declared", "Every day of the month is twelve or less")
def b32(position):
    rows = sound_rows()
    rows[place(position)] |= {"Went": "03/02/2026", "Back": "04/02/2026"}
    return one_file(data(rows), loaded(), rows)


@case("B33", "held: date_order", "American dates, one of which cannot be anything else")
def b33(position):
    rows = [row | {"Went": turned(row["Went"]), "Back": ""} for row in sound_rows()]
    rows[place(position)]["Went"] = "01/25/2026"
    return one_file(data(rows), held("date_order"), unseen=["01/25/2026"])


@case("B35", "held: bad_date; its twin accepted", "Two-digit years")
def b35(position):
    columns = ("Went", "DOB", "Back", "Went", "DOB")[position]
    rows = sound_rows()
    short = [row | {columns: row[columns][:6] + row[columns][8:]} for row in rows]
    whole = [
        {k: v[:6] + v[8:] if k in ("Went", "Back", "DOB") else v for k, v in row.items()}
        for row in rows
    ]
    twin = source("twin", "twin*.csv", files="two_digit_years_to = 30")
    twin = twin.replace('"%d/%m/%Y"', '"%d/%m/%y"').replace("two_digit_years_to = 30\n", "", 1)
    twin = twin.replace("[files]\n", "[files]\ntwo_digit_years_to = 30\n")
    return Case(
        {DAY: {"list.csv": data(short), "twin.csv": data(whole)}},
        {"list.csv": held("bad_date"), "twin.csv": loaded()},
        rows,
        {"list": source(), "twin": twin},
    )


@case("B36", "one row quarantined: bad_date", "A day as a spreadsheet counts it")
def b36(position):
    serial = ("45383", "43921", "45383.5", "46024", "2958465")[position]
    return quarantined(position, "bad_date", Went=serial)


@case("B37", "accepted as no date, counted: no_date_code", "Days that stand for no date")
def b37(position):
    code = ("01/01/1900", "01/01/1753", "30/12/1899", "31/12/9999", "01/01/1900")[position]
    column = ("DOB", "Back", "DOB", "Back", "Back")[position]
    rows = changed(position, **{column: code})
    return one_file(data(rows), loaded(warnings={"no_date_code": 1}), rows)


@case("B38", "one row quarantined: bad_date", "Days that no calendar has")
def b38(position):
    day = ("29/02/2023", "31/04/2024", "00/00/0000", "31/11/2025", "30/02/2024")[position]
    return quarantined(position, "bad_date", Went=day, Back="")


@case("B39", "one row quarantined", "An event far in the future, or after it was recorded")
def b39(position):
    if position % 2 == 0:
        return quarantined(position, "date_out_of_range", Went="14/05/2099", Back="")
    rows, at = sound_rows(), place(position)
    for row in rows:
        row["Written"] = row["Back"]
    rows[at] |= {"Went": "20/02/2026", "Back": "", "Written": "19/02/2026"}
    return one_file(
        data(rows, header=(*HEADER, "Written")),
        loaded(reasons={"after_recorded": 1}),
        without(rows, at),
        sources={"list": source(contact='recorded = { column = "Written" }')},
        lines={"list.csv": [at + 2]},
        unseen=["19/02/2026", "20/02/2026"],
    )


#: The same source, with contacts of the person whose birth the row gives.
OWN = source().replace('{ column = "NHS", scheme = "nhs" }', '{ column = "Child" }')


@case("B40", "accepted, marked before_birth; earlier quarantined", "Contacts of the unborn")
def b40(position):
    rows, at = changed(position, DOB="08/10/2026", Went="01/01/2026", Back=""), place(position)
    early = (at + 5) % SIZE
    rows[early] |= {"DOB": "09/10/2026", "Went": "01/01/2026", "Back": ""}
    truth = [row | {"NHS": row["Child"]} for row in without(rows, early)]
    return one_file(
        data(rows),
        loaded(reasons={"before_birth": 1}),
        truth,
        sources={"list": OWN},
        lines={"list.csv": [early + 2]},
        marks={rows[at]["Ref"]: "before_birth"},
        unseen=["08/10/2026", "09/10/2026"],
    )


@case("B41", "one row quarantined; a doubled hour accepted", "An hour the clocks skip or repeat")
def b41(position):
    rows, at = sound_rows(), place(position)
    for row in rows:
        row["Went"] += " 09:30"
    skipped = ("29/03/2020 01:30", "30/03/2025 01:00", "31/03/2024 01:59")[position % 3]
    rows[at] |= {"Went": skipped, "Back": ""}
    rows[(at + 5) % SIZE] |= {"Went": "26/10/2025 01:30", "Back": ""}
    rows[(at + 7) % SIZE] |= {"Went": "29/03/2020 02:00", "Back": ""}
    return one_file(
        data(rows),
        loaded(reasons={"bad_date": 1}),
        without(rows, at),
        sources={"list": source(occurred=f', format = "{TIMED}"')},
        lines={"list.csv": [at + 2]},
        unseen=[skipped],
    )


@case("B42", "accepted, as London's days", "Times with an offset, with Z and without either")
def b42(position):
    rows = sound_rows()
    zones = ("Z", "+01:00", "", "-05:00", "+0000")
    for number, row in enumerate(rows):
        row["Went"] += f" 12:00{zones[(number + position) % 5]}"
    late = rows[place(position)]
    late |= {"Went": "30/06/2025 23:30Z", "Back": ""}
    truth = [dict(row) for row in rows]
    truth[place(position)]["Went"] = "01/07/2025"
    sources = {"list": source(occurred=', format = "%d/%m/%Y %H:%M%z"')}
    return one_file(data(rows), loaded(), truth, sources=sources)


@case("B43", "accepted as text", "An identifier that begins with a zero")
def b43(position):
    number = ("0123456789", "0123456780", "0000000018", "0999999999", "0100000003")[position]
    rows = changed(position, NHS=number)
    marks = {} if check_digit_right(number) else {rows[place(position)]["Ref"]: "id_check_failed"}
    return one_file(data(rows), loaded(), rows, marks=marks)


@case("B44", "one row quarantined: mangled_identifier", "An identifier a spreadsheet cut down")
def b44(position):
    number = ("4.50558E+09", "9.43477E+09", "4.5E+09", "4.505580e+09", "1.23457E+11")[position]
    return quarantined(position, "mangled_identifier", NHS=number)


@case("B45", "accepted, marked id_check_failed", "Check digits that are wrong, alike, or ten")
def b45(position):
    number = ("9434765918", "4444444444", "9000000060", "9434765917", "0000000000")[position]
    rows = changed(position, NHS=number)
    return one_file(
        data(rows), loaded(), rows, marks={rows[place(position)]["Ref"]: "id_check_failed"}
    )


@case("B46", "accepted as text", "Identifiers that look like numbers in scientific writing")
def b46(position):
    name = ("9E10", "1E5", "00E0", "1e999", "7E-3")[position]
    rows = changed(position, Ref=name, Child=f"{name}{name}")
    return one_file(data(rows), loaded(), rows)


@case("B47", "accepted as names", "People called Null, NA, None, True, Nan")
def b47(position):
    return accepted(position, Surname=("Null", "NA", "None", "True", "Nan")[position])


@case("B48", "accepted, blank is unknown", "Every way to write yes, no and not known")
def b48(position):
    ways = ("Y", "N", "Yes", "No", "1", "0", "", "U", "N/K", "NK", "NA")
    rows = sound_rows()
    for number, row in enumerate(rows):
        row["Interview"] = ways[(number + position) % len(ways)]
    return one_file(data(rows), loaded(), rows)


@case("B49", "one row quarantined: bad_number", "Numbers with marks that are not digits")
def b49(position):
    number = ("1,234", "\uff11\uff12", "\u22125", "1 234", "\u0661\u0662")[position]
    return quarantined(position, "bad_number", Sessions=number)


@case("B50", "one row quarantined: bad_number", "Numbers that are none")
def b50(position):
    return quarantined(
        position, "bad_number", Sessions=("inf", "nan", "1e999", "-inf", "0x10")[position]
    )


@case("B51", "one row quarantined: bad_number", "A comma for the decimal point")
def b51(position):
    return quarantined(
        position, "bad_number", Sessions=("0,75", "12,5", ",5", "1.5,0", "1,0")[position]
    )


@case("B52", "one row quarantined; many: held", "A type code that no map holds")
def b52(position):
    few = quarantined(position, "unmapped_type", Kind="CIN9")
    many = sound_rows()
    for step in range(3):
        many[(place(position) + step) % SIZE]["Kind"] = "CIN9"
    files = {"list.csv": few.deliveries[DAY]["list.csv"], "twin.csv": data(many)}
    return Case(
        {DAY: files},
        {"list.csv": few.told["list.csv"], "twin.csv": held("unmapped_type")},
        few.truth,
        {"list": source(), "twin": source("twin", "twin*.csv")},
        lines=few.lines,
    )


@case("B53", "one row quarantined: field_too_long", "A document in a field")
def b53(position):
    size = 200_000 if position < 3 else 10_000_000
    column = ("Surname", "Forename", "Surname", "Note", "Note")[position]
    case_ = quarantined(position, "field_too_long", **{column: "Qx" * (size // 2)})
    return case_


@case("B54", "accepted as it is", "Formulas and control characters in a name")
def b54(position):
    name = ('=HYPERLINK("http://qx")', "@SUM(1+qx)", "-2+3+cmd|qx", "\tQxtab", "Qxa\rb")[position]
    rows = changed(position, Surname=name)
    return one_file(data(rows, quote_all=True), loaded(), rows)


@case("B55", "accepted as it is", "Markup in a name")
def b55(position):
    name = (
        "<img src=x onerror=qx()>",
        "<script>qx()</script>",
        "{{ 7*7 }}qx",
        "</td>qx",
        "${qx}",
    )[position]
    return accepted(position, Forename=name)


@case("B56", "accepted as text", "SQL in an identifier")
def b56(position):
    name = ("x'); DROP TABLE flags;--", "' OR '1'='1", '"; --qx', "1 UNION SELECT qx", "%qx_")
    return accepted(position, Ref=name[position])
