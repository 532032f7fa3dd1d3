"""Rules of Azure Policy for new versions of secrets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class SecretRule:
    """The denials of one assignment; ``name`` is the assignment's.

    ``longest`` and ``shortest`` bound the days from creation to expiry. ``is_unknown``: a policy of
    somebody's own that may deny more.
    """

    name: str
    longest: int | None = None
    shortest: int | None = None
    needs_content_type: bool = False
    is_unknown: bool = False


def refusal(rule: SecretRule, days: int, content_type: str | None) -> str:
    """Return what to change so that the rule admits a version, or an empty string."""
    if rule.longest is not None and days > rule.longest:
        return f"set ValidityPeriodDays to at most {rule.longest}"
    if rule.shortest is not None and 0 < days <= rule.shortest:
        return f"set ValidityPeriodDays to more than {rule.shortest}"
    if rule.needs_content_type and not content_type:
        return "give the secret a content type, such as text/plain"
    return ""


def unknown(rules: Iterable[SecretRule]) -> list[str]:
    """Return the names of assignments whose rule is not known."""
    return sorted({rule.name for rule in rules if rule.is_unknown})
