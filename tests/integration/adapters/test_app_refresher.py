"""Apps that read their secrets again, through Resource Manager."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator.azure import Azure
from emulator.core.faults import Fault
from emulator.core.identity import Principal
from emulator.sdk.transport import AsyncCredential, AsyncEmulatorTransport
from emulator.services.apps import App
from rotation.adapters.app_refresher import AppRefresher
from rotation.domain.bindings import Place
from rotation.domain.consumers import Consumer
from rotation.domain.errors import Permanent, RotationError, Transient
from rotation.runtime.clock import Clock

from .failures import failing

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-apps/providers"
SITE = f"{GROUP}/Microsoft.Web/sites/shop"
CONTAINER = f"{GROUP}/Microsoft.App/containerApps/chat"
PLACE = Place("https://kv-a.vault.azure.net")
SHOP = Consumer("shop", PLACE, resource=SITE)
CHAT = Consumer("chat", PLACE, resource=CONTAINER)


@pytest.fixture
async def refresher(
    azure: Azure, credential: AsyncCredential, clock: Clock
) -> AsyncIterator[AppRefresher]:
    azure.add_group(group="rg-apps")
    found = AppRefresher(credential, clock, transport=lambda: AsyncEmulatorTransport(azure))
    yield found
    await found.close()


def revisions(azure: Azure, value: Any) -> None:
    azure.faults.add(Fault("answer", "arm.list_revisions", status=200, body={"value": value}))


def restarted(azure: Azure) -> int:
    return sum(call.operation == "arm.restart_revision" for call in azure.calls)


async def refused(refresher: AppRefresher, consumer: Consumer) -> RotationError:
    return await failing(refresher.refresh(consumer))


async def test_an_app_service_app_fetches_its_references(
    azure: Azure, refresher: AppRefresher
) -> None:
    app = azure.apps.add(App(SITE, "shop.contoso.com"))
    await refresher.refresh(SHOP)
    assert len(app.refreshed) == 1
    assert [call.operation for call in azure.calls] == ["arm.refresh_references"]


async def test_a_container_app_restarts_its_active_revisions_only(
    azure: Azure, refresher: AppRefresher
) -> None:
    states = {"chat--one": True, "chat--two": False, "chat--three": True}
    app = azure.apps.add(App(CONTAINER, "chat.contoso.com", revisions=states))
    await refresher.refresh(CHAT)
    assert sorted(app.refreshed) == ["chat--one", "chat--three"]


@pytest.mark.parametrize(
    "value",
    [
        None,
        "chat--one",
        [None],
        [{"name": "chat--one"}],
        [{"name": "chat--one", "properties": {"active": "true"}}],
        [{"name": "chat--one", "properties": {"active": 1}}],
        [{"properties": {"active": True}}],
        [{"name": "../../other", "properties": {"active": True}}],
        [{"name": "größe", "properties": {"active": True}}],
    ],
)
async def test_a_revision_in_another_form_is_not_restarted(
    azure: Azure, refresher: AppRefresher, value: Any
) -> None:
    revisions(azure, value)
    await refresher.refresh(CHAT)
    assert restarted(azure) == 0


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_each_success_that_azure_documents_is_one(
    azure: Azure, refresher: AppRefresher, status: int
) -> None:
    azure.faults.add(Fault("answer", "arm.refresh_references", status=status))
    await refresher.refresh(SHOP)


@pytest.mark.parametrize(
    ("consumer", "role"),
    [(SHOP, "Website Contributor"), (CHAT, "Container Apps Contributor")],
)
async def test_a_missing_right_names_the_role_for_this_kind_of_app(
    azure: Azure, principal: Principal, refresher: AppRefresher, consumer: Consumer, role: str
) -> None:
    azure.apps.add(App(str(consumer.resource), "x.contoso.com"))
    principal.assignments.clear()
    failed = await refused(refresher, consumer)
    assert isinstance(failed, Permanent)
    assert role in failed.remedy
    assert failed.code == "AuthorizationFailed"
    assert str(failed).startswith(f"refresh {consumer.name}: 403")


async def test_another_refusal_does_not_speak_of_roles(
    azure: Azure, refresher: AppRefresher
) -> None:
    azure.faults.add(Fault("answer", "arm.refresh_references", status=404))
    failed = await refused(refresher, SHOP)
    assert isinstance(failed, Permanent)
    assert "role" not in failed.remedy


@pytest.mark.parametrize("status", [301, 429, 500])
async def test_a_failure_is_told_and_the_call_is_sent_once(
    azure: Azure, refresher: AppRefresher, status: int
) -> None:
    headers = {"Location": "https://attacker.example/"}
    fault = Fault("answer", "arm.refresh_references", status=status, headers=headers, times=9)
    azure.faults.add(fault)
    assert f"refresh shop: {status}" in str(await refused(refresher, SHOP))
    assert len(azure.calls) == 1


async def test_revisions_that_are_not_json_are_transient(
    azure: Azure, refresher: AppRefresher
) -> None:
    azure.faults.add(Fault("answer", "arm.list_revisions", status=200, body="{"))
    failed = await refused(refresher, CHAT)
    assert (type(failed), failed.code) == (Transient, "Unreadable")
