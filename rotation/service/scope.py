"""The scope of a request: the accounts and secrets that it concerns."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from ..domain import tags
from ..domain.errors import Permanent, RotationError, Unreadable, unenrolled
from ..domain.ids import AccountId, TargetId, target_id
from ..domain.targets import ListedSecret
from ..engine.inventory import Inventory, Listing
from ..engine.journal import Journal
from ..engine.reader import SecretReader
from .requests import RotationRequest, not_for_drills


@dataclass(frozen=True)
class Scope:
    """Finds the accounts of a request. Its methods raise RotationError if Azure cannot be read."""

    inventory: Inventory
    reader: SecretReader
    journal: Journal
    drill_accounts: frozenset[AccountId] = frozenset()

    async def accounts(self, request: RotationRequest) -> list[AccountId]:
        """Return every account of a request.

        Raises Permanent if there is none, or if a vault cannot be listed.
        """
        if not request.is_bulk:
            find = self.emergency if request.is_emergency else self.account
            return [(await find(request))[0]]
        listings = await self.inventory.listings()
        if request.is_emergency:
            return await self._seen_or_remembered(request, listings)
        for listing in listings:
            if listing.error:
                raise Permanent(
                    f"some vaults could not be listed: {listing.error}",
                    code="Incomplete",
                    remedy="fix that first, or name a vault, an account or a secret",
                )
        listed = (secret for listing in listings for secret in listing.secrets)
        wanted = (s for s in listed if request.everything or s.target.vault == request.vault)
        return sorted({s.account for s in wanted if s.account}, key=lambda a: a.slug)

    async def _seen_or_remembered(
        self, request: RotationRequest, listings: tuple[Listing, ...]
    ) -> list[AccountId]:
        """Return the accounts of a bulk emergency, which no vault that fails refuses."""
        listed = {s.account for listing in listings for s in _of(request, listing) if s.account}
        async for slug in self.journal.slugs():
            with suppress(Unreadable):
                record = await self.journal.find(slug)
                members = [target_id(text) for text in record.members] if record else []
                if record and any(request.everything or m.vault == request.vault for m in members):
                    listed.add(record.account)
        return sorted(listed, key=lambda a: a.slug)

    async def unseen(self, request: RotationRequest) -> list[str]:
        """Return what a bulk request could not see: vaults that cannot be listed, and why."""
        listings = await self.inventory.listings()
        wanted = (x for x in listings if request.everything or x.vault == request.vault)
        return [f"{listing.vault}: {listing.error}" for listing in wanted if listing.error]

    async def account(self, request: RotationRequest) -> tuple[AccountId, tuple[TargetId, ...]]:
        """Return the account of a request for a secret or an account, and its enrolled secrets.

        Raises Permanent if there are none.
        """
        if request.secret is not None:
            found = await self.reader.find(request.secret)
            if found is None:
                raise unenrolled(str(request.secret))
            account, secret = found
            return account, (secret.id,)
        if request.account is None:
            raise ValueError("a request names a secret or an account")
        known = await self.inventory.targets(request.account, ())
        if not known:
            record, _ = await self.journal.load(request.account)
            known = tuple(target_id(text) for text in record.seen)
        if not known:
            await self.inventory.check_readable()
            raise unenrolled(str(request.account))
        return request.account, known

    async def emergency(self, request: RotationRequest) -> tuple[AccountId, tuple[TargetId, ...]]:
        """Return the account of an emergency and its known secrets.

        An account needs no secret. A secret that was deleted, unbound or stripped of its tags
        counts if a record has it as a member. Raises Permanent if the account is not known, or if
        the request is a drill and the account is not marked for drills.
        """
        account, targets = await self._leaking(request)
        if request.drill and account not in self.drill_accounts:
            raise not_for_drills(account)
        return account, targets

    async def _leaking(self, request: RotationRequest) -> tuple[AccountId, tuple[TargetId, ...]]:
        if request.account is not None:
            return request.account, ()
        if request.secret is None:
            raise ValueError("a request names a secret or an account")
        try:
            return await self.account(request)
        except RotationError as exc:
            owners = await self.owners(request.secret)
            if len(owners) == 1:
                return owners[0], (request.secret,)
            raise await self._with_command(request, exc) from None

    async def knows(self, account: AccountId) -> bool:
        """Return whether a record, a binding or a listed secret names the account.

        If that cannot be read, the account may be known.
        """
        try:
            if await self.journal.find(account.slug):
                return True
            if (await self.inventory.bindings.current()).names(account):
                return True
            listings = await self.inventory.listings()
        except RotationError:
            return True
        listed = (secret.account for listing in listings for secret in listing.secrets)
        return account in listed or any(listing.error for listing in listings)

    async def _with_command(self, request: RotationRequest, exc: RotationError) -> RotationError:
        """Return the error; of an unbound secret with the account that its tag names.

        The tag is a stranger's word, so that a person must confirm the account.
        """
        if exc.code != "NotBound" or request.secret is None:
            return exc
        found = await self.reader.vaults.get_secret(request.secret)
        account = tags.account_of(found.tags) if found else None
        if account is None:
            return exc
        return Permanent(
            f"{request.secret} is not bound to {account}, which its tag names",
            code="NotBound",
            remedy=f"if that account leaked: keyrotation emergency {account} "
            f"--leaked {request.leaked} --reason …",
        )

    async def owners(self, secret: TargetId) -> list[AccountId]:
        """Return the accounts whose record has the secret as a member."""
        name, owners = str(secret).lower(), []
        async for slug in self.journal.slugs():
            with suppress(Unreadable):
                record = await self.journal.find(slug)
                if record and name in {m.lower() for m in (*record.members, *record.seen)}:
                    owners.append(record.account)
        return owners


def _of(request: RotationRequest, listing: Listing) -> tuple[ListedSecret, ...]:
    return listing.secrets if request.everything or listing.vault == request.vault else ()
