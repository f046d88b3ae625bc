"""Making the files that are carried away: a batch of flags, each with its form."""

from __future__ import annotations

from dataclasses import dataclass

from riskflag.casework import imports
from riskflag.casework.looks import record_looks
from riskflag.casework.publishing import current, open_flag_ids
from riskflag.casework.reviews import shown
from riskflag.casework.store import Store
from riskflag.errors import ConfigError, InputError
from riskflag.nightly.published import published_flag
from riskflag.reports.offline import Form, offline_form
from riskflag.reports.offline_batch import batch_page
from riskflag.workspace import Workspace


@dataclass(frozen=True)
class Batch:
    """A batch as HTML, and the form of each of its flags."""

    html: str
    forms: tuple[Form, ...]


def made_batch(
    workspace: Workspace, store: Store, *, flags: tuple[str, ...], most: int, actor: str
) -> Batch:
    """A batch of these flags, or of those that wait longest; every look is recorded first.

    Raises InputError when nothing waits or a flag is not there, ConfigError for a wrong number.
    """
    night = current(store)
    chosen = tuple(dict.fromkeys(flags)) or open_flag_ids(store, most=most)
    if night is None or not chosen:
        raise InputError("No flag waits for a person, so there is nothing to put into a batch.")
    if not all(flag.startswith("F-") for flag in chosen):
        raise ConfigError("That is not the number of a flag; it begins with F-.")
    record_looks(store, actor=actor, action="print_batch", subjects=chosen)
    found = [published_flag(workspace, store, flag) for flag in chosen]
    codes = {flag: imports.form_code(store, flag, shown(store, flag)) for flag in chosen}
    html = batch_page(
        found, codes, authority=workspace.config.authority, as_of=night.as_of.isoformat()
    )
    return Batch(html, tuple(offline_form(one, codes[one["flag_id"]]) for one in found))
