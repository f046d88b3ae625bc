"""B01 to B26: encodings, line ends, quotes, columns, and files that are cut or counted wrongly."""

from __future__ import annotations

import hashlib
import json
import unicodedata

from tests.bad_files.world import (
    DAY,
    HEADER,
    SIZE,
    Case,
    accepted,
    case,
    changed,
    data,
    held,
    loaded,
    one_file,
    place,
    sound_rows,
    source,
    text,
    without,
)

BOM = b"\xef\xbb\xbf"


@case("B01", "accepted", "UTF-8 with a byte order mark, written in five ways")
def b01(position):
    rows = sound_rows()
    ways = ({}, {"newline": "\r\n"}, {"quote_all": True}, {"newline": "\r"}, {"delimiter": ";"})
    files = 'delimiter = ";"' if position == 4 else ""
    sources = {"list": source(files=files)}
    return one_file(BOM + data(rows, **ways[position]), loaded(), rows, sources=sources)


@case("B02", "held: encoding", "UTF-16 where UTF-8 is declared, with and without its mark")
def b02(position):
    codec = ("utf-16-le", "utf-16", "utf-16-be", "utf-16-le", "utf-16-be")[position]
    mark = {3: b"\xff\xfe", 4: b"\xfe\xff"}.get(position, b"")
    return one_file(mark + text(sound_rows()).encode(codec), held("encoding"))


@case("B03", "held: encoding; its twin accepted", "A cp1252 apostrophe where UTF-8 is declared")
def b03(position):
    rows = changed(position, Surname="O\u2019Brienqx")
    raw = text(rows).encode("cp1252")
    sources = {
        "list": source(),
        "twin": source("twin", "twin*.csv", files='encoding = "cp1252"'),
    }
    return Case(
        {DAY: {"list.csv": raw, "twin.csv": raw}},
        {"list.csv": held("encoding"), "twin.csv": loaded()},
        rows,
        sources,
    )


@case("B04", "accepted, warned: mojibake", "A name that was encoded twice")
def b04(position):
    name = ("Zo\u00c3\u00abqx", "Ren\u00c3\u00a9eqx", "Bj\u00c3\u00b6rnqx")[position % 3]
    rows = changed(position, Forename=name)
    return one_file(data(rows), loaded(warnings={"mojibake": 1}), rows, unseen=[name])


@case("B05", "held: encoding", "UTF-8 to begin with, cp1252 from one row on")
def b05(position):
    rows = changed(0, Surname="Qx\u00e9")
    rows[place(position)]["Note"] = "Qx caf\u00e9"
    lines = text(rows).splitlines(keepends=True)
    cut = place(position) + 1
    raw = "".join(lines[:cut]).encode() + "".join(lines[cut:]).encode("cp1252")
    return one_file(raw, held("encoding"), unseen=["Qx caf"])


@case("B06", "one row quarantined: nul", "A zero byte inside a quoted name")
def b06(position):
    rows, at = changed(position, Surname="QxO\0Neill"), place(position)
    raw = text(rows, quote_all=True).encode()
    told = loaded(reasons={"nul": 1})
    return one_file(raw, told, without(rows, at), lines={"list.csv": [at + 2]}, unseen=["Neill"])


@case("B07", "held: nul_block", "A block of zero bytes, as a sparse copy leaves")
def b07(position):
    raw = data(sound_rows())
    lines = raw.splitlines(keepends=True)
    cut = len(b"".join(lines[: place(position) + 2]))
    return one_file(raw[:cut] + b"\0" * 4096 + raw[cut:], held("nul_block"))


@case("B08", "accepted", "Lines that end with a carriage return alone")
def b08(position):
    rows = changed(position, Note="Qx said, \u201cquoted\u201d")
    return one_file(text(rows, newline="\r").encode(), loaded(), rows)


@case("B09", "accepted", "Both kinds of line end in one file")
def b09(position):
    rows = sound_rows()
    lines = text(rows).splitlines()
    ends = ["\r\n" if number == place(position) + 1 else "\n" for number in range(len(lines))]
    raw = "".join(line + end for line, end in zip(lines, ends, strict=True))
    return one_file(raw.encode(), loaded(), rows)


@case("B10", "accepted, one person", "One name composed and decomposed")
def b10(position):
    rows, at = changed(position, Surname="Zo\u00eb Qxb\u00e9nard"), place(position)
    twin = {**rows[at], "Ref": "QXREFTWIN"}
    twin["Surname"] = unicodedata.normalize("NFD", rows[at]["Surname"])
    assert twin["Surname"] != rows[at]["Surname"]
    return one_file(data([*rows, twin]), loaded(SIZE + 1), [twin, *rows])


@case("B11", "accepted, warned: hidden_characters", "Marks in a name that nobody sees")
def b11(position):
    mark = ("\u202e", "\u200b", "\u00ad", "\u2066", "\u200d")[position]
    rows = changed(position, Surname=f"Qx{mark}hidden")
    rows[place(position)]["Child"] = "QXHIDDEN"
    told = loaded(warnings={"hidden_characters": 1})
    return one_file(data(rows), told, rows, unseen=[f"Qx{mark}hidden"])


@case("B12", "accepted", "Commas, quotes and line breaks inside quotes")
def b12(position):
    return accepted(position, Surname='Qx "the", elder', Forename="Qx line\nbreak")


@case("B13", "held: unclosed_quote", "A quote that is never closed")
def b13(position):
    lines = text(sound_rows()).splitlines()
    at = place(position) + 1
    lines[at] = lines[at].replace("Qxnote", '"Qxnote')
    return one_file(("\n".join(lines) + "\n").encode(), held("unclosed_quote"))


def with_line(position, edit):
    lines = text(sound_rows()).splitlines()
    at = place(position)
    lines[at + 1] = edit(lines[at + 1])
    return one_file(
        ("\n".join(lines) + "\n").encode(),
        loaded(reasons={"field_count": 1}),
        without(sound_rows(), at),
        lines={"list.csv": [at + 2]},
    )


@case("B14", "one row quarantined: field_count", "A row with a field too few")
def b14(position):
    return with_line(position, lambda line: line.rsplit(",", 1)[0])


@case("B15", "one row quarantined: field_count", "A row with a field too many")
def b15(position):
    return with_line(position, lambda line: line + ",Qxextra")


@case("B16", "held: field_count", "Every row has one field more than the header")
def b16(position):
    lines = text(sound_rows()).splitlines()
    where = (0, 1, 5, 10, None)[position]
    turned = []
    for line in lines[1:]:
        cells = line.split(",")
        cells.insert(len(cells) if where is None else where, "Qxextra")
        turned.append(",".join(cells))
    return one_file(("\n".join([lines[0], *turned]) + "\n").encode(), held("field_count"))


@case("B17", "held: duplicate_column", "Two columns of one name")
def b17(position):
    twice = ("Ref", "Surname", "Went", "Sessions", "Note")[position]
    return one_file(data(sound_rows(), header=(*HEADER, twice)), held("duplicate_column"))


@case("B18", "accepted", "The columns in another order")
def b18(position):
    turn = 2 * position + 1
    rows = sound_rows()
    return one_file(data(rows, header=HEADER[turn:] + HEADER[:turn]), loaded(), rows)


@case("B19", "held: missing_column", "No header line")
def b19(position):
    lines = text(sound_rows()).splitlines(keepends=True)[1:]
    lines = lines[place(position) :] + lines[: place(position)]
    return one_file("".join(lines).encode(), held("missing_column"))


@case("B20", "held: missing_column; its twin accepted", "A header that is written otherwise")
def b20(position):
    column = ("Ref", "Surname", "Went", "Kind", "Sessions")[position]
    rows = sound_rows()
    header = [f" {name}_x " if name == column else name for name in HEADER]
    raw = text(rows).replace(",".join(HEADER), ",".join(header), 1).encode()
    declared = f'headers = {{ {column} = " *{column}_x *" }}'
    return Case(
        {DAY: {"list.csv": raw, "twin.csv": raw}},
        {"list.csv": held("missing_column"), "twin.csv": loaded()},
        rows,
        {"list": source(), "twin": source("twin", "twin*.csv", files=declared)},
    )


@case("B21", "held: missing_column", "Another mark between the fields than declared")
def b21(position):
    marks = (";", "\t", "|", ";", "\t")
    newline = "\r\n" if position > 2 else "\n"
    raw = data(sound_rows(), delimiter=marks[position], newline=newline)
    return one_file(raw, held("missing_column"))


@case("B22", "held: no_header", "Nothing in the file")
def b22(position):
    return one_file((b"", b"\n", BOM, b"  \r\n \r\n", b"\r")[position], held("no_header"))


@case("B23", "held: empty; its twin accepted", "A header and no rows")
def b23(position):
    raw = (
        data([]),
        data([], newline="\r\n"),
        BOM + data([]),
        data([]).rstrip(),
        data([]) + b"\n\n",
    )[position]
    return Case(
        {DAY: {"list.csv": raw, "twin.csv": raw}},
        {"list.csv": held("empty"), "twin.csv": loaded(0)},
        [],
        {"list": source(), "twin": source("twin", "twin*.csv", files="may_be_empty = true")},
    )


@case("B24", "held: sidecar", "Cut within a row; five ways a sender may say what it should be")
def b24(position):
    whole = data(sound_rows())
    lines = whole.splitlines(keepends=True)
    end = len(b"".join(lines[: place(position) + 2]))
    cut = whole[: end - 4]
    sha256 = hashlib.sha256(whole).hexdigest()
    beside = (
        {"list.csv.sha256": f"{sha256}  list.csv\n".encode()},
        {"list.csv.manifest.json": json.dumps({"sha256": sha256}).encode()},
        {"list.csv.manifest.json": json.dumps({"bytes": len(whole)}).encode()},
        {"SHA256SUMS": f"{sha256} *list.csv\n".encode()},
        {"manifest.json": json.dumps({"files": [{"name": "list.csv", "rows": SIZE}]}).encode()},
    )[position]
    reason = "sidecar_rows" if position == 4 else "sidecar"
    if position == 4:
        cut = b"".join(lines[:-1])
    return Case({DAY: {"list.csv": cut, **beside}}, {"list.csv": held(reason)}, [])


@case("B25", "held: row_cap", "A file that ends where a spreadsheet does")
def b25(position):
    rows = (65_535, 65_536, 1_048_575, 1_048_576, 65_535)[position]
    row = ",".join(["QXREF", "QXC", "1", "Qxs", "Qxf", "", "02/01/2026", "", "M", "", "", ""])
    end = "\r\n" if position == 4 else "\n"
    raw = (",".join(HEADER) + end + (row + end) * rows).encode()
    return one_file(raw, held("row_cap"))


@case("B26", "held: trailer; its twin accepted", "A last line with the number of rows, and fewer")
def b26(position):
    body = text(sound_rows())
    wrong = (
        f"TRAILER,{SIZE + 2}\n",
        f"TRAILER,{SIZE - 1}",
        "TRAILER,many\n",
        "",
        f"TRAILER,{SIZE}\nTRAILER,1000\n",
    )[position]
    declared = source(files="trailer = 'TRAILER,([0-9]+)'")
    twin = source("twin", "twin*.csv", files="trailer = 'TRAILER,([0-9]+)'")
    return Case(
        {DAY: {"list.csv": (body + wrong).encode(), "twin.csv": f"{body}TRAILER,{SIZE}".encode()}},
        {"list.csv": held("trailer"), "twin.csv": loaded()},
        sound_rows(),
        {"list": declared, "twin": twin},
    )
