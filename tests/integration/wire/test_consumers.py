"""Consumers that the operator names: asked before a revocation, and refreshed after a publish."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from emulator.azure import Azure
from emulator.core.faults import Fault
from emulator.services.apps import App
from rotation.domain.ids import TargetId
from rotation.domain.operation import Phase
from rotation.domain.request import Leaked
from rotation.service.requests import RotationRequest

from .product import VAULT, playground, product

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-apps"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/shop"
CONTAINER = f"{GROUP}/providers/Microsoft.App/containerApps/shop"
HOST = "shop.contoso.com"
ASKED = {"ROTATION_CONSUMERS": f"shop@kv-demo/ai-*=https://{HOST}/key api://shop"}
HOURS = timedelta(hours=1)


def estate(**app: Any) -> tuple[Azure, App]:
    """Return the playground, whose secret selects a consumer, and this consumer's app."""
    azure = playground()
    current = azure.secret("kv-demo", "ai-key").current
    current.tags = {**(current.tags or {}), "RotationConsumers": "shop"}
    found = App(**{"id": SITE, "host": HOST, "audience": "api://shop"} | app)
    return azure, azure.apps.add(found)


def mac(key: str, headers: Mapping[str, str]) -> dict[str, str]:
    nonce = headers["Rotation-Nonce"].encode()
    return {"hmac": hmac.new(key.encode(), nonce, hashlib.sha256).hexdigest()}


async def test_a_consumer_with_the_old_version_holds_back_the_revocation(tmp_path: Path) -> None:
    azure, app = estate()
    secret = azure.secret("kv-demo", "ai-key")
    old = secret.current
    app.answer = lambda headers: {"version": old.id}
    async with product(azure, str(tmp_path), **ASKED) as p:
        await p.triggers.sweep()
        await p.run(30 * HOURS)
        record = await p.record()
        assert record.phase is Phase.OVERLAP
        assert "shop does not confirm the new version of ai-key" in record.waiting
        assert azure.accounts.accepted(old.value)
        app.answer = lambda headers: {"version": secret.current.id}
        await p.run(HOURS)
        assert (await p.record()).phase is Phase.IDLE
    assert azure.accounts.accepted(old.value) is None


async def test_an_hmac_of_the_nonce_proves_which_key_is_used(tmp_path: Path) -> None:
    azure, app = estate()
    secret = azure.secret("kv-demo", "ai-key")
    old = secret.current.value
    app.answer = lambda headers: mac(old, headers)
    async with product(azure, str(tmp_path), **ASKED) as p:
        await p.triggers.sweep()
        await p.run(30 * HOURS)
        assert "it uses another key" in (await p.record()).waiting
        app.answer = lambda headers: mac(secret.current.value, headers)
        await p.run(HOURS)
        assert (await p.record()).phase is Phase.IDLE


async def test_a_consumer_that_never_confirms_asks_a_person_at_the_deadline(
    tmp_path: Path,
) -> None:
    azure, _ = estate(host="elsewhere.contoso.com")
    async with product(azure, str(tmp_path), ROTATION_EVIDENCE_DEADLINE="PT6H", **ASKED) as p:
        await p.triggers.sweep()
        await p.run(34 * HOURS)
        blocked = (await p.record()).blocked
        assert blocked is not None
        assert blocked.code == "evidence-missing"


async def test_a_tag_selects_only_what_the_setting_allows_for_its_secret(tmp_path: Path) -> None:
    azure, app = estate()
    settings = {"ROTATION_CONSUMERS": f"shop@kv-demo/other-*=https://{HOST}/key {SITE}"}
    azure.identity.principals[0].assign("Website Contributor", SITE)
    async with product(azure, str(tmp_path), **settings) as p:
        await p.triggers.sweep()
        await p.run(30 * HOURS)
        record = await p.record()
        assert record.phase is Phase.IDLE
        assert "no shop in ROTATION_CONSUMERS for it" in str(record.notes)
    assert not app.refreshed
    assert not [c for c in azure.calls if c.operation == "apps.ask"]


async def test_an_app_is_refreshed_after_each_publish_and_only_then(tmp_path: Path) -> None:
    azure, app = estate()
    azure.identity.principals[0].assign("Website Contributor", SITE)
    settings = {"ROTATION_CONSUMERS": f"shop@kv-demo={SITE}"}
    async with product(azure, str(tmp_path), **settings) as p:
        await p.visit()
        await p.run(HOURS)
        assert app.refreshed == ["references"]
        await p.run(30 * HOURS)
        assert app.refreshed == ["references"]
        audit = [entry.what for entry in (await p.record()).history[-1].audit]
        assert "shop was asked to read its secret again" in audit


async def test_the_active_revisions_of_a_container_app_are_restarted(tmp_path: Path) -> None:
    azure, app = estate(id=CONTAINER, revisions={"shop--v1": False, "shop--v2": True})
    azure.identity.principals[0].assign("Container Apps Contributor", CONTAINER)
    settings = {"ROTATION_CONSUMERS": f"shop@kv-demo={CONTAINER}"}
    async with product(azure, str(tmp_path), **settings) as p:
        await p.visit()
        await p.run(HOURS)
    assert app.refreshed == ["shop--v2"]


async def test_a_failed_refresh_is_shown_and_retried_and_never_fails_the_rotation(
    tmp_path: Path,
) -> None:
    azure, app = estate()
    settings = {"ROTATION_CONSUMERS": f"shop@kv-demo={SITE}"}
    async with product(azure, str(tmp_path), **settings) as p:
        await p.visit()
        await p.run(timedelta(minutes=10))
        record = await p.record()
        assert record.phase is Phase.OVERLAP
        assert "Website Contributor" in record.nudges["shop"].error
        (row,) = (await p.service.queries.rows())[0]
        assert "shop was not asked to read it again" in row.problems[0]
        azure.identity.principals[0].assign("Website Contributor", SITE)
        await p.run(HOURS)
        assert app.refreshed == ["references"]
        await p.run(30 * HOURS)
        assert (await p.record()).history[-1].proven


async def test_an_emergency_revokes_although_a_consumer_neither_confirms_nor_refreshes(
    tmp_path: Path,
) -> None:
    azure, _ = estate(answer=lambda headers: {"version": "old"})
    azure.faults.add(Fault("answer", "arm.refresh_references", status=500, times=1000))
    old = azure.secret("kv-demo", "ai-key").current.value
    settings = {"ROTATION_CONSUMERS": f"shop@kv-demo=https://{HOST}/key api://shop {SITE}"}
    async with product(azure, str(tmp_path), **settings) as p:
        await p.visit()
        request = RotationRequest("r", "me", TargetId(VAULT, "ai-key"), leaked=Leaked.KEY1)
        await p.service.commands.request(request)
        await p.run(HOURS)
    assert azure.accounts.accepted(old) is None
