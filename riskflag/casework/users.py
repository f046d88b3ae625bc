"""Who uses this workspace: the people of `users.toml`, each with one role and a team."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from riskflag.casework.permissions import Role, may
from riskflag.errors import ConfigError
from riskflag.toml_lines import read_toml
from riskflag.workspace import Workspace

USERS_NAME = "users.toml"

#: One line of print without control characters: it stands in lists, reviews and the audit chain.
Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$"
    ),
]


@dataclass(frozen=True)
class User:
    """A person who signs in: their name in reviews, what they may do, and their team."""

    name: str
    role: Role
    team: str

    def may(self, action: str) -> bool:
        """Whether this person's role may do an action."""
        return may(self.role, action)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Line
    role: Role
    team: Line


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    user: tuple[_Entry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_twins(self) -> _File:
        names = [entry.name.casefold() for entry in self.user]
        if len(set(names)) < len(names):
            raise ValueError("two users have the same name; give one of them another")
        return self


def load_users(workspace: Workspace) -> tuple[User, ...]:
    """The users of a workspace in the order of `users.toml`.

    Raises ConfigError, naming file and line, when the file is missing or not valid.
    """
    path = workspace.root / USERS_NAME
    if not path.is_file():
        raise ConfigError(
            f"{path} is not there, so nobody can sign in; write one [[user]] with name, role and "
            "team for each person."
        )
    return tuple(User(one.name, one.role, one.team) for one in read_toml(path, _File).user)
