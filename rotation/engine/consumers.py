"""Asks consumers which key they use before a revocation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from ..decisions import health
from ..decisions.facts import Facts
from ..domain.consumers import Consumer
from ..domain.errors import RotationError
from ..domain.targets import Target
from ..ports import Health
from ..runtime.concurrency import gather_limited


@dataclass(frozen=True)
class ConsumerChecks:
    """Asks the consumers that the secrets of an account select."""

    health: Health

    async def behind(self, f: Facts) -> tuple[str, ...]:
        """Return a sentence for each consumer that does not confirm that it uses the new key."""
        asked = [
            (target, consumer)
            for target in f.publishing(f.operation.candidate)
            for consumer in f.policy.consumers.of(target.id, target.enrolment.consumers)
            if consumer.url
        ]
        return tuple(filter(None, await gather_limited(self._ask(*pair) for pair in asked)))

    async def _ask(self, target: Target, consumer: Consumer) -> str:
        nonce = secrets.token_hex(16)
        try:
            answer = await self.health.ask(consumer, target.id.name, nonce)
            found = health.problem(answer, target, nonce)
        except RotationError as exc:
            found = str(exc)
        except Exception as exc:  # noqa: BLE001 - a consumer's answer must not stop an account
            found = f"its answer cannot be read ({type(exc).__name__})"
        return (
            f"{consumer.name} does not confirm the new version of {target.id.name}: {found}"
            if found
            else ""
        )
