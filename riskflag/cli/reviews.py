"""`riskflag reviews`: flags to carry away as files, and the forms that come back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from riskflag.casework.store import Store
    from riskflag.workspace import Workspace

WORKSPACE = typer.Option(
    Path("."), "--workspace", help="The workspace; the current folder when left out."
)


def register(app: typer.Typer) -> None:
    reviews = typer.Typer(
        help="Carry flags away as files, and take filled review forms in.", no_args_is_help=True
    )
    app.add_typer(reviews, name="reviews")
    _register_out(reviews)
    _register_in(reviews)


def _register_out(reviews: typer.Typer) -> None:
    @reviews.command()
    def batch(
        out: Path = typer.Option(Path("batch.html"), "--out", help="Where to write the file."),
        flag: list[str] = typer.Option(
            None, "--flag", help="A flag to put in; repeat it. All that wait when left out."
        ),
        most: int = typer.Option(
            20, "--most", help="At most so many flags, longest waiting first."
        ),
        forms: Path = typer.Option(
            None, "--forms", help="Also write a blank review form of each flag into this folder."
        ),
        workspace: Path = WORKSPACE,
    ) -> None:
        """Write one file with many flags and their forms, to read without a network.

        Each look is written into the audit chain first; files are readable by their owner only.

        Example: riskflag reviews batch --out batch.html --forms forms
        """
        from riskflag.reports.offline import form_text
        from riskflag.reports.offline_out import made_batch

        place, store = _opened(workspace)
        try:
            made = made_batch(place, store, flags=tuple(flag or ()), most=most, actor=_actor())
        finally:
            store.close()
        _write(out, made.html)
        kilobytes = -(-len(made.html.encode()) // 1000)
        typer.echo(f"Wrote {out}: {len(made.forms)} flags, {kilobytes:,} kB.")
        if forms is not None:
            forms.mkdir(parents=True, exist_ok=True, mode=0o700)
            for form in made.forms:
                _write(forms / form.file_name, form_text(form))
            typer.echo(f"Wrote {len(made.forms)} blank forms into {forms}")

    @reviews.command("form")
    def blank(
        flag: str = typer.Argument(help="The number of the flag, for example F-2026-000123."),
        code: str = typer.Option(
            "", "--code", help="The form code of a printed page, to type its answers in."
        ),
        out: Path = typer.Option(
            None, "--out", help="Where to write it; FLAG.review.txt when left out."
        ),
        workspace: Path = WORKSPACE,
    ) -> None:
        """Write a blank review form as a text file, for now or for a page printed earlier.

        Example: riskflag reviews form F-2026-000123 --code 7KQF-2M9P-XR4T
        """
        from riskflag.casework.looks import record_looks
        from riskflag.errors import ConfigError
        from riskflag.reports.offline import form_text
        from riskflag.reports.offline_import import form_of

        place, store = _opened(workspace)
        try:
            if not flag.startswith("F-"):
                raise ConfigError("That is not the number of a flag; it begins with F-.")
            record_looks(store, actor=_actor(), action="print_form", subjects=[flag])
            form = form_of(place, store, flag, code)
        finally:
            store.close()
        target = out or Path(form.file_name)
        _write(target, form_text(form))
        typer.echo(f"Wrote {target}. Fill it in, then: riskflag reviews import {target}")


def _register_in(reviews: typer.Typer) -> None:
    @reviews.command("import")
    def take(
        files: list[Path] = typer.Argument(help="Filled review forms (.review.txt)."),
        workspace: Path = WORKSPACE,
    ) -> None:
        """Take filled review forms in; the same form twice is one review.

        A form that is not as it was handed out is refused. A form whose flag has changed since is
        kept and listed by `riskflag reviews waiting`. Codes: 0 all recorded, 30 some refused, 65
        some wait for a person.

        Example: riskflag reviews import F-2026-000123.review.txt
        """
        from riskflag.errors import ConflictError, InputError
        from riskflag.reports.offline_import import take_in

        place, store = _opened(workspace)
        try:
            taken = [take_in(place, store, file, actor=_actor()) for file in files]
        finally:
            store.close()
        for one in taken:
            typer.echo(one.told, err=one.outcome in ("refused", "waiting"))
        outcomes = {one.outcome for one in taken}
        if "refused" in outcomes:
            raise typer.Exit(InputError.exit_code)
        if "waiting" in outcomes:
            raise typer.Exit(ConflictError.exit_code)

    @reviews.command()
    def waiting(workspace: Path = WORKSPACE) -> None:
        """List the forms that could not be recorded, for their flag changed before they came back.

        Example: riskflag reviews waiting
        """
        from riskflag.casework import imports
        from riskflag.workspace import Workspace

        found = imports.waiting(Workspace.open(workspace))
        for path in found:
            typer.echo(str(path))
        typer.echo(
            f"{len(found)} forms wait. Let their authors decide again, then: "
            "riskflag reviews settle NAME --note TEXT"
            if found
            else "No form waits."
        )

    @reviews.command()
    def settle(
        name: str = typer.Argument(help="The name of a waiting form."),
        note: str = typer.Option(..., "--note", help="What became of its answers."),
        workspace: Path = WORKSPACE,
    ) -> None:
        """Put a waiting form aside once a person has dealt with it; it is kept, and audited.

        Example: riskflag reviews settle NAME --note "Decided again in the app on 3 April."
        """
        from riskflag.casework import imports

        place, store = _opened(workspace)
        try:
            target = imports.settle(place, store, name, actor=_actor(), note=note)
        finally:
            store.close()
        typer.echo(f"Kept as {target}")


def _opened(workspace: Path) -> tuple[Workspace, Store]:
    from riskflag.casework.store import open_store
    from riskflag.workspace import Workspace

    place = Workspace.open(workspace)
    return place, open_store(place, create=False)


def _actor() -> str:
    import getpass

    return getpass.getuser()


def _write(path: Path, text: str) -> None:
    """Write a file that holds a child's records: for its owner only."""
    path.touch(mode=0o600)
    path.write_bytes(text.encode("utf-8"))
