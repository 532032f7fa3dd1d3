"""The payload that webhooks receive, and the recipes that read it."""

from __future__ import annotations

import json
import re
from functools import reduce
from typing import Any

import pytest

from rotation.runtime.log import LINES

from .bicep import INFRA, ROOT, compiled, needs_compiler
from .deployed import CASES, SNAPSHOTS
from .queries import ALERTS

PAGE = (ROOT / "docs/notifications.md").read_text()
RECIPE = (ROOT / "examples/notifications/slack.bicep").read_text()
ALERT, EVENT = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", PAGE, re.S)]
_MEMBER = re.compile(r"\['(\w+)'\]")


def paths(text: str) -> list[list[str]]:
    """Return the members that the expressions of a workflow read, as paths in the payload."""
    plain = text.replace("\\'", "'").replace(
        "${essentials}", "triggerBody()?['data']?['essentials']"
    )
    found = re.findall(r"triggerBody\(\)((?:\??\['\w+'\])+)", plain)
    return [_MEMBER.findall(path) for path in found]


@pytest.mark.parametrize("recipe", [PAGE, RECIPE], ids=["Teams", "Slack"])
def test_a_recipe_reads_members_that_the_payload_has(recipe: str) -> None:
    read = paths(recipe)
    assert {path[-1] for path in read} >= {"monitorCondition", "severity", "alertRule"}
    for path in read:
        assert reduce(lambda value, member: value[member], path, ALERT)


def test_the_payload_is_that_of_an_alert_which_is_deployed() -> None:
    essentials = ALERT["data"]["essentials"]
    alert = ALERTS[essentials["alertRule"].removeprefix("rotation-")]
    assert essentials["description"] == alert["description"]
    assert essentials["severity"] == f"Sev{alert['severity']}"
    condition: dict[str, Any] = ALERT["data"]["alertContext"]["condition"]
    (shown,), (criterion,) = condition["allOf"], alert["criteria"]["allOf"]
    assert condition["windowSize"] == alert["windowSize"]
    assert criterion["query"].startswith(shown["searchQuery"].removesuffix(" …"))
    for member in ("operator", "timeAggregation", "failingPeriods"):
        assert shown[member] == criterion[member]
    assert shown["threshold"] == str(criterion["threshold"])


def test_the_event_has_members_that_the_service_emits() -> None:
    assert EVENT["type"].startswith("KeyRotation.")
    assert set(EVENT["data"]) < set(LINES["event"])


@needs_compiler
def test_webhooks_receive_the_common_alert_schema() -> None:
    template = compiled(INFRA / "modules/alerts.bicep")
    (group,) = [
        one for one in template["resources"].values() if one["type"].endswith("/actionGroups")
    ]
    (copy,) = group["properties"]["copy"]
    assert copy["name"] == "webhookReceivers"
    assert copy["input"]["useCommonAlertSchema"] is True


@needs_compiler
def test_the_urls_are_secure_in_every_template() -> None:
    for name, parameter in (
        ("main", "alertWebhooks"),
        ("modules/foundation", "alertWebhooks"),
        ("modules/alerts", "webhooks"),
    ):
        template = compiled(INFRA / f"{name}.bicep")
        assert template["parameters"][parameter]["type"] == "securestring"


def test_no_evaluated_deployment_shows_a_url() -> None:
    given = (SNAPSHOTS / "everything.bicepparam").read_text()
    assert "sig=4567" in given
    assert not any(
        "sig=4567" in (SNAPSHOTS / f"{case}.snapshot.json").read_text() for case in CASES
    )
