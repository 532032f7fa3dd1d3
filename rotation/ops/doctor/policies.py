"""Finds the secrets whose next version Azure Policy would refuse. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...domain import policies, tags
from ...domain.policies import SecretRule
from ...domain.targets import ListedSecret
from .findings import CheckState, Finding

_CHECK = "policy"


def check_policies(
    vault: str, rules: Sequence[SecretRule], secrets: Iterable[ListedSecret]
) -> Finding:
    """Return the finding for a vault; ``secrets`` are its enrolled ones."""
    refused = [one for secret in secrets for one in _refusals(secret, rules)]
    if refused:
        detail = "Azure Policy would refuse a new version: " + "; ".join(
            f"{name} ({assignment})" for name, assignment, _ in refused
        )
        fixes = dict.fromkeys(f"{name}: {fix}" for name, _, fix in refused)
        fix = "; ".join(fixes) + ". Or ask for an exemption from the assignment."
        return Finding(_CHECK, vault, CheckState.FAILED, detail, fix)
    unknown = policies.unknown(rules)
    if unknown:
        detail = f"may refuse a new version: {', '.join(unknown)}"
        fix = "Read these assignments of Azure Policy: their rules are not built-in ones."
        return Finding(_CHECK, vault, CheckState.WARNING, detail, fix)
    detail = "no policy would refuse a new version"
    return Finding(_CHECK, vault, CheckState.OK, detail)


def _refusals(secret: ListedSecret, rules: Iterable[SecretRule]) -> Iterable[tuple[str, str, str]]:
    """Yield the secret's name, the assignment and the fix."""
    enrolment = tags.read(secret.tags) if secret.account else None
    days = enrolment.validity.days if enrolment and enrolment.validity else 0
    for rule in rules:
        fix = policies.refusal(rule, days, secret.content_type)
        if fix:
            yield secret.target.name, rule.name, fix
