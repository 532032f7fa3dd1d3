"""Azure with a fleet at rest, behind its proxy, until standard input ends.

    python -m benchmarks.idle.fleet DIRECTORY SECRETS TIME

Prints the environment of a client. Each line of standard input begins to count again; at the end
it prints the number of calls by operation.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from http.client import UNAUTHORIZED
from pathlib import Path

from emulator.azure import Azure
from emulator.proxy.server import Proxy
from emulator.services.keyvault.model import Secret, Version
from emulator.services.keyvault.vault import Vault
from emulator.services.storage.blob import Blob
from rotation.domain import codec, standing
from rotation.domain.ids import AccountId, TargetId
from rotation.domain.membership import Member
from rotation.domain.policy import Policy
from rotation.domain.record import Record
from rotation.domain.standing import Shown
from rotation.engine.journal import LastSweep
from rotation.settings import environment

from . import plan

_MONTH = timedelta(days=30)


def build(secrets: int, now: datetime) -> Azure:
    """Return Azure with the fleet, and with the record of each account, which is at rest."""
    azure = Azure(now)
    rotation = azure.add_principal("rotation")
    storage = azure.add_storage(plan.STORAGE)
    rotation.assign("Storage Blob Data Contributor", storage.id)
    rotation.assign("Storage Queue Data Contributor", storage.id)
    vaults = {name: azure.add_vault(name) for name in plan.vaults()}
    for vault in vaults.values():
        rotation.assign("Secret publisher", vault.id)
    policy = environment.load(plan.settings()).policy
    blobs: dict[str, Blob] = {}
    for account, names in plan.accounts(secrets):
        shown = [_enrol(vaults[name], account, now) for name in names]
        blobs[f"accounts/{account.slug}"] = _blob(_record(account, shown, policy, now), len(blobs))
    blobs["accounts/sweep"] = Blob(
        codec.dump(LastSweep(now, secrets, compared=now)), '"0x1"', now, now
    )
    journal = azure.storage.accounts[plan.STORAGE].blobs
    journal.create("rotation-journal")
    journal.containers["rotation-journal"] = blobs
    return azure


def _enrol(vault: Vault, account: AccountId, now: datetime) -> Shown:
    """Add a secret, and return what the vault's listing shows of it."""
    made, expires = now - _MONTH, now + 2 * _MONTH
    tags = {"ProviderAddress": str(account), "ValidityPeriodDays": "90", "CredentialId": "Key1"}
    number, expiry = f"{len(vault.secrets):032x}", int(expires.timestamp())
    version = Version(number, "k" * 32, made, made, exp=expiry, tags=tags)
    vault.secrets[account.name] = Secret(account.name, [version])
    return Shown(TargetId(vault.url, account.name), True, made, made, expires, "", tags)


def _record(account: AccountId, shown: Iterable[Shown], policy: Policy, now: datetime) -> Record:
    return Record(
        account,
        "salt",
        members={str(secret.target): Member(now - _MONTH) for secret in shown},
        waiting=f"next rotation {now + _MONTH:%F}",
        waiting_until=now + _MONTH,
        rest=f"{standing.digest(shown, policy):032x}",
    )


def _blob(record: Record, number: int) -> Blob:
    metadata = {"x-ms-meta-index": standing.index(record), "x-ms-meta-write": f"{number:032x}"}
    made = record.waiting_until or datetime.min
    return Blob(codec.dump(record), f'"0x8DD{number:012X}"', made, made, metadata)


async def main(directory: Path, secrets: int, now: datetime) -> None:
    """Serve the fleet."""
    azure = build(secrets, now)
    async with Proxy(azure, directory) as proxy:
        print(json.dumps(proxy.environment), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            azure.calls.clear()
            print(flush=True)
        # A process's first call of each vault is a question for the tenant, without a token.
        answered = (call.operation for call in azure.calls if call.status != UNAUTHORIZED)
        print(json.dumps(Counter(answered)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), datetime.fromisoformat(sys.argv[3])))
