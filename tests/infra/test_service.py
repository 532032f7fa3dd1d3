"""Settings, events, storage and app roles that the deployment gives to the service."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

import function_app
from emulator.host.functions import of_app
from rotation.domain import events
from rotation.domain.access import Role
from rotation.domain.evidence import EvidencePolicy
from rotation.settings import environment

from .bicep import INFRA, ROOT
from .deployed import CASES, deployed

SUBSCRIPTIONS = "Microsoft.EventGrid/systemTopics/eventSubscriptions"
# Read by the host, the worker and App Service, not by the service.
HOSTS = re.compile(
    r"AzureWebJobsStorage__((blob|queue|table)ServiceUri|credential|clientId)|APPLICATIONINSIGHTS_"
    r"(CONNECTION_STRING|AUTHENTICATION_STRING)|PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY"
    r"|OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID"
)

every_case = pytest.mark.parametrize("case", CASES)


@every_case
class TestAppSettings:
    def test_each_is_known_to_the_code_or_to_the_host(self, case: str) -> None:
        code = (ROOT / "rotation/settings/environment.py").read_text() + (
            ROOT / "function_app.py"
        ).read_text()
        known = set(re.findall(r"\"(ROTATION_[A-Z_]+)\"", code))
        assert {name for name in deployed(case).settings() if not HOSTS.fullmatch(name)} <= known

    def test_with_them_the_service_starts(self, case: str) -> None:
        given = deployed(case).settings() | {"ROTATION_TOPIC": ""}
        loaded = environment.load(given)
        assert len(loaded.vaults) == given["ROTATION_VAULTS"].count("https://")
        assert loaded.storage is not None
        assert loaded.storage.kind == "identity"
        assert loaded.credential == "managed"

    def test_none_that_flex_consumption_refuses(self, case: str) -> None:
        refused = ("FUNCTIONS_", "WEBSITE_", "SCM_DO_BUILD", "ENABLE_ORYX")
        assert not [name for name in deployed(case).settings() if name.startswith(refused)]

    def test_function_keys_are_rejected(self, case: str) -> None:
        assert "ROTATION_FUNCTION_KEYS" not in deployed(case).settings()


def test_parameters_of_the_policy_become_settings() -> None:
    loaded = environment.load(deployed("everything").settings() | {"ROTATION_TOPIC": ""})
    assert loaded.policy.minimum_overlap == timedelta(hours=2)
    assert loaded.policy.emergency_patience == timedelta(minutes=1)
    assert loaded.policy.evidence is EvidencePolicy.WARN


def event_filters(case: str) -> dict[str, Any]:
    """Return the filters of all subscriptions by the name of their topic."""
    found = deployed(case).of(SUBSCRIPTIONS)
    return {one["name"].partition("/")[0]: one["properties"]["filter"] for one in found}


class TestEvents:
    @pytest.mark.parametrize("kind", [events.NEAR_EXPIRY, events.EXPIRED])
    def test_what_the_service_acts_on_is_delivered(self, kind: str) -> None:
        assert kind in event_filters("one_vault")["kv-one-events"]["includedEventTypes"]

    def test_a_new_version_is_delivered(self) -> None:
        """A version that somebody publishes by hand is then seen in seconds."""
        types = event_filters("one_vault")["kv-one-events"]["includedEventTypes"]
        assert "Microsoft.KeyVault.SecretNewVersionCreated" in types

    @every_case
    def test_the_service_can_read_or_ignore_every_type(self, case: str) -> None:
        types = {kind for one in event_filters(case).values() for kind in one["includedEventTypes"]}
        for kind in types:
            events.parse({"eventType": kind, "data": {}}, ["https://kv-one.vault.azure.net"])

    def test_a_regenerated_key_is_delivered_only_if_asked(self) -> None:
        assert len(event_filters("one_vault")) == 1
        (found,) = [one for one in event_filters("everything").values() if one["advancedFilters"]]
        assert found["includedEventTypes"] == ["Microsoft.Resources.ResourceActionSuccess"]
        (only,) = found["advancedFilters"]
        assert only["operatorType"] == "StringEndsWith"
        assert (only["key"], only["values"]) == ("data.operationName", ["regenerateKey/action"])

    @every_case
    def test_they_go_into_the_queue_that_the_function_reads(self, case: str) -> None:
        functions = {one.name: one for one in of_app(function_app.app)}
        queue = functions["work"].trigger["queueName"]
        for one in deployed(case).of(SUBSCRIPTIONS):
            target = one["properties"]["deliveryWithResourceIdentity"]["destination"]["properties"]
            assert target["queueName"] == queue
        created = deployed(case).of("Microsoft.Storage/storageAccounts/queueServices/queues")
        names = {one["name"].rpartition("/")[2] for one in created}
        urgent = functions["emergency_work"].trigger["queueName"]
        assert names == {queue, f"{queue}-poison", urgent, f"{urgent}-poison"}

    @every_case
    def test_an_event_that_is_lost_is_noticed(self, case: str) -> None:
        """Each subscription has one alert for dead letters and one for dropped events."""
        alerts = deployed(case).of("Microsoft.Insights/metricAlerts")
        metrics = [one["properties"]["criteria"]["allOf"][0]["metricName"] for one in alerts]
        count = len(event_filters(case))
        assert sorted(metrics) == sorted(["DeadLetteredCount", "DroppedEventCount"] * count)

    def test_the_host_decodes_what_event_grid_encodes(self) -> None:
        host = json.loads((ROOT / "host.json").read_text())
        assert host["extensions"]["queues"]["messageEncoding"] == "base64"


def test_the_journal_is_in_the_container_that_the_code_expects() -> None:
    loaded = environment.load({"ROTATION_VAULTS": "https://kv-a.vault.azure.net"})
    deployed("one_vault").one(
        "Microsoft.Storage/storageAccounts/blobServices/containers", loaded.journal_container
    )


def test_the_app_roles_are_those_that_the_api_requires() -> None:
    roles = json.loads((INFRA / "approles.json").read_text())
    assert {role["value"] for role in roles} == {role.value for role in Role}
    assert len({role["id"] for role in roles}) == len(roles)


def test_every_accepted_finding_of_checkov_is_explained() -> None:
    lines = re.findall(r"^ +- (CKV\w+)(.*)$", (INFRA / "checkov.yaml").read_text(), re.M)
    assert lines
    assert all(re.match(r" +# \S", reason) for _, reason in lines)
    inline = [path for path in INFRA.rglob("*.bicep") if "checkov:skip" in path.read_text()]
    assert not inline, "in one place only"
