"""Linkage without shared identifiers on sets whose truth is published.

For each set: what the shipped settings link by themselves, what they leave to a steward, and what
the threshold alone would have linked. The sets lie beside the checkout (../shared/data).

    python -m benchmarks.linkage --data ../shared/data
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from riskflag.history.linkage.compare import RECORD, compare
from riskflag.history.linkage.decide import decide, decide_within
from riskflag.history.linkage.model import load_weights
from riskflag.history.linkage.run import by_feeds
from riskflag.history.loading.addresses import address_key, plain_name, plain_postcode
from riskflag.history.store.matches import AUTO, WAITING


@dataclass(frozen=True)
class TruthSet:
    """Records (schema RECORD) and who each really is. Of one feed nobody stands twice."""

    name: str
    records: pa.Table
    truth: dict[str, str]

    def is_true(self, left: str, right: str) -> bool:
        return self.truth[left] == self.truth[right]

    def true_pairs(self) -> int:
        """How many pairs of records are one person."""
        return sum(n * (n - 1) // 2 for n in Counter(self.truth.values()).values())


@dataclass(frozen=True)
class Reached:
    """Precision and recall of one way of deciding."""

    precision: float
    recall: float


@dataclass(frozen=True)
class Result:
    """What was reached on one set."""

    name: str
    records: int
    true_pairs: int
    threshold: Reached
    linked: Reached
    with_steward: float
    waiting: int
    seconds: float


def evaluate(one: TruthSet) -> Result:
    """Compare and decide with the shipped settings, and hold it against the truth."""
    model = load_weights()
    began = time.perf_counter()
    across, _ = by_feeds(compare(one.records, model).pairs, one.records)
    found = decide(across, model, _feeds(one.records)).to_pylist()
    seconds = time.perf_counter() - began
    linked = [row for row in found if row["decision"] == AUTO]
    waiting = [row for row in found if row["decision"] == WAITING]
    above = [row for row in found if row["probability"] >= model.link_from]
    total = one.true_pairs()
    return Result(
        one.name,
        one.records.num_rows,
        total,
        _reached(one, above, total),
        _reached(one, linked, total),
        _reached(one, linked + waiting, total).recall,
        len(waiting),
        seconds,
    )


def _feeds(records: pa.Table) -> dict[str, str]:
    return {row["record"]: row["feed"] for row in records.select(["record", "feed"]).to_pylist()}


def _reached(one: TruthSet, rows: list[dict[str, Any]], total: int) -> Reached:
    right = sum(one.is_true(row["left"], row["right"]) for row in rows)
    return Reached(right / len(rows) if rows else 1.0, right / total)


def record(**stated: str | None) -> dict[str, str | None]:
    """One record of schema RECORD from texts as an agency writes them."""
    known = {name: text or None for name, text in stated.items()}
    address = known.pop("address", None)
    return {
        **known,
        "given_name": plain_name(known.get("given_name")),
        "family_name": plain_name(known.get("family_name")),
        "postcode": plain_postcode(known.get("postcode")),
        "address": address_key([address]),
    }


def _truth_set(name: str, rows: Iterable[tuple[dict[str, Any], str]]) -> TruthSet:
    made = list(rows)
    table = pa.Table.from_pylist([one for one, _ in made], schema=RECORD)
    return TruthSet(name, table, {one["record"]: who for one, who in made})


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream, skipinitialspace=True))


def _febrl(path: Path, *, numbered: bool, feed: str = "") -> Iterable[tuple[dict[str, Any], str]]:
    for row in _csv(path):
        birth = row["date_of_birth"]
        address = " ".join(row[name] for name in ("street_number", "address_1", "suburb"))
        made = record(
            record=row["rec_id"],
            feed=feed or row["rec_id"],
            given_name=row["given_name"],
            family_name=row["surname"],
            birth=f"{birth[:4]}-{birth[4:6]}-{birth[6:]}" if birth else None,
            postcode=row["postcode"],
            address=address,
            identifier=row["soc_sec_id"] if numbered else None,
        )
        yield made, row["rec_id"].split("-")[1]


def febrl_4(data: Path, *, numbered: bool) -> TruthSet:
    """FEBRL data set 4: 5,000 people in two files, with the security number or without."""
    files = (data / f"dataset4{side}.csv" for side in "ab")
    rows = [row for path in files for row in _febrl(path, numbered=numbered, feed=path.stem)]
    name = "FEBRL 4, with its number" if numbered else "FEBRL 4, no number"
    return _truth_set(name, rows)


def febrl_3(data: Path, *, numbered: bool) -> TruthSet:
    """FEBRL data set 3: 2,000 people, 5,000 records, up to five each."""
    name = "FEBRL 3, with its number" if numbered else "FEBRL 3, no number"
    return _truth_set(name, _febrl(data / "dataset3.csv", numbered=numbered))


def fake_1000(data: Path) -> TruthSet:
    """Splink's own example: a thousand records of 181 people; no address, a town at most."""
    rows = _csv(data / "fake_1000.csv")
    made = (
        (
            record(
                record=row["unique_id"],
                feed=row["unique_id"],
                given_name=row["first_name"],
                family_name=row["surname"],
                birth=row["dob"],
                address=row["city"],
            ),
            row["cluster"],
        )
        for row in rows
    )
    return _truth_set("fake 1000", made)


def historical(data: Path, most: int) -> TruthSet:
    """Historical figures with planted errors; the first `most` records in the order of people."""
    table = pq.read_table(data / "historical_figures_with_errors_50k.parquet")
    rows = sorted(table.to_pylist(), key=lambda row: (row["cluster"], row["unique_id"]))[:most]
    made = (
        (
            record(
                record=row["unique_id"],
                feed=row["unique_id"],
                given_name=row["first_name"],
                family_name=row["surname"],
                birth=row["dob"],
                postcode=row["postcode_fake"],
                sex=row["gender"],
            ),
            row["cluster"],
        )
        for row in rows
    )
    return _truth_set(f"historical figures, {len(rows):,}", made)


def twins(families: int = 1_000) -> TruthSet:
    """Made-up twins of one birth and home, names a letter apart, in two feeds, no number.

    In half of the families each feed holds one of the two; in a quarter both hold both; in a
    quarter both hold the same one.
    """
    chance = random.Random(20_250_601)
    rows: list[tuple[dict[str, Any], str]] = []
    for at in range(families):
        pair = _two_names(chance)
        family = _word(chance, 6)
        birth = dt.date(2008, 1, 2) + dt.timedelta(days=chance.randrange(5_000))
        facts = {
            "family_name": family,
            "birth": birth.isoformat(),
            "postcode": f"ZZ{at % 90 + 10} {at % 9 + 1}AA",
            "address": f"{at % 200 + 1} {_word(chance, 7)} road {_word(chance, 5)}",
        }
        held = [((0,), (1,)), ((0,), (1,)), ((0, 1), (0, 1)), ((0,), (0,))][at % 4]
        for feed, twins_here in zip("ab", held, strict=True):
            for twin in twins_here:
                name = f"{feed}-{at}-{twin}"
                made = record(record=name, feed=feed, given_name=pair[twin], **facts)
                rows.append((made, f"{at}-{twin}"))
    return _truth_set("made-up twins, no number", rows)


def one_register(people: int = 100_000) -> TruthSet:
    """One register of made-up people in homes of three, every five-hundredth entered twice."""
    chance = random.Random(20_250_602)
    given, family = ([_word(chance, chance.randrange(4, 9)) for _ in range(n)] for n in NAMES)
    homes = [
        (f"{at % 97 + 1} {_word(chance, 9)} road", f"Z{at // 15}") for at in range(people // 3)
    ]
    names = chance.choices(given, [1 / (at + 1) for at in range(len(given))], k=people)
    families = chance.choices(family, [1 / (at + 9) for at in range(len(family))], k=len(homes))
    rows: list[tuple[dict[str, Any], str]] = []
    for at, name in enumerate(names):
        home = chance.randrange(len(homes))
        facts = {
            "feed": "register",
            "given_name": name,
            "family_name": families[home],
            "birth": (dt.date(2008, 1, 2) + dt.timedelta(chance.randrange(6_500))).isoformat(),
            "address": homes[home][0],
            "postcode": homes[home][1],
        }
        rows += [
            (record(record=f"{at:06}-{n}", **facts), str(at)) for n in range(1 + (at % 500 == 0))
        ]
    return _truth_set("one register", rows)


#: How many given and family names the people of the register have.
NAMES = (1_200, 8_000)


def evaluate_within(one: TruthSet) -> str:
    """How many people of one feed a steward is asked about, as the page says it."""
    model = load_weights()
    _, within = by_feeds(compare(one.records, model).pairs, one.records)
    found = decide_within(within, model).to_pylist()
    asked = [row for row in found if row["decision"] == WAITING]
    right = sum(one.is_true(row["left"], row["right"]) for row in asked)
    return (
        f"Of {one.true_pairs():,} people entered twice among the {one.records.num_rows:,} records "
        f"of one made-up register, {right:,} are put before the steward, and "
        f"{len(asked) - right:,} pairs of two people with them."
    )


def _two_names(chance: random.Random) -> tuple[str, str]:
    """A name, and it with a letter changed, added or left out."""
    name = _word(chance, chance.randrange(3, 8))
    place, letter = chance.randrange(1, len(name)), chance.choice("aehinoy")
    ways = (name[:place] + letter + name[place + 1 :], name[:place] + letter + name[place:])
    other = chance.choice(ways)
    return name, other if other != name else name + letter


def _word(chance: random.Random, length: int) -> str:
    """Letters that can be said: consonants and vowels in turn."""
    return "".join(chance.choice(("bdfghjklmnprstvz", "aeiou")[at % 2]) for at in range(length))


def sets(data: Path) -> list[Callable[[], TruthSet]]:
    """Every set with published truth, and the made-up twins."""
    folder = data / "splink-linkage"
    return [
        lambda: febrl_4(folder, numbered=True),
        lambda: febrl_4(folder, numbered=False),
        lambda: febrl_3(folder, numbered=True),
        lambda: febrl_3(folder, numbered=False),
        lambda: fake_1000(folder),
        lambda: historical(folder, 50_578),
        twins,
    ]


def row_of(one: Result) -> str:
    """One line of the table in docs/reference/identity.md."""
    figures = (
        f"{one.records:,}",
        f"{one.true_pairs:,}",
        f"{one.linked.precision:.4f}",
        f"{one.linked.recall:.4f}",
        f"{one.waiting:,}",
        f"{one.with_steward:.4f}",
        f"{one.threshold.precision:.4f}",
        f"{one.threshold.recall:.4f}",
    )
    return f"| {one.name} | " + " | ".join(figures) + " |"


HEAD = (
    "| set | records | true pairs | precision | recall | for a steward | recall with those "
    "| threshold alone: precision | recall |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    chosen = parser.parse_args()
    print(HEAD)
    for make in sets(chosen.data):
        print(row_of(evaluate(make())), flush=True)
    print(f"\n{evaluate_within(one_register())}")


if __name__ == "__main__":
    main()
