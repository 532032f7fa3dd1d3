"""Queue messages that nobody can read."""

from __future__ import annotations

GARBAGE = (
    "",
    "{",
    "[]",
    "null",
    '{"visit": 1}',
    '{"visit": {"account": null}}',
    "\x00",
    '[{"eventType": "Microsoft.KeyVault.SecretExpired", "data": null}]',
)
