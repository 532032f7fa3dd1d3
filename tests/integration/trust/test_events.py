"""An event about a secret that is not bound asks for nothing."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from .estate import DAY, NEIGHBOURS, estate, put, serving, tags


async def test_an_event_about_a_stranger_that_names_our_account_is_ignored(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    put(azure, "theirs", "d" * 32, tags(azure, "aoai-demo"))
    event = {
        "id": "e-1",
        "topic": azure.vault(NEIGHBOURS).id,
        "subject": "theirs",
        "eventType": "Microsoft.KeyVault.SecretNearExpiry",
        "data": {
            "VaultName": NEIGHBOURS,
            "ObjectName": "theirs",
            "Version": azure.secret(NEIGHBOURS, "theirs").versions[-1].id,
        },
    }
    async with serving(azure, tmp_path) as p:
        await p.triggers.handle_event(event)
        await p.run(timedelta(minutes=1))
        assert not [text for _, _, text in p.queue.waiting if "theirs" in text]
