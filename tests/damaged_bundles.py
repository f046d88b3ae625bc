"""A thousand ways to damage a bundle, the same ones every time.

A damage changes the files of a sound bundle. Those of SEALED write all hashes anew, as somebody
would who knows the format; those of FORGED change what is plausible and could only be told by a
signature. Each is a function of the files and of chance that leaves the damaged files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from riskflag.scoring.bundle import MANIFEST, MODEL, SEAL, SIGNATURE, canonical, sha256

Files = dict[str, bytes]
Damage = Callable[[Files, Random], None]
NUMBER = re.compile(r"-?\d[\d.e+-]*")


@dataclass(frozen=True)
class Damaged:
    """One damaged bundle: what was done and its files; a name that ends with / is a folder."""

    how: str
    files: Files
    forged: bool


def damaged(sound: Files, wanted: int, seed: int = 20) -> Iterator[Damaged]:
    """`wanted` damaged bundles, every kind of damage in turn."""
    kinds = [*PLAIN, *SEALED, *FORGED]
    for number in range(wanted):
        kind = kinds[number % len(kinds)]
        chance = Random(f"{seed} {number}")
        files = dict(sound)
        kind(files, chance)
        if kind in SEALED or kind in FORGED:
            reseal(files)
        if files == sound:
            raise AssertionError(f"{kind.__name__} changed nothing")
        yield Damaged(f"{number} {kind.__name__}", files, kind in FORGED)


def reseal(files: Files) -> None:
    """Write the hashes anew; what is no manifest is left as it is."""
    try:
        manifest = json.loads(files[MANIFEST])
        for name in manifest["files"].keys() & files.keys():
            data = files[name]
            manifest["files"][name] = {"bytes": len(data), "sha256": sha256(data)}
        files[MANIFEST] = canonical(manifest)
    except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
        pass
    files[SEAL] = f"{sha256(files[MANIFEST])}\n".encode()


def write(folder: Path, files: Files) -> None:
    """Put the files into an empty folder."""
    for name, data in files.items():
        if name.endswith("/"):
            (folder / name).mkdir()
        else:
            (folder / name).write_bytes(data)


# Damage that the hashes tell.


def a_bit_flipped(files: Files, chance: Random) -> None:
    name = _any(files, chance)
    data = bytearray(files[name])
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    files[name] = bytes(data)


def a_file_cut(files: Files, chance: Random) -> None:
    name = _any(files, chance)
    files[name] = files[name][: chance.randrange(len(files[name]))]


def a_file_grown(files: Files, chance: Random) -> None:
    files[_any(files, chance)] += chance.choice([b"\n", b"\x00", b" ", b"}", b"Tree=9\n"])


def a_file_gone(files: Files, chance: Random) -> None:
    del files[_any(files, chance)]


def two_files_swapped(files: Files, chance: Random) -> None:
    one, other = chance.sample(_names(files), 2)
    files[one], files[other] = files[other], files[one]


def a_file_more(files: Files, chance: Random) -> None:
    names = ["code.py", ".hidden", "model.txt.bak", "MLmodel", "data.pkl", "inner/"]
    files[chance.choice(names)] = b"import os\n"


def a_folder_for_a_file(files: Files, chance: Random) -> None:
    name = _any(files, chance)
    del files[name]
    files[f"{name}/"] = b""


# Damage with hashes that fit.


def model_cut(files: Files, chance: Random) -> None:
    files[MODEL] = files[MODEL][: chance.randrange(len(files[MODEL]) - 2)]


def model_line_gone(files: Files, chance: Random) -> None:
    _lines(files, lambda lines: lines.pop(_of_a_tree(lines, chance)))


def model_line_twice(files: Files, chance: Random) -> None:
    def twice(lines: list[str]) -> None:
        place = _of_a_tree(lines, chance)
        lines.insert(place, lines[place])

    _lines(files, twice)


def a_tree_size_wrong(files: Files, chance: Random) -> None:
    _entry(files, chance, "tree_sizes", lambda old: str(_other(int(old), chance)))


def a_count_of_leaves_wrong(files: Files, chance: Random) -> None:
    _entry(files, chance, "num_leaves", lambda old: str(_other(int(old), chance)))


def a_child_out_of_range(files: Files, chance: Random) -> None:
    side = chance.choice(["left_child", "right_child"])
    _entry(files, chance, side, lambda _: str(chance.choice([7, 99, -9, 2**31 - 1, -(2**31)])))


def a_way_back(files: Files, chance: Random) -> None:
    side = chance.choice(["left_child", "right_child"])
    _entry(files, chance, side, lambda _: "0")


def a_part_reached_twice(files: Files, chance: Random) -> None:
    def same(values: list[str]) -> None:
        one, other = chance.sample(range(len(values)), 2)
        values[one] = values[other]

    _tree_line(files, chance, chance.choice(["left_child", "right_child"]), same)


def a_split_on_no_signal(files: Files, chance: Random) -> None:
    wrong = ["4", "191", "-1", "2147483647", "999999999999"]
    _entry(files, chance, "split_feature", lambda _: chance.choice(wrong))


def no_number(files: Files, chance: Random) -> None:
    line = chance.choice(["threshold", "leaf_value", "split_gain", "internal_value", "leaf_weight"])
    wrong = ["nan", "-inf", "infinity", "1e999", "0x1p3", "", "1,5", "1_0", "\u0661"]
    wrong += [] if line == "threshold" else ["inf"]
    _entry(files, chance, line, lambda _: chance.choice(wrong))


def a_number_more(files: Files, chance: Random) -> None:
    line = chance.choice(["threshold", "leaf_value", "decision_type", "leaf_count", "right_child"])
    _tree_line(files, chance, line, lambda values: values.append(values[-1]))


def a_number_fewer(files: Files, chance: Random) -> None:
    line = chance.choice(["threshold", "leaf_value", "left_child", "split_feature"])
    _tree_line(files, chance, line, lambda values: values.pop())


def a_split_by_category(files: Files, chance: Random) -> None:
    _entry(files, chance, "decision_type", lambda _: chance.choice(["1", "9", "64", "-1", "3"]))


def another_kind_of_tree(files: Files, chance: Random) -> None:
    old, new = chance.choice(
        [
            ("num_cat=0", "num_cat=1\ncat_boundaries=0 1000000\ncat_threshold=1"),
            ("is_linear=0", "is_linear=1"),
            ("is_linear=0", "is_linear=1\nleaf_const=1 2 3 4 5 6 7"),
            ("num_cat=0", "num_cat=2147483647"),
        ]
    )
    _replace(files, chance, old, new)


def another_kind_of_model(files: Files, chance: Random) -> None:
    _swap(
        files,
        chance.choice(
            [
                ("version=v4", "version=v5"),
                ("version=v4", "version=v3"),
                ("num_class=1", "num_class=1000000"),
                ("num_tree_per_iteration=1", "num_tree_per_iteration=0"),
                ("label_index=0", "label_index=-1"),
                ("objective=binary sigmoid:1", "objective=multiclass num_class:9"),
                ("objective=binary sigmoid:1", "objective=custom"),
                ("max_feature_idx=3", "max_feature_idx=2147483647"),
                ("max_feature_idx=3", "max_feature_idx=2"),
                ("monotone_constraints=1 1 0 0", "monotone_constraints=1 1 0"),
                ("monotone_constraints=1 1 0 0", "monotone_constraints=1 1 0 7"),
                ("tree\nversion", "tree\naverage_output\nversion"),
                ("feature_infos=[", "feature_infos=none ["),
                ("feature_infos=[0:7]", "feature_infos=1:2:3"),
                ("pandas_categorical:null", 'pandas_categorical:[["a"]]'),
                ("end of parameters", "end"),
                ("end of trees", "Tree=30"),
            ]
        ),
    )


def other_signal_names(files: Files, chance: Random) -> None:
    pairs = [
        ("missing_365d", "visits_90d"),
        ("visits_90d", "visits 90d"),
        ("visits_90d", "../visits"),
        ("visits_90d", "visits_91d"),
        ("seen_alone_90d", "seen_alone_90d more"),
    ]
    old, new = chance.choice(pairs)
    files[MODEL] = files[MODEL].replace(
        f"feature_names={NAMES}".encode(), f"feature_names={NAMES.replace(old, new)}".encode()
    )


def a_parameter_with_a_path(files: Files, chance: Random) -> None:
    new = chance.choice(["[data: /etc/passwd]", "[valid: ../../x]", "[data: a\x00b]", "data", "[]"])
    _swap(files, ("[data: ]", new))


def no_model_at_all(files: Files, chance: Random) -> None:
    files[MODEL] = chance.choice(
        [
            b"",
            b"cposix\nsystem\n(S'touch marker'\ntR.",
            b"\x80\x05\x95\x00\x00",
            b"\x1f\x8b\x08\x00",
            b"PK\x03\x04",
            b"tree\n",
            b"\xff\xfe" * 40,
            b"\n" * 5000,
            b"{}",
        ]
    )


def a_threshold_that_is_none(files: Files, chance: Random) -> None:
    wrong = [b"NaN", b"Infinity", b"-Infinity", b"1e999", b'"0.3"', b"null", b"true", b"[0.3]"]
    name = chance.choice([b"raw", b"probability", b"share"])
    data = re.sub(b'"' + name + rb'": [^,\n]+', b'"' + name + b'": ' + chance.choice(wrong),
                  files["thresholds.json"])  # fmt: skip
    files["thresholds.json"] = data


def a_chance_above_one(files: Files, chance: Random) -> None:
    part = {"probability": chance.choice([1.01, -0.1, 30.5, 1e300])}
    _json(files, "thresholds.json", lambda value: value.update(part))


def a_curve_that_is_none(files: Files, chance: Random) -> None:
    changes: list[dict[str, Any]] = [
        {"raw": [1.0, 0.0, -1.0]},
        {"raw": [0.0]},
        {"probability": [0.9, 0.2, 0.1]},
        {"probability": [0.1, 0.2, 1.3]},
        {"probability": [0.1, 0.2]},
        {"raw": None},
        {"raw": ["a", "b", "c"]},
        {"raw": [[1.0], [2.0], [3.0]]},
        {"raw": [0.0, 0.0, 0.0]},
    ]
    _json(files, "calibration.json", lambda value: value.update(chance.choice(changes)))


def a_list_of_signals_that_is_none(files: Files, chance: Random) -> None:
    def change(value: dict[str, Any]) -> None:
        signals = value["signals"]
        place = chance.randrange(len(signals))
        how = chance.randrange(8)
        if how == 0:
            signals.append(signals[place])
        elif how == 1:
            signals.clear()
        elif how == 2:
            signals[place]["direction"] = chance.choice(["up", None, 1])
        elif how == 3:
            signals[place]["fingerprint"] = chance.choice(["", "f" * 63, "g" * 64, 7])
        elif how == 4:
            signals[place]["name"] = chance.choice(["../x", "a b", "", 4, "a\n", "x" * 9999])
        elif how == 5:
            signals.pop(place)
        elif how == 6:
            signals.insert(0, signals.pop())
        else:
            value["signals"] = {"0": signals}

    _json(files, "signals.json", change)


def a_probe_that_is_none(files: Files, chance: Random) -> None:
    def change(value: dict[str, Any]) -> None:
        row = chance.randrange(len(value["rows"]))
        how = chance.randrange(6)
        if how == 0:
            value["rows"][row].append(1.0)
        elif how == 1:
            value["raw"].pop()
        elif how == 2:
            value["rows"][row][0] = "1"
        elif how == 3:
            value["raw"][row] = None
        elif how == 4:
            value["rows"] = []
        else:
            value["rows"][row] = value["rows"][row][:-1]

    _json(files, "probe.json", change)


def figures_that_are_none(files: Files, chance: Random) -> None:
    name, part = chance.choice(
        [
            ("performance.json", {"n": -1}),
            ("performance.json", {"needed_more": 10**6}),
            ("performance.json", {"period": ["June"]}),
            ("gates.json", {"passed": False}),
            ("gates.json", {"passed": 1}),
            ("gates.json", {"gates": [{"name": "x"}]}),
            ("reference.json", {"signals": {"../x": []}}),
            ("reference.json", {"signals": {"a": [{"p50": 1}]}}),
            ("refits.json", {"models": "text"}),
            ("refits.json", {"models": [7]}),
            ("refits.json", {"models": ["tree\nversion=v4\n"]}),
        ]
    )
    _json(files, name, lambda value: value.update(part))


def a_refit_damaged(files: Files, chance: Random) -> None:
    def change(value: dict[str, Any]) -> None:
        inner = {MODEL: value["models"][1].encode()}
        chance.choice([a_way_back, a_tree_size_wrong, a_split_on_no_signal, model_cut])(
            inner, chance
        )
        value["models"][1] = inner[MODEL].decode()

    _json(files, "refits.json", change)


def json_that_is_none(files: Files, chance: Random) -> None:
    name = chance.choice([n for n in sorted(files) if n.endswith(".json") and n != MANIFEST])
    data = files[name]
    files[name] = chance.choice(
        [
            b"[" * 200_000,
            b"{",
            b"[]",
            b"null",
            data.replace(b"{", b'{"a": 1, "a": 2, ', 1),
            b'{"n": ' + b"9" * 5000 + b"}",
            data + data,
            b"\xff" + data,
            b"{}",
        ]
    )


def a_manifest_that_is_none(files: Files, chance: Random) -> None:
    def change(value: dict[str, Any]) -> None:
        how = chance.randrange(9)
        if how == 0:
            value["format"] = chance.choice([0, 3, 99, 10**30, "2", None, [2], -1, 1.5])
        elif how == 1:
            value["files"]["../../evil"] = {"bytes": 1, "sha256": "0" * 64}
        elif how == 2:
            value["files"]["/etc/passwd"] = value["files"].pop(MODEL)
        elif how == 3:
            value["files"] = sorted(value["files"])
        elif how == 4:
            del value["files"][chance.choice(sorted(value["files"]))]
        elif how == 5:
            value["name"] = chance.choice([None, 3, ["a"]])
        elif how == 6:
            value["about"] = chance.choice([None, "x", []])
        elif how == 7:
            value["format"] = 1 if value["format"] == 2 else 2
        else:
            del value[chance.choice(["format", "files", "name", "about"])]

    _json(files, MANIFEST, change)


# Damage that makes sense: only a signature tells it.


def a_leaf_changed(files: Files, chance: Random) -> None:
    """One number becomes another one of as many characters, so that every count still fits."""
    _entry(files, chance, "leaf_value", lambda old: old[:-1] + str((int(old[-1]) + 1) % 10))


def the_line_moved(files: Files, chance: Random) -> None:
    moved = {"raw": chance.uniform(-9, 9), "probability": chance.random()}
    _json(files, "thresholds.json", lambda value: value.update(moved))


def the_curve_bent(files: Files, chance: Random) -> None:
    bent = {"probability": sorted(chance.random() for _ in range(3))}
    _json(files, "calibration.json", lambda value: value.update(bent))


def another_card(files: Files, chance: Random) -> None:
    files["card.md"] += f"Approved {chance.randrange(10**9)}.\n".encode()


def no_signature(files: Files, chance: Random) -> None:
    del files[SIGNATURE]


def a_signature_that_is_none(files: Files, chance: Random) -> None:
    good = files[SIGNATURE]
    place = chance.randrange(len(good) - 1)
    flipped = b"0" if good[place : place + 1] != b"0" else b"1"
    files[SIGNATURE] = chance.choice(
        [
            good[:place] + flipped + good[place + 1 :],
            good[:place],
            b"",
            b"\x00" * 64,
            bytes(chance.randrange(256) for _ in range(64)),
            ("0" * 128 + "\n").encode(),
        ]
    )


PLAIN: tuple[Damage, ...] = (
    a_bit_flipped, a_file_cut, a_file_grown, a_file_gone, two_files_swapped, a_file_more,
    a_folder_for_a_file,
)  # fmt: skip
SEALED: tuple[Damage, ...] = (
    model_cut, model_line_gone, model_line_twice, a_tree_size_wrong, a_count_of_leaves_wrong,
    a_child_out_of_range, a_way_back, a_part_reached_twice, a_split_on_no_signal, no_number,
    a_number_more, a_number_fewer, a_split_by_category, another_kind_of_tree,
    another_kind_of_model, other_signal_names, a_parameter_with_a_path, no_model_at_all,
    a_threshold_that_is_none, a_chance_above_one, a_curve_that_is_none,
    a_list_of_signals_that_is_none, a_probe_that_is_none, figures_that_are_none, a_refit_damaged,
    json_that_is_none, a_manifest_that_is_none,
)  # fmt: skip
FORGED: tuple[Damage, ...] = (
    a_leaf_changed, the_line_moved, the_curve_bent, another_card, no_signature,
    a_signature_that_is_none,
)  # fmt: skip
NAMES = "visits_90d missing_365d days_since_contact seen_alone_90d"


def _names(files: Files) -> list[str]:
    return sorted(name for name in files if name != SIGNATURE)


def _any(files: Files, chance: Random) -> str:
    return chance.choice(_names(files))


def _other(number: int, chance: Random) -> int:
    return chance.choice([number + 1, max(number - 1, 0), 0, -number, number * 1000, 2**31 - 1])


def _json(files: Files, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads(files[name])
    change(value)
    files[name] = json.dumps(value, sort_keys=True, indent=1).encode() + b"\n"


def _lines(files: Files, change: Callable[[list[str]], object]) -> None:
    lines = files[MODEL].decode().split("\n")
    change(lines)
    files[MODEL] = "\n".join(lines).encode()


def _of_a_tree(lines: list[str], chance: Random) -> int:
    end = lines.index("end of trees")
    return chance.choice([n for n, line in enumerate(lines[:end]) if "=" in line])


def _tree_line(
    files: Files, chance: Random, key: str, change: Callable[[list[str]], object]
) -> None:
    """Change the numbers of one line of one tree; the size of the tree is told anew."""

    def edit(lines: list[str]) -> None:
        places = [n for n, line in enumerate(lines) if line.startswith(f"{key}=")]
        place = chance.choice(places)
        values = lines[place].partition("=")[2].split(" ")
        change(values)
        lines[place] = f"{key}={' '.join(values)}"
        if key != "tree_sizes":
            _sizes_anew(lines)

    _lines(files, edit)


def _entry(files: Files, chance: Random, key: str, change: Callable[[str], str]) -> None:
    def one(values: list[str]) -> None:
        place = chance.randrange(len(values))
        new = change(values[place])
        values[place] = new if new != values[place] else "99999"

    _tree_line(files, chance, key, one)


def _sizes_anew(lines: list[str]) -> None:
    text = "\n".join(lines)
    begins = [match.start() for match in re.finditer(r"^Tree=", text, re.MULTILINE)]
    ends = [*begins[1:], text.index("end of trees")]
    sizes = " ".join(str(end - begin) for begin, end in zip(begins, ends, strict=True))
    place = next(n for n, line in enumerate(lines) if line.startswith("tree_sizes="))
    lines[place] = f"tree_sizes={sizes}"


def _swap(files: Files, pair: tuple[str, str]) -> None:
    old, new = (part.encode() for part in pair)
    assert old in files[MODEL], pair
    files[MODEL] = files[MODEL].replace(old, new, 1)


def _replace(files: Files, chance: Random, old: str, new: str) -> None:
    """In one tree, with the sizes told anew."""

    def edit(lines: list[str]) -> None:
        places = [n for n, line in enumerate(lines) if line == old]
        lines[chance.choice(places)] = new
        _sizes_anew(lines)

    _lines(files, edit)
