"""Generated CSV texts: our reader takes and refuses exactly what Python's strict csv does."""

from __future__ import annotations

import csv
import io
import random

import pytest

from riskflag.history.declared.source_files import Files
from riskflag.history.files import csv_reader, csv_scan
from riskflag.history.files.delivered import RejectedError
from riskflag.history.files.readers import read_rows

FILES = Files.model_validate({"pattern": ["x"]})
HEADER = ("a", "b", "c")
REFUSALS = ("unclosed_quote", "field_count", "empty", "missing_column", "no_header")
PLAIN = [
    "",
    "x",
    "1",
    "Zo\u00eb",
    "two words",
    "\u6f22",
    "'",
    "0012",
    "NA",
    "\ufeff",
    "\u2028",
    "\x0b",
]
HARD = ['"', '""', "\n", "\r\n", "\r", ",", 'a"b', "x,y", "line\nbreak", "\x0c", "\x85", "\x1c"]
ENDS = ("\n", "\r\n", "\r")


def generated(chance):
    """A CSV text: mostly well written, at times with a slip, at times a soup of marks."""
    kind = chance.random()
    end = chance.choice(ENDS[:2]) if chance.random() < 0.9 else "\r"
    lines = [",".join(HEADER)]
    for _ in range(chance.randrange(0, 9)):
        width = 3 if chance.random() < 0.9 else chance.randrange(1, 6)
        lines.append(",".join(_field(chance, kind) for _ in range(width)))
    text = end.join(lines) + (end if chance.random() < 0.8 else "")
    if kind > 0.9:
        marks = ['"', ",", "\n", "\r", "x", "\r\n"]
        text += "".join(chance.choice(marks) for _ in range(chance.randrange(1, 30)))
    return text


def _field(chance, kind):
    if kind < 0.3:
        return chance.choice(PLAIN)
    value = chance.choice(PLAIN + HARD)
    if kind < 0.75 or chance.random() < 0.7:
        plain = not any(mark in value for mark in ',"\r\n')
        if plain and chance.random() < 0.7:
            return value
        return '"' + value.replace('"', '""') + '"'
    return value


def strict(text):
    """What Python's strict csv makes of it: rows with lines, faulty rows, or refused."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        if next(reader, None) != list(HEADER):
            return "refused"
    except csv.Error:
        return "refused"
    rows, bad = [], []
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error:
            if reader.line_num > line or _at_the_end(text, reader):
                return "refused"
            bad.append((line, "bad_quote"))
            continue
        if row:
            rows.append((line, tuple(row))) if len(row) == 3 else bad.append((line, "field_count"))
    if not rows and (not bad or all(reason == "field_count" for _, reason in bad)):
        return "refused"
    return rows, bad


def _at_the_end(text, reader):
    """A quote that is still open when the text ends has no end."""
    lines = list(io.StringIO(text, newline=""))
    return reader.line_num >= len(lines) and lines[reader.line_num - 1].count('"') % 2 == 1


def ours(text):
    try:
        raw = read_rows(text.encode(), "x.csv", FILES, frozenset(HEADER))
    except RejectedError as refusal:
        return "refused" if refusal.reason in REFUSALS else refusal.reason
    columns = [raw.table.column(name).to_pylist() for name in HEADER]
    rows = [
        (int(line), cells)
        for line, cells in zip(raw.lines, zip(*columns, strict=True), strict=True)
    ]
    return rows, sorted((row.line, row.reason) for row in raw.bad)


def compared(count, seed):
    """How many texts each reader took, with rows to compare, and refused."""
    taken = refused = 0
    for number in range(count):
        text = generated(random.Random(f"{seed} {number}"))
        expected = strict(text)
        found = ours(text)
        if expected == "refused":
            refused += 1
            assert found == "refused", f"case {seed} {number}: {text!r}"
            continue
        taken += 1
        assert found != "refused", f"case {seed} {number}: {text!r}"
        assert found[0] == expected[0], f"case {seed} {number}: {text!r}"
        assert found[1] == sorted(expected[1]), f"case {seed} {number}: {text!r}"
    return taken, refused


@pytest.mark.parametrize("seed", [1, 2])
def test_two_thousand_texts_are_read_as_strict_csv_reads_them(seed, monkeypatch):
    """The same rows on the same lines, the same faulty rows, the same refusals."""
    if seed == 2:  # cut into many parts, so that every boundary is met
        monkeypatch.setattr(csv_reader, "CHUNK_BYTES", 16)
        monkeypatch.setattr(csv_scan, "_BLOCK", 16)
    taken, refused = compared(1_000, seed)
    assert taken + refused == 1_000
    assert taken > 600
    assert refused > 50


@pytest.mark.long
@pytest.mark.parametrize("seed", [3, 4])
def test_twenty_thousand_texts_are_read_as_strict_csv_reads_them(seed):
    assert sum(compared(10_000, seed)) == 10_000


def test_the_comparison_notices_a_forgiving_reader():
    """Negative control: the default, forgiving reading differs on these texts."""
    differs = 0
    for number in range(300):
        text = generated(random.Random(f"1 {number}"))
        rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
        expected = strict(text)
        loose = [tuple(row) for row in rows if row]
        differs += expected == "refused" or loose != [row for _, row in expected[0]]
    assert differs > 30
