"""Each role includes those before it."""

from __future__ import annotations

import pytest

from rotation.domain.access import Caller, Role


@pytest.mark.parametrize(
    ("held", "may"),
    [
        ([], []),
        ([Role.READ], [Role.READ]),
        ([Role.OPERATE], [Role.READ, Role.OPERATE]),
        ([Role.EMERGENCY], [Role.READ, Role.OPERATE, Role.EMERGENCY]),
        ([Role.READ, Role.EMERGENCY], [Role.READ, Role.OPERATE, Role.EMERGENCY]),
    ],
)
def test_a_role_includes_those_before_it(held: list[Role], may: list[Role]) -> None:
    caller = Caller("alice", frozenset(held))
    assert [role for role in Role if caller.may(role)] == may
    assert caller.role_names == [role.value for role in may]


@pytest.mark.parametrize(
    ("held", "role"),
    [
        ([], ""),
        ([Role.READ], "Rotation.Read"),
        ([Role.READ, Role.OPERATE], "Rotation.Operate"),
        ([Role.EMERGENCY, Role.OPERATE, Role.READ], "Rotation.Emergency"),
    ],
)
def test_the_most_powerful_role_is_named(held: list[Role], role: str) -> None:
    assert Caller("alice", frozenset(held)).role == role
