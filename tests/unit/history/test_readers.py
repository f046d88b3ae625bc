"""The reader: exact fields, named faults, and agreement with Python's strict csv reader."""

from __future__ import annotations

import csv
import io
import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskflag.history.declared.source_files import Files
from riskflag.history.files.delivered import RejectedError, read_bytes
from riskflag.history.files.readers import read_rows


def read(data, needed=("a", "b"), **declared):
    data = data if isinstance(data, bytes) else data.encode()
    files = Files.model_validate({"pattern": "x.csv", **declared})
    return read_rows(data, "x.csv", files, frozenset(needed))


def rows(raw):
    return [tuple(row.values()) for row in raw.table.to_pylist()]


def test_texts_stay_texts():
    raw = read("a,b\n0123456789,9E10\nNA,None\n,true\n")
    assert rows(raw) == [("0123456789", "9E10"), ("NA", "None"), ("", "true")]
    assert raw.lines.tolist() == [2, 3, 4]


def test_a_byte_order_mark_and_windows_line_ends_are_no_content():
    raw = read(b"\xef\xbb\xbfa,b\r\n1,2\r\n3,4")
    assert rows(raw) == [("1", "2"), ("3", "4")]


def test_columns_are_found_by_name_and_others_are_not_kept():
    assert rows(read("z,b,a\nx,2,1\n")) == [("1", "2")]


def test_quoted_line_breaks_keep_the_line_numbers_true():
    raw = read('a,b\n"1\n1",2\n\n3,"4 ""x"", y"\n5,6\n')
    assert rows(raw) == [("1\n1", "2"), ("3", '4 "x", y'), ("5", "6")]
    assert raw.lines.tolist() == [2, 5, 6]


def test_rows_with_other_field_counts_are_named_by_line_and_the_rest_is_kept():
    raw = read("a,b\n1,2\n3\n4,5,6\n7,8\n")
    assert rows(raw) == [("1", "2"), ("7", "8")]
    assert [(bad.line, bad.reason, bad.text) for bad in raw.bad] == [
        (3, "field_count", "3"),
        (4, "field_count", "4,5,6"),
    ]
    assert raw.rows == 4


def test_a_misplaced_quote_costs_its_row_only():
    raw = read('a,b\n1,2\n"3"x,4\n5,6\n7"7,8\n')
    assert rows(raw) == [("1", "2"), ("5", "6"), ('7"7', "8")]
    assert [(bad.line, bad.reason) for bad in raw.bad] == [(3, "bad_quote")]


def test_a_zero_byte_costs_its_row_only():
    raw = read(b"a,b\n1,2\n3,x\0y\n5,6\n")
    assert rows(raw) == [("1", "2"), ("5", "6")]
    assert [(bad.line, bad.reason) for bad in raw.bad] == [(3, "nul")]


def test_an_endless_field_costs_its_row_only():
    raw = read("a,b\n1,2\n3," + "x" * 40_000 + "\n5,6\n")
    assert [(bad.line, bad.reason) for bad in raw.bad] == [(3, "field_too_long")]
    assert raw.rows == 3


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "no_header"),
        ("a,b\n", "empty"),
        ("a,a,b\n1,2,3\n", "duplicate_column"),
        ("a;b\n1;2\n", "missing_column"),
        ("1,2\n3,4\n", "missing_column"),
        (" a,b\n1,2\n", "missing_column"),
        ("a,b\n1,2,3\n4,5,6\n", "field_count"),
        ('a,b\n1,2\n3,"4\n5,6\n', "unclosed_quote"),
        ('a,b\n1,2\n3,"4', "unclosed_quote"),
        ('a,b\n3,"4\n5,6"x\n7,8\n', "unclosed_quote"),
        (b"a,b\n1,\x92\n", "encoding"),
        ("a,b\n1,2\n".encode("utf-16"), "encoding"),
        ("a,b\n1,2\n".encode("utf-16-le"), "encoding"),
        (b"a,b\n1,2\n" + b"\0" * 4096, "nul_block"),
        ("a,b\n" + "1,2\n" * 65_535, "row_cap"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused_with_its_reason(data, reason):
    with pytest.raises(RejectedError) as refusal:
        read(data)
    assert refusal.value.reason == reason


def test_a_declared_encoding_is_read_and_the_refusal_of_another_names_the_byte():
    assert rows(read(b"a,b\n1,O\x92Brien\n", encoding="cp1252")) == [("1", "O’Brien")]
    with pytest.raises(RejectedError, match="byte 6 "):
        read(b"a,b\n1,\x92\n")


def test_a_quiet_day_may_be_declared():
    assert read("a,b\n", may_be_empty=True).rows == 0


def test_only_plain_files_are_opened(tmp_path):
    target = tmp_path / "real.csv"
    target.write_text("a,b\n1,2\n")
    (tmp_path / "link.csv").symlink_to(target)
    os.mkfifo(tmp_path / "pipe.csv")
    assert read_bytes(target) == b"a,b\n1,2\n"
    for name in ("link.csv", "pipe.csv", "absent.csv", "."):
        with pytest.raises(RejectedError) as refusal:
            read_bytes(tmp_path / name)
        assert refusal.value.reason == "not_a_file"


def parquet(table):
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, write_page_checksum=True)
    return sink.getvalue().to_pybytes()


def test_parquet_gives_the_same_rows_as_csv():
    table = pa.table({"a": ["01", "2", None], "b": pa.array([1, 2, 3]), "c": [[1], [2], [3]]})
    raw = read(parquet(table), format="parquet")
    assert raw.table.to_pylist() == [
        {"a": "01", "b": "1"},
        {"a": "2", "b": "2"},
        {"a": None, "b": "3"},
    ]
    with pytest.raises(RejectedError) as refusal:
        read(parquet(table), needed=("c",), format="parquet")
    assert refusal.value.reason == "column_type"


def test_a_flipped_bit_in_a_page_of_a_parquet_delivery_is_caught():
    data = bytearray(parquet(pa.table({"a": [f"text {n}" for n in range(500)], "b": ["x"] * 500})))
    data[len(data) // 4] ^= 1
    with pytest.raises(RejectedError) as refusal:
        read(bytes(data), format="parquet")
    assert refusal.value.reason == "damaged"


FIELD = st.text(alphabet='ab,"\n\r \u00e9x1', max_size=6)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(FIELD, FIELD), min_size=1, max_size=12),
    st.sampled_from([("\r\n", csv.QUOTE_MINIMAL), ("\n", csv.QUOTE_ALL)]),
)
def test_what_a_csv_writer_wrote_is_what_is_read(written, style):
    """Two parsers, one answer: any content a strict writer can express comes back exactly."""
    line_end, quoting = style
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator=line_end, quoting=quoting)
    writer.writerow(["a", "b"])
    writer.writerows(written)
    raw = read(stream.getvalue())
    assert rows(raw) == written
    assert raw.bad == []


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet='ab,"\n\r x', max_size=60))
def test_any_text_is_read_as_the_strict_reader_reads_it_or_refused(text):
    """The fast path and the strict reader never disagree on an accepted row."""
    data = "a,b\n1,2\n" + text
    try:
        raw = read(data)
    except RejectedError:
        return
    if not raw.bad:
        strict = csv.reader(io.StringIO(data, newline=""), strict=True)
        assert [("a", "b"), *rows(raw)] == [tuple(row) for row in strict if row]
