"""When a whole delivery is held: what its size, its day or its dates say against what is known."""

from __future__ import annotations

import datetime as dt

from riskflag.clock import date_of
from riskflag.history.files.delivered import RejectedError
from riskflag.history.files.landing import Landed
from riskflag.history.files.sidecar import Described, descriptions
from riskflag.history.loading.delivery import Delivered
from riskflag.history.loading.state import State

#: Known records whose day and month changed places: below so many, or this share, corrections.
_FEW_TURNED, _MOST_TURNED = 3, 0.01


def described(item: Landed) -> list[Described]:
    """What is said of a file; RejectedError when it is not there or nothing is said of it."""
    if item.missing:
        raise RejectedError(
            "incomplete", f"{item.path.name} is in the list of its delivery and is not there."
        )
    said = descriptions(item.path, item.listed)
    assert item.source is not None
    if not said and item.source.delivery.sidecar == "required":
        raise RejectedError(
            "no_sidecar", f"{item.path.name} came without its checksum file; ask for it."
        )
    return said


def hold_what_is_odd(delivery: Delivered, state: State, landed: dt.date) -> None:
    """Refuse every file of a delivery that is stale, of an odd size, or has its dates turned."""
    _hold_stale(delivery, state, landed)
    _hold_odd_volume(delivery, state)
    _hold_turned_dates(delivery, state)


def _hold_stale(delivery: Delivered, state: State, landed: dt.date) -> None:
    """An extract made no later than the last one is an old one with a new name."""
    sound = [file for file in delivery.files if file.refused is None]
    cuts = [file.cut for file in sound if file.cut is not None]
    last = state.last_cut(delivery.source, landed)
    if last is None or not cuts or date_of(max(cuts)).isoformat() > last:
        return
    delivery.refuse_all(
        "stale", f"The extract was not made after the last one, of {last}; ask for a new one."
    )


def _hold_odd_volume(delivery: Delivered, state: State) -> None:
    """A full delivery of half the usual size would look like a mass of closures."""
    usual, rules = state.usual_rows(delivery.source), delivery.source.delivery
    if usual is None or rules.least_share <= delivery.rows / usual <= rules.most_share:
        return
    delivery.refuse_all(
        "volume",
        f"The delivery has {delivery.rows:,} rows where {usual:,.0f} are usual; "
        "ask the sender, or widen least_share and most_share in the source.",
    )


def _hold_turned_dates(delivery: Delivered, state: State) -> None:
    """Known records whose day and month have changed places were not all corrected."""
    known, turned = delivery.turned_dates(state.contacts)
    if turned >= _FEW_TURNED and turned > _MOST_TURNED * known:
        delivery.refuse_all(
            "date_order",
            f"The dates of {turned:,} known records have day and month the other way round; "
            "correct the source's date_format or ask for another copy.",
        )
