"""The rules of Azure Policy, and the remedy for a version that one refuses."""

from __future__ import annotations

import pytest

from rotation.domain.policies import SecretRule, refusal, unknown


@pytest.mark.parametrize(
    ("rule", "days", "content_type", "names"),
    [
        (SecretRule("p"), 90, None, ""),
        (SecretRule("p", longest=90), 90, None, ""),
        (SecretRule("p", longest=90), 91, None, "at most 90"),
        (SecretRule("p", longest=0), 1, None, "at most 0"),
        (SecretRule("p", shortest=30), 31, None, ""),
        (SecretRule("p", shortest=30), 30, None, "more than 30"),
        (SecretRule("p", shortest=30), 1, None, "more than 30"),
        (SecretRule("p", shortest=30), 0, None, ""),
        (SecretRule("p", needs_content_type=True), 90, "text/plain", ""),
        (SecretRule("p", needs_content_type=True), 90, "", "content type"),
        (SecretRule("p", needs_content_type=True), 90, None, "content type"),
        (SecretRule("p", is_unknown=True), 90, None, ""),
    ],
)
def test_a_version_that_a_rule_refuses_is_told_what_to_change(
    rule: SecretRule, days: int, content_type: str | None, names: str
) -> None:
    found = refusal(rule, days, content_type)
    assert bool(found) is bool(names)
    assert names in found


def test_assignments_of_unknown_rules_are_named_once_and_in_order() -> None:
    rules = [
        SecretRule("z", is_unknown=True),
        SecretRule("known"),
        SecretRule("a", is_unknown=True),
        SecretRule("z", is_unknown=True),
    ]
    assert unknown(rules) == ["a", "z"]
