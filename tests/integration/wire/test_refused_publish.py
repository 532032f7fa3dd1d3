"""A vault that refuses a new version costs one key, not one key for each try."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from emulator.azure import Azure
from emulator.services.arm.vault_responses import policy_assignment
from emulator.services.keyvault.policies import CONTENT_TYPE
from rotation.domain.access import Caller, Role
from rotation.domain.operation import Ending, Phase
from rotation.domain.request import RequestKind
from rotation.service.requests import RotationRequest

from .product import Product, playground, product

DAY = timedelta(days=1)


def refuse(azure: Azure) -> None:
    """Assign "Secrets should have content type set" to the vault; the secret has none."""
    azure.vault("kv-demo").assignments.append(policy_assignment(CONTENT_TYPE, {"effect": "Deny"}))


def repair(azure: Azure) -> None:
    azure.vault("kv-demo").assignments.clear()


async def live(p: Product, days: int) -> None:
    for _ in range(days):
        await p.triggers.sweep()
        await p.run(DAY)


def regenerated(azure: Azure) -> int:
    return sum(call.operation == "arm.regenerate_key" for call in azure.calls)


async def test_a_refused_version_costs_one_key_and_is_reported(tmp_path: Path) -> None:
    azure = playground()
    old = azure.account("aoai-demo").keys["Key1"]
    refuse(azure)
    async with product(azure, str(tmp_path)) as p:
        await live(p, 3)
        record = await p.record()
        assert regenerated(azure) == 1
        assert record.phase is Phase.PUBLISH
        assert azure.accounts.accepted(old), "consumers are served"
        assert record.last_failure is not None
        assert record.last_failure.code == "ForbiddenByPolicy"
        assert "content type" in record.last_failure.remedy
        repair(azure)
        await live(p, 3)
        assert (await p.record()).phase is Phase.IDLE
    assert regenerated(azure) == 2, "the new key and the revocation of the old one"


async def test_nor_does_it_cost_another_one_after_it_was_abandoned(tmp_path: Path) -> None:
    azure = playground()
    refuse(azure)
    async with product(azure, str(tmp_path)) as p:
        await live(p, 1)
        await abandon(p)
        await live(p, 3)
        assert regenerated(azure) == 1
        assert "Azure Policy refused" in (await p.record()).waiting
        repair(azure)
        await p.service.commands.request(RotationRequest("repaired", "alice", account=p.account()))
        await live(p, 3)
        record = await p.record()
    assert record.phase is Phase.IDLE
    assert record.history[-1].ending is Ending.DONE
    assert regenerated(azure) == 3, "the abandoned one, the new key, and the revocation"


async def abandon(p: Product) -> None:
    operation = (await p.record()).operation
    assert operation is not None
    caller = Caller("alice", frozenset(Role))
    answered = await p.service.commands.answer(
        operation.id, RequestKind.ABANDON, caller, "the policy is wrong", dry_run=False
    )
    assert answered is not None
    await p.run(timedelta(minutes=1))
    assert (await p.record()).operation is None
