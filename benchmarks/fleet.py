"""The duration of ``GET /api/secrets`` for a large fleet, the first time and after that.

    python -m benchmarks.fleet [SECRETS]

Over the real Key Vault client in process and a journal of files; Azure's own time comes on top
(Key Vault lists 25 secrets a page).
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from datetime import timedelta

from rotation.adapters.file_store import FileStore
from rotation.domain import codec
from rotation.domain.access import Caller, Role
from rotation.domain.ids import AccountId
from rotation.domain.record import Record
from tests.integration.wire.product import playground, product

CALLER = Caller("benchmark", frozenset(Role))


async def main(secrets: int) -> None:
    logging.disable(logging.CRITICAL)
    azure = playground()
    with tempfile.TemporaryDirectory() as directory:
        store = FileStore(directory)
        for number in range(secrets):
            account = azure.add_account(f"account-{number:05}")
            azure.add_secret(
                "kv-demo",
                f"key-{number:05}",
                publishes=(account.name, "Key1"),
                tags={"ProviderAddress": account.id, "ValidityPeriodDays": "90"},
                expires=azure.clock.now() + timedelta(days=80),
            )
            record = Record(AccountId.parse(account.id), "salt", waiting="next rotation soon")
            await store.write(record.account.slug, codec.dump(record), None)
        async with product(azure, directory) as made:
            for what in ("first", "again"):
                began = time.perf_counter()
                found = await made.service.queries.fleet(CALLER)
                seconds = time.perf_counter() - began
                print(f"{what}: {len(found.secrets)} secrets in {seconds:.2f} s")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
