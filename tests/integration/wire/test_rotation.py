"""The main job over the real wire protocol, with the real SDK clients."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from rotation.domain.operation import Phase

from .product import playground, product


async def test_a_due_secret_is_rotated_end_to_end(tmp_path: Path) -> None:
    azure = playground()
    before = azure.secret("kv-demo", "ai-key").current
    async with product(azure, str(tmp_path)) as p:
        await p.triggers.sweep()
        await p.run(timedelta(hours=1))
        current = azure.secret("kv-demo", "ai-key").current
        assert current.value == azure.account("aoai-demo").keys["Key2"]
        assert current.tags is not None
        assert current.tags["team"] == "blue"
        assert azure.accounts.accepted(before.value), "both keys work in the overlap"
        await p.run(timedelta(days=2))
        record = await p.record()
    assert record.phase is Phase.IDLE
    assert azure.accounts.accepted(before.value) is None
    assert not before.enabled
    sent = [
        event["type"] for event in azure.topics.received["topic.westeurope-1.eventgrid.azure.net"]
    ]
    kinds = ["Admitted", "Rotated", "Revoked", "Ended"]
    assert sent == [f"KeyRotation.{kind}" for kind in kinds]
