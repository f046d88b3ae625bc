"""The text of a model, read strictly before LightGBM is given it.

LightGBM trusts a model text: a wrong count or index in it can write outside the reader's memory.
So everything that its reader follows is checked here first: the order of the lines, every count,
the size of every tree, every number, every index, and that each tree is a tree. Only what our own
training writes is let through.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

#: More than training can be asked for (riskflag.training.data.experiment), and no more than that.
MOST_TREES, MOST_LEAVES = 20_000, 255
BEGINNING = (
    "tree",
    "version=v4",
    "num_class=1",
    "num_tree_per_iteration=1",
    "label_index=0",
)
OBJECTIVE = "binary sigmoid:1"
#: Missing is either not known in training or NaN; the lesser side may be the default.
SPLITS = frozenset({"0", "2", "8", "10"})
ENDINGS = ("pandas_categorical:null", "pandas_categorical:[]")

_FLOAT = r"-?\d+(?:\.\d+)?(?:e[+-]\d+)?"
_FLOATS = re.compile(rf"{_FLOAT}(?: {_FLOAT})*", re.ASCII)
#: A threshold of infinity parts the known from the unknown.
_THRESHOLDS = re.compile(rf"(?:{_FLOAT}|inf)(?: (?:{_FLOAT}|inf))*", re.ASCII)
_WHOLES = re.compile(r"-?\d{1,9}(?: -?\d{1,9})*", re.ASCII)
_RANGE = re.compile(rf"none|\[{_FLOAT}:{_FLOAT}\]", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
#: No parameter of ours holds a path or anything else than words and numbers.
_PARAMETER = re.compile(r"\[[a-z0-9_]+: [\w.,+ -]*\]", re.ASCII)
#: The lines of a tree, in order; how many numbers there are beside the leaves, and their kind.
_TREE = (
    ("split_feature", -1, "whole"),
    ("split_gain", -1, "float"),
    ("threshold", -1, "threshold"),
    ("decision_type", -1, "whole"),
    ("left_child", -1, "whole"),
    ("right_child", -1, "whole"),
    ("leaf_value", 0, "float"),
    ("leaf_weight", 0, "float"),
    ("leaf_count", 0, "whole"),
    ("internal_value", -1, "float"),
    ("internal_weight", -1, "float"),
    ("internal_count", -1, "whole"),
)
#: A tree of one leaf has no weight for it.
_MAY_BE_EMPTY = frozenset({"leaf_weight", "leaf_count"})


def check_model_text(text: str, names: Sequence[str]) -> None:
    """Raise ValueError, saying where, unless `text` is a sound model of exactly these signals."""
    _require(text.isascii(), "it holds other than plain characters")
    head, blank, rest = text.partition("\n\n")
    _require(bool(blank), "it has no trees")
    sizes = _check_head(head.split("\n"), names)
    place = 0
    for number, size in enumerate(sizes):
        _check_tree(rest[place : place + size], number, len(names))
        place += size
    _check_tail(rest[place:], names)


def _check_head(lines: list[str], names: Sequence[str]) -> list[int]:
    """The sizes of the trees, in characters."""
    _require(tuple(lines[: len(BEGINNING)]) == BEGINNING, "it does not begin as a model does")
    said = dict(_pair(line, "the head") for line in lines[len(BEGINNING) :])
    wanted = ["max_feature_idx", "objective", "feature_names", "feature_infos", "tree_sizes"]
    if "monotone_constraints" in said:
        wanted.insert(3, "monotone_constraints")
    keys = [line.partition("=")[0] for line in lines[len(BEGINNING) :]]
    _require(keys == wanted, "its head has other lines than a model's")
    _require(said["objective"] == OBJECTIVE, "it was not made to tell yes from no")
    _require(said["max_feature_idx"] == str(len(names) - 1), "it counts its signals wrongly")
    _require(said["feature_names"].split(" ") == list(names), "its signals are other ones")
    _require(all(_NAME.fullmatch(name) for name in names), "a signal has no proper name")
    infos = said["feature_infos"].split(" ")
    _require(len(infos) == len(names), "it has not one range for each signal")
    _require(all(_RANGE.fullmatch(info) for info in infos), "a range of values is not one")
    signs = said.get("monotone_constraints", " ".join("0" * len(names))).split(" ")
    _require(len(signs) == len(names), "it has not one direction for each signal")
    _require(set(signs) <= {"-1", "0", "1"}, "a direction is not one")
    sizes = _wholes(said["tree_sizes"], "the sizes of the trees")
    _require(0 < len(sizes) <= MOST_TREES, "it has no trees, or too many")
    _require(min(sizes) > 0, "a tree has no size")
    return sizes


def _check_tree(block: str, number: int, signals: int) -> None:
    where = f"tree {number}"
    lines = block.split("\n")
    _require(lines[0] == f"Tree={number}", f"{where} is not where it should be")
    _require(lines[-3:] == ["", "", ""], f"{where} does not end where it should")
    pairs = [_pair(line, where) for line in lines[1:-3]]
    wanted = ["num_leaves", "num_cat", *(name for name, _, _ in _TREE), "is_linear", "shrinkage"]
    _require([key for key, _ in pairs] == wanted, f"{where} has other lines than a tree's")
    said = dict(pairs)
    plain = said["num_cat"] == "0" and said["is_linear"] == "0"
    _require(plain, f"{where} is of a kind that is not used here")
    _floats(said["shrinkage"], where, 1)
    leaves = _wholes(said["num_leaves"], where)[0]
    _require(1 <= leaves <= MOST_LEAVES, f"{where} has no leaves, or too many")
    for name, more, kind in _TREE:
        count = leaves + more
        if leaves == 1 and name in _MAY_BE_EMPTY and not said[name]:
            continue
        if kind != "whole":
            _floats(said[name], where, count, finite=kind == "float")
        else:
            found = _wholes(said[name], where) if count else []
            _require(len(found) == count and bool(said[name]) == bool(count), f"{where}: {name}")
    if leaves > 1:
        _check_splits(said, signals, where)


def _check_splits(said: dict[str, str], signals: int, where: str) -> None:
    """Every split is on a signal, and from the first one every part is reached exactly once."""
    features = _wholes(said["split_feature"], where)
    _require(all(0 <= one < signals for one in features), f"{where} splits on no signal")
    kinds = said["decision_type"].split(" ")
    _require(set(kinds) <= SPLITS, f"{where} splits in a way that is not used here")
    left, right = (_wholes(said[f"{side}_child"], where) for side in ("left", "right"))
    splits = len(features)
    reached: set[int] = set()
    for node, children in enumerate(zip(left, right, strict=True)):
        for child in children:
            inside = -splits - 1 <= child < splits
            # A later split has a higher number, so no way can lead back.
            _require(inside and (child < 0 or child > node), f"{where} leads nowhere or back")
            _require(child not in reached, f"{where} reaches a part twice")
            reached.add(child)
    # 2 * splits ends, all different, none of them the first split: all are reached.


def _check_tail(tail: str, names: Sequence[str]) -> None:
    lines = tail.split("\n")
    _require(lines[:3] == ["end of trees", "", "feature_importances:"], "its trees do not end")
    blank = _index(lines, "", 3)
    known = set(names)
    for line in lines[3:blank]:
        name, number = _pair(line, "the importances")
        _require(name in known, "an importance is of no signal")
        _require(_wholes(number, "the importances")[0] >= 0, "an importance is below nothing")
    end = _index(lines, "end of parameters", blank)
    _require(lines[blank + 1] == "parameters:", "it has no parameters")
    given = lines[blank + 2 : end - 1]
    _require(all(_PARAMETER.fullmatch(line) for line in given), "a parameter is not one of ours")
    _require(lines[end - 1] == lines[end + 1] == "", "its parameters do not end")
    _require("\n".join(lines[end + 2 :]).rstrip("\n") in ENDINGS, "it does not end as a model does")


def _index(lines: list[str], wanted: str, start: int) -> int:
    _require(wanted in lines[start:-2], "it stops before its end")
    return lines.index(wanted, start)


def _pair(line: str, where: str) -> tuple[str, str]:
    key, equals, value = line.partition("=")
    _require(bool(equals), f"{where} has a line that says nothing")
    return key, value


def _wholes(text: str, where: str) -> list[int]:
    _require(
        _WHOLES.fullmatch(text) is not None, f"{where}: it has no whole number where one should be"
    )
    return [int(part) for part in text.split(" ")]


def _floats(text: str, where: str, count: int, *, finite: bool = True) -> None:
    """Exactly `count` numbers, all of them finite unless they may be infinite."""
    if count == 0:
        _require(text == "", f"{where} has numbers too many")
        return
    pattern = _FLOATS if finite else _THRESHOLDS
    _require(pattern.fullmatch(text) is not None, f"{where}: it has no number where one should be")
    parts = text.split(" ")
    _require(len(parts) == count, f"{where} has numbers too many or too few")
    # A number with too many digits for a float would be read as infinite.
    within = all(part == "inf" or abs(float(part)) < float("inf") for part in parts)
    _require(within, f"{where}: a number is too large")


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
