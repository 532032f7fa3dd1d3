"""What would happen: to one secret, by a request, by the next sweep. Nothing is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..domain import codec, tags
from ..domain.errors import Permanent, RotationError, unenrolled
from ..domain.model import AccountId, TargetId
from ..domain.record import Wish
from ..domain.redaction import masked
from ..ports import Revision
from ..runtime.concurrency import together
from . import inbox as wishes
from .queries import Overview
from .requests import RotationRequest
from .sweep import plan
from .views import effects as outlook
from .views import fleet

EXAMPLES = 20

AT_ONCE = 4


@dataclass
class Foresight(Overview):
    """An overview that asks the rotator what its next step would be."""

    async def secret(self, target: TargetId) -> dict[str, Any]:
        """The body of ``GET /api/secrets/{vault}/{secret}``. Raises Permanent if not enrolled."""
        rows, _ = await self.rows()
        row = next((row for row in rows if row.target == target), None)
        if row is None:
            raise unenrolled(str(target))
        revisions = await self.triggers.vaults.revisions(target)
        now = self.inventory.clock.now()
        return {
            "at": codec.present({"at": now})["at"],
            "secret": fleet.shown(row, now),
            "now": await self._would(row.account) if row.account else None,
            "versions": [_shown(r) for r in sorted(revisions, key=_made, reverse=True)],
            "rotations": await self._rotations(row.account) if row.account else [],
        }

    async def _rotations(self, account: AccountId) -> Any:
        return (await self.rotations(account=str(account)))["rotations"]

    async def foresee(self, request: RotationRequest) -> dict[str, Any]:
        """What a request would do; nothing is done. At most 20 accounts are looked at closely."""
        if request.is_bulk:
            accounts = await self._meant(request)
        else:
            accounts = [(await self.triggers.resolve(request))[0]]
        rows, _ = await self.rows()
        wished = [(a, wishes.of_request(a, request, self.inventory.clock.now())) for a in accounts]
        would = await together((self._would(*one) for one in wished[:EXAMPLES]), AT_ONCE)
        return {
            "dryRun": True,
            "accounts": len(accounts),
            "secrets": sum(row.account in set(accounts) for row in rows),
            "would": would,
        }

    async def plan(self) -> dict[str, Any]:
        """What the next sweep would do; it looks closely at 20 accounts at most, due ones first."""
        listings = await self.inventory.listings(refresh=True)
        sweep, now = self.triggers.sweeper, self.inventory.clock.now()
        todo = plan(listings, self.policy, now, sweep.rate, sweep.period)
        accounts = [visit.account for visit in todo.visits]
        would = await together((self._would(account) for account in accounts[:EXAMPLES]), AT_ONCE)
        return {
            "accounts": len(accounts),
            "would": would,
            "problems": list(todo.problems),
        }

    async def _would(self, account: AccountId, wish: Wish | None = None) -> dict[str, Any]:
        known = await self.inventory.targets(account, ())
        try:
            return outlook.of(*await self.triggers.rotator.explain(account, known, wish))
        except RotationError as exc:
            return _held(account, exc)

    async def _meant(self, request: RotationRequest) -> list[AccountId]:
        rows, problems = await self.rows()
        if problems:
            raise Permanent(
                f"not every vault can be listed: {problems[0]}",
                code="Incomplete",
                remedy="mend that, or name a vault, an account or a secret",
            )
        meant = (row for row in rows if request.everything or row.target.vault == request.vault)
        return sorted({row.account for row in meant if row.account}, key=lambda a: a.slug)


def _held(account: AccountId, exc: RotationError) -> dict[str, Any]:
    found = {"account": str(account), "secrets": [], "action": "blocked", "reason": exc.advice}
    return found | {"until": None, "effects": []}


def _made(revision: Revision) -> str:
    return revision.created.isoformat()


def _shown(revision: Revision) -> dict[str, Any]:
    """A version without its value: Key Vault shows that to whoever may read it."""
    body = {
        "version": revision.version,
        "created": revision.created,
        "expires": revision.expires,
        "enabled": revision.enabled,
        "slot": _tag(revision, tags.CREDENTIAL_ID),
        "rotation": _tag(revision, tags.ROTATION_ID),
        "reason": _tag(revision, tags.ROTATION_REASON),
    }
    return dict.fromkeys(body) | codec.present(body)


def _tag(revision: Revision, name: str) -> str | None:
    """Ours, which a person may have changed: nothing that looks like a key is shown."""
    text = revision.tags.get(name)
    return masked(text) if text else None
