"""Who may do what, and who there is."""

from __future__ import annotations

import pytest

from riskflag.casework.permissions import ACTIONS, ALLOWED, ROLES, may
from riskflag.casework.users import User, load_users
from riskflag.errors import ConfigError
from riskflag.workspace import Workspace

#: The whole table once more, by hand: a change must be made twice, and on purpose.
MATRIX = {
    "caseworker": "read_flags review",
    "senior": "read_flags review second_look",
    "manager": "read_flags review second_look team alert_health lookback",
    "steward": "data_problems",
    "analyst": "alert_health shap",
    "governance": "team alert_health shap lookback",
    "owner": "team alert_health pause",
}


def test_every_role_may_exactly_what_the_matrix_says():
    """Seven roles by nine actions, and nothing for a role or action that is not there."""
    assert set(MATRIX) == set(ROLES) == set(ALLOWED)
    for role in ROLES:
        assert {action for action in ACTIONS if may(role, action)} == set(MATRIX[role].split())
    assert not may("administrator", "review")
    assert not any(may(role, "delete") for role in ROLES)


@pytest.fixture
def place(tmp_path):
    return Workspace.create(tmp_path / "w", "Test Borough")


ONE = '[[user]]\nname = "{name}"\nrole = "{role}"\nteam = "Front door"\n'


def test_users_are_read_in_their_order(place):
    """Name, role and team as written."""
    (place.root / "users.toml").write_text(
        ONE.format(name="duty worker 1", role="caseworker") + ONE.format(name="b", role="owner")
    )
    assert load_users(place) == (
        User("duty worker 1", "caseworker", "Front door"),
        User("b", "owner", "Front door"),
    )
    assert [one.may("pause") for one in load_users(place)] == [False, True]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "user"),
        (ONE.format(name="a", role="boss"), "line 3"),
        (ONE.format(name="", role="owner"), "line 2"),
        (ONE.format(name="a\\u0007b", role="owner"), "line 2"),
        (ONE.format(name="a", role="owner") * 2, "same name"),
        (ONE.format(name="a", role="owner") + 'password = "x"\n', "line 5"),
        ("[[user]\n", "TOML"),
    ],
)
def test_a_file_that_is_not_valid_is_said_with_its_line(place, text, said):
    """One plain sentence with the file, and never the value."""
    (place.root / "users.toml").write_text(text)
    with pytest.raises(ConfigError, match=said) as refused:
        load_users(place)
    assert "users.toml" in str(refused.value)
    assert "boss" not in str(refused.value)


def test_without_the_file_it_says_what_to_write(place):
    """Nobody can sign in, and the reader learns what to do."""
    with pytest.raises(ConfigError, match=r"users\.toml is not there"):
        load_users(place)
