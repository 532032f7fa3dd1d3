"""An authenticated caller and its roles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """App roles of the Entra application; each includes those before it."""

    READ = "Rotation.Read"
    OPERATE = "Rotation.Operate"
    EMERGENCY = "Rotation.Emergency"


_ORDER = tuple(Role)


@dataclass(frozen=True)
class Caller:
    """The caller of the API. ``name`` goes into the audit trail; ``call`` is the request's id.

    ``by_key`` means a function key, which identifies no one and cannot rotate everything.
    """

    name: str
    roles: frozenset[Role] = frozenset()
    call: str = ""
    by_key: bool = False

    def may(self, role: Role) -> bool:
        return any(_ORDER.index(held) >= _ORDER.index(role) for held in self.roles)

    @property
    def role(self) -> str:
        """The most powerful role, or an empty string."""
        held = [role for role in _ORDER if role in self.roles]
        return held[-1] if held else ""

    @property
    def role_names(self) -> list[str]:
        return [role.value for role in _ORDER if self.may(role)]
