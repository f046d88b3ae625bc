"""All that a night reads, and the key that names exactly this night's work."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from riskflag import __version__
from riskflag.clock import day_number
from riskflag.errors import HeldError, InputError
from riskflag.history.store.coverage import unavailable
from riskflag.history.store.stored_view import Shelves, StoredView, View, view_of
from riskflag.history.threads import cores
from riskflag.nightly.digest import visible_digest
from riskflag.nightly.part import Engine, night_parts
from riskflag.nightly.payload import canonical
from riskflag.progress import Progress, silent

if TYPE_CHECKING:
    from riskflag.history.store.view import History
    from riskflag.scoring.bundle import Bundle
    from riskflag.scoring.rulebook import Rulebook
    from riskflag.settings import Settings
    from riskflag.signals.catalogue import Catalogue
    from riskflag.workspace import Workspace

FRESH, LOST = "FRESH", "LOST"
#: The state told of an agency that has no feed here at all.
NEVER = "NEVER"
#: Contact types of the social-care core: without them a night would look at strangers.
CORE_TYPES = frozenset({"care.contact", "care.referral", "care.cp_plan", "care.looked_after"})


@dataclass(frozen=True)
class How:
    """How a night goes about its work; nothing of it changes a byte of what it publishes.

    `memory` is in GiB (None: as the settings say); with `anew` nothing that earlier nights kept to
    be quicker is used. With `spark` children are assessed on Spark.
    """

    memory: float | None = None
    anew: bool = False
    spark: bool = False


AS_SET = How()


@dataclass(frozen=True)
class Inputs:
    """What a night works on. Everything it publishes follows from this and the store's state.

    A `paused` night raises no new flags. `threads` (None: one for each core) and the `engine` that
    works out the parts change no byte.
    `form` is what paper forms need to know of the authority's own decisions
    (riskflag.casework.decisions), None with the shipped list; `doubtful` counts for a person the
    others who may be the same, which nobody has decided yet.
    """

    as_of: dt.date
    history: History | StoredView | Shelves
    catalogue: Catalogue
    rulebook: Rulebook
    bundle: Bundle | None
    settings: Settings
    paused: bool = False
    form: dict[str, Any] | None = None
    doubtful: Mapping[str, int] = field(default_factory=dict)
    threads: int | None = None
    engine: Engine = night_parts

    @property
    def view(self) -> View:
        """The history in parts."""
        return view_of(self.history)

    @cached_property
    def parts(self) -> Mapping[str, str | None]:
        """What the run key is made of. The history counts only as far as it was visible."""
        return {
            "as_of": self.as_of.isoformat(),
            "bundle": None if self.bundle is None else self.bundle.hash,
            "code": __version__,
            "history": visible_digest(self.history, self.as_of),
            "rulebook": self.rulebook.fingerprint,
            "settings": hashlib.sha256(canonical(self._settings)).hexdigest(),
            "signals": self.catalogue.fingerprint,
            # Only when it is so: a night that is not paused keeps the key it always had.
            **({"paused": "yes"} if self.paused else {}),
            **({"doubtful": _hash(self.doubtful)} if self.doubtful else {}),
            **({"form": _hash(self.form)} if self.form else {}),
        }

    @cached_property
    def run_key(self) -> str:
        """SHA-256 of the parts: the same key is the same night."""
        return hashlib.sha256(canonical(dict(self.parts))).hexdigest()

    @property
    def versions(self) -> dict[str, str | None]:
        """The parts as every flag carries them."""
        names = ("signals", "rulebook", "bundle", "history", "code")
        return {**{name: self.parts[name] for name in names}, "run_key": self.run_key}

    @cached_property
    def feeds(self) -> list[dict[str, Any]]:
        """The state of every feed at the as-of date, as plain JSON."""
        found = [
            {
                "source": feed.source,
                "agency": feed.agency,
                "state": str(feed.state),
                "complete_to": None if feed.complete_to is None else feed.complete_to.isoformat(),
                "types": sorted(feed.types),
                **({"why": feed.why} if feed.why else {}),
            }
            for feed in self.view.feeds(self.as_of)
        ]
        return sorted(found, key=lambda feed: (feed["source"], feed["agency"], feed["types"]))

    @cached_property
    def never_delivered(self) -> list[str]:
        """Contact types the signals read and no feed has ever delivered; none without any feed."""
        delivered = {name for feed in self.feeds for name in feed["types"]}
        read = {name for signal in self.catalogue.signals for name in signal.types}
        return sorted(read - delivered) if delivered else []

    @cached_property
    def unseen_types(self) -> frozenset[str]:
        """Contact types that no feed tells of tonight: its feed is lost, or there never was one."""
        return unavailable(self.view.feeds(self.as_of)) | frozenset(self.never_delivered)

    @cached_property
    def not_seen(self) -> list[dict[str, Any]]:
        """What a page says could not be seen: feeds that were not fresh, agencies without any."""
        from riskflag.history.vocabulary import load_vocabulary

        late = [feed for feed in self.feeds if feed["state"] != FRESH]
        known = load_vocabulary().types
        missing: dict[str, list[str]] = {}
        for name in self.never_delivered:
            agency = known[name].agency if name in known else "other"
            missing.setdefault(agency, []).append(name)
        delivered = {name for feed in self.feeds for name in feed["types"]}
        heard = {known[name].agency for name in delivered if name in known}
        return late + [
            {"source": None, "agency": agency, "state": NEVER, "complete_to": None, "types": types}
            for agency, types in sorted(missing.items())
            if agency not in heard | {feed["agency"] for feed in late}
        ]

    @property
    def _settings(self) -> dict[str, Any]:
        return {
            "capacity_per_week": self.settings.capacity_per_week,
            "flag_from_level": self.settings.flag_from_level,
            "essential_sources": sorted(self.settings.essential_sources),
        }


def load(
    workspace: Workspace,
    as_of: dt.date,
    *,
    rules_only: bool = False,
    how: How = AS_SET,
    progress: Progress = silent,
) -> Inputs:
    """Read everything a night needs from a workspace.

    A history too large for the memory is made a view of in files, where there is one already only
    of people whom something that came since can touch; for Spark any history is.
    Raises InputError when the history is empty, ConfigError or IntegrityError when a declaration
    or the bundle is not right.
    """
    from riskflag.casework.decisions import load_answers
    from riskflag.history.schema import MATCH, conform
    from riskflag.history.store.matches import doubtful_on
    from riskflag.history.store.parquet_store import HistoryStore
    from riskflag.history.store.viewing import held_or_viewed
    from riskflag.scoring.bundle import load_current
    from riskflag.scoring.rulebook import Rulebook
    from riskflag.signals.catalogue import load_catalogue

    progress("Reading declarations", 0, 3)
    catalogue = load_catalogue(workspace.features_dir, workspace.vocabulary)
    rulebook = Rulebook.load(catalogue.rulebook_path, catalogue)
    progress("Checking the model", 1, 3)
    key = workspace.promotion_key
    bundle = None if rules_only else load_current(workspace.bundles, key=key, threads=cores())
    if bundle is not None:
        catalogue = catalogue.with_more(bundle.carried)
        bundle.check_signals({s.name: s.fingerprint for s in catalogue.signals})
    progress("Checking the model", 3, 3)
    size = workspace.config.memory_gib if how.memory is None else how.memory
    store, in_bytes = HistoryStore(workspace.history), int(size * 2**30)
    engine: Engine = night_parts
    history: History | Shelves
    anew = how.anew
    if how.spark:
        history, engine = _on_spark(workspace, catalogue, in_bytes, anew=anew, progress=progress)
    else:
        folder = workspace.work / "view"
        history = held_or_viewed(store, folder, memory=in_bytes, anew=anew, progress=progress)
    matches = conform(store.read("match"), MATCH)
    return Inputs(
        as_of,
        history,
        catalogue,
        rulebook,
        bundle,
        workspace.config,
        form=load_answers(workspace).form,
        doubtful=doubtful_on(matches, day_number(as_of) - 1),
        engine=engine,
    )


def _hash(value: object) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def _on_spark(
    workspace: Workspace, catalogue: Catalogue, memory: int, *, anew: bool, progress: Progress
) -> tuple[Shelves, Engine]:
    """A view in files, and Spark to work on its parts."""
    from riskflag.history.store.parquet_store import HistoryStore
    from riskflag.history.store.viewing import made_of, memory_for, stored_view
    from riskflag.nightly.spark import SparkEngine

    store, folder = HistoryStore(workspace.history), workspace.work / "view-for-spark"
    memory = min(memory, memory_for(store, workspace.config.spark.parts))
    view = stored_view(store, folder, memory=memory, anew=anew, progress=progress)
    return view, SparkEngine(workspace, catalogue, made_of(view))


def hold_if_essential_is_lost(inputs: Inputs) -> None:
    """Raise HeldError when a feed the night cannot do without is lost.

    These are the feeds named in `essential_sources` and those of the social-care core.
    """
    named = set(inputs.settings.essential_sources)
    for feed in inputs.feeds:
        core = bool(CORE_TYPES & set(feed["types"]))
        if feed["state"] == LOST and (core or feed["source"] in named):
            until = f" (complete to {feed['complete_to']})" if feed["complete_to"] else ""
            raise HeldError(
                f"The source {feed['source']} is lost{until} and the night cannot do without it; "
                "the previous publication stays. Get its delivery, run `riskflag ingest`, then "
                "score again."
            )


def require_children(children: int, as_of: dt.date) -> None:
    """Raise InputError when nobody is to be assessed."""
    if not children:
        raise InputError(
            f"No child is known before {as_of.isoformat()}; ingest deliveries or choose a later "
            "day with --as-of."
        )
