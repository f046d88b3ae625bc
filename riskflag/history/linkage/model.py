"""How records are compared: the shipped or an authority's own linkage.toml, as Splink's settings.

Nothing is learnt from the data at hand. The weights are fixed, so the probability of a pair never
depends on which other people there are, and a run can be repeated to the last digit.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from riskflag.toml_lines import read_toml

SHIPPED = Path(__file__).with_name("linkage.toml")

Share = Annotated[float, Field(gt=0, lt=1)]


class Level(BaseModel):
    """How often a level is seen between records of one person, and of two."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    agree: Share
    chance: Share


class _Levels(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _whole(self) -> _Levels:
        levels = [getattr(self, name) for name in type(self).model_fields]
        for word in ("agree", "chance"):
            if abs(sum(getattr(level, word) for level in levels) - 1) > 0.001:
                raise ValueError(f"the {word} shares of the levels must add up to 1")
        return self


class NameLevels(_Levels):
    """The levels of a family name."""

    same: Level
    close: Level
    similar: Level
    other: Level


class GivenNameLevels(_Levels):
    """The levels of a given name; exchanged: both stand crosswise to the letter, half: one does."""

    same: Level
    close: Level
    exchanged: Level
    half: Level
    similar: Level
    other: Level


class BirthLevels(_Levels):
    """The levels of a birth date."""

    new_year: Level
    same: Level
    slip: Level
    other: Level


class SexLevels(_Levels):
    """The levels of the recorded sex."""

    same: Level
    other: Level


class PlaceLevels(_Levels):
    """The levels of address and postcode together."""

    same: Level
    near: Level
    part: Level
    other: Level


class IdentifierLevels(_Levels):
    """The levels of a shared identifier."""

    same: Level
    close: Level
    other: Level


class LinkageModel(BaseModel):
    """A whole linkage.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(min_length=1)
    two_random_records: Share
    link_from: Annotated[float, Field(ge=0.9, lt=1)]
    ask_from: Share
    keep_from: Share
    clear_by: Annotated[float, Field(ge=1)]
    given_name: GivenNameLevels
    family_name: NameLevels
    birth: BirthLevels
    sex: SexLevels
    place: PlaceLevels
    identifier: IdentifierLevels

    @model_validator(mode="after")
    def _in_order(self) -> LinkageModel:
        if not self.keep_from <= self.ask_from <= self.link_from:
            raise ValueError("keep_from, ask_from and link_from must stand in rising order")
        return self

    @cached_property
    def fingerprint(self) -> str:
        """What the decisions of this model are marked with: its version and a hash of it all, the
        conditions of its levels among it.
        """
        whole = self.model_dump_json() + json.dumps(self.settings())
        digest = hashlib.sha256(whole.encode()).hexdigest()[:12]
        return f"{self.version}-{digest}"

    def settings(self) -> dict[str, Any]:
        """The settings for splink.Linker."""
        across, within = (f"l.feed {sign} r.feed and " for sign in ("<>", "="))
        rules = [across + rule for rule in _BLOCKING] + [within + rule for rule in _WITHIN]
        return {
            "link_type": "dedupe_only",
            "unique_id_column_name": "record",
            "probability_two_random_records_match": self.two_random_records,
            "retain_intermediate_calculation_columns": True,
            "retain_matching_columns": True,
            "blocking_rules_to_generate_predictions": [{"blocking_rule": one} for one in rules],
            "comparisons": [
                _comparison(name, getattr(self, name), conditions)
                for name, conditions in _CONDITIONS.items()
            ],
        }


def load_weights(folder: Path | None = None) -> LinkageModel:
    """The workspace's own linkage.toml, or the shipped one; ConfigError for a mistake in it."""
    own = None if folder is None else folder / "linkage.toml"
    return read_toml(own if own is not None and own.is_file() else SHIPPED, LinkageModel)


#: Pairs of two feeds that share nothing of this are never compared.
_BLOCKING = (
    "l.birth = r.birth",
    "l.family_name = r.family_name and substr(l.birth, 1, 4) = substr(r.birth, 1, 4)",
    "l.given_name = r.given_name and l.family_name = r.family_name",
    "l.given_name = r.family_name and l.family_name = r.given_name",
    "l.address = r.address",
    "l.postcode = r.postcode and substr(l.birth, 1, 4) = substr(r.birth, 1, 4)",
    "l.postcode = r.postcode and l.given_name = r.given_name",
    "l.postcode = r.postcode and l.family_name = r.family_name",
    "l.identifier = r.identifier",
)
_NAMES = "l.given_name = r.given_name and l.family_name = r.family_name"
_YEAR = "substr(l.birth, 1, 4) = substr(r.birth, 1, 4)"
#: The same for pairs of one feed, of which there are many more and fewer are of interest: births
#: that are the same, or a slip apart under one name; one home where a birth is not known.
_WITHIN = (
    "l.birth = r.birth",
    f"{_NAMES} and substr(l.birth, 1, 7) = substr(r.birth, 1, 7)",
    f"{_NAMES} and {_YEAR} and substr(l.birth, 9) = substr(r.birth, 9)",
    f"{_NAMES} and substr(l.birth, 6) = substr(r.birth, 6)",
    f"{_NAMES} and {_YEAR} and substr(l.birth, 6, 2) = substr(r.birth, 9) "
    "and substr(l.birth, 9) = substr(r.birth, 6, 2)",
    "l.address = r.address and l.given_name = r.given_name",
    "l.postcode = r.postcode and l.given_name = r.given_name",
)


def _missing(name: str) -> str:
    return f'"{name}_l" IS NULL OR "{name}_r" IS NULL'


def _alike(left: str, right: str) -> str:
    """One slip of the pen, or nearly the same."""
    likeness = f"jaro_winkler_similarity({left}, {right})"
    return f"(damerau_levenshtein({left}, {right}) <= 1 OR {likeness} >= 0.95)"


#: To the letter: a slip in one of the names could be the name of a twin.
_CROSSWISE = " AND ".join(
    (
        '"given_name_l" = "family_name_r"',
        '"family_name_l" = "given_name_r"',
        '"given_name_l" <> "given_name_r"',
    )
)


def _name(name: str) -> dict[str, str]:
    left, right = f'"{name}_l"', f'"{name}_r"'
    return {
        "same": f"{left} = {right}",
        "close": _alike(left, right),
        "similar": f"jaro_winkler_similarity({left}, {right}) >= 0.8",
        "other": "ELSE",
    }


_SHARED = 'coalesce(len(list_intersect("address_l", "address_r")), 0)'
_MOST = f'{_SHARED} >= 2 AND {_SHARED} >= 0.6 * greatest(len("address_l"), len("address_r"))'
_POSTCODE = '"postcode_l" = "postcode_r"'
_EXCHANGED = " AND ".join(
    f'substr("birth_l", {a}, {n}) = substr("birth_r", {b}, {n})'
    for a, b, n in ((1, 1, 4), (6, 9, 2), (9, 6, 2))
)
#: For each comparison its levels in the order in which they are tried; "" is: not known.
_CONDITIONS: dict[str, dict[str, str]] = {
    "given_name": {
        "": _missing("given_name"),
        "exchanged": _CROSSWISE,
        "same": '"given_name_l" = "given_name_r"',
        "half": '"given_name_l" = "family_name_r" OR "family_name_l" = "given_name_r"',
        **_name("given_name"),
    },
    # Names that stand crosswise have been weighed with the given name.
    "family_name": {
        "": f"{_missing('family_name')} OR ({_CROSSWISE})",
        **_name("family_name"),
    },
    "birth": {
        "": _missing("birth"),
        "new_year": '"birth_l" = "birth_r" AND substr("birth_l", 6) = \'01-01\'',
        "same": '"birth_l" = "birth_r"',
        "slip": f'damerau_levenshtein("birth_l", "birth_r") <= 1 OR ({_EXCHANGED})',
        "other": "ELSE",
    },
    "sex": {"": _missing("sex"), "same": '"sex_l" = "sex_r"', "other": "ELSE"},
    "place": {
        "": f"({_missing('postcode')}) AND ({_missing('address')})",
        "same": f'"address_l" = "address_r" OR ({_MOST} AND {_POSTCODE})',
        "near": f"({_MOST}) OR ({_POSTCODE} AND {_SHARED} >= 1)",
        "part": f"{_POSTCODE} OR {_SHARED} >= 2",
        "other": "ELSE",
    },
    "identifier": {
        "": _missing("identifier"),
        "same": '"identifier_l" = "identifier_r"',
        "close": 'damerau_levenshtein("identifier_l", "identifier_r") <= 1',
        "other": "ELSE",
    },
}


def level_names(comparison: str) -> tuple[str, ...]:
    """The levels of a comparison by Splink's numbers for them: place 0 is "other"."""
    return tuple(reversed([name for name in _CONDITIONS[comparison] if name]))


def _comparison(name: str, levels: _Levels, conditions: dict[str, str]) -> dict[str, Any]:
    made: list[dict[str, Any]] = []
    for label, sql in conditions.items():
        level: dict[str, Any] = {"sql_condition": sql, "label_for_charts": label or "not known"}
        if label:
            share: Level = getattr(levels, label)
            level |= {"m_probability": share.agree, "u_probability": share.chance}
        else:
            level["is_null_level"] = True
        made.append(level)
    return {"output_column_name": name, "comparison_levels": made}
