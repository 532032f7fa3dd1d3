"""Checks just before an emergency regenerates a leaked key: what it may leave without a successor.

The other key of the account is the successor, unless it leaked too. An emergency publishes it to
every secret that it can write to, and revokes the leaked key although others still show it.
"""

from __future__ import annotations

from emulator.services.accounts import Account
from emulator.services.keyvault.model import Version
from rotation.domain.ids import TargetId

from .invariants import Invariant
from .ledger import Ledger
from .observations import Observations


class LeakChecks:
    """Checks that no secret is left out that could have been written to."""

    def __init__(self, observations: Observations) -> None:
        self._seen, self._world = observations, observations.world
        self._require = observations.invariants.require

    def regenerating(self, ledger: Ledger, account: Account, slot: str) -> None:
        """Raises Violation. ``slot`` shows a leaked key. A person may want no successor."""
        other = next(value for name, value in account.keys.items() if name != slot)
        if ledger.forced_emergencies:
            return
        if self._seen.leaked_keys.holds(account, other):
            self._check_spare_first(ledger, account, account.keys[slot], other)
        else:
            self._check_replaced(ledger, account, other)

    def _check_spare_first(self, ledger: Ledger, account: Account, value: str, other: str) -> None:
        """Both keys leaked, so that one of them has to become the successor: the spare."""
        targets = self._seen.targets(account)
        both = any(versions[-1].value == other for _, versions in targets)
        for target, versions in targets:
            kept = both or versions[-1].value != value
            visible = self._seen.is_visible(versions[-1])
            excused = self._is_unknown(ledger, target) or not visible
            message = f"the key of {target.name} is regenerated before the spare, which leaked too"
            self._require(Invariant.PUBLISHED_KEY_KEPT, kept, message, excused=excused)

    def _check_replaced(self, ledger: Ledger, account: Account, other: str) -> None:
        for target, versions in self._seen.targets(account):
            if target in self._seen.suspects:
                continue
            shown = versions[-1]
            replaced = shown.value == other or not self._is_writable(account, target, shown)
            excused = self._is_unknown(ledger, target)
            message = f"a leaked key is regenerated, and {target.name} did not get the other key"
            self._require(Invariant.SUCCESSOR_PUBLISHED, replaced, message, excused=excused)

    def _is_unknown(self, ledger: Ledger, target: TargetId) -> bool:
        """Return whether the worker cannot know what the secret shows."""
        hidden = self._seen.is_hidden(ledger, target)
        return hidden or self._seen.excuses_secret(ledger, target)

    def _is_writable(self, account: Account, target: TargetId, shown: Version) -> bool:
        """Return whether an emergency can overwrite a secret, and may."""
        return self._seen.is_reachable(target, shown) and self._is_ours(account, shown)

    def _is_ours(self, account: Account, shown: Version) -> bool:
        """Return whether it may be overwritten: a key of the account, or one that is refused.

        If no probe can tell whether it is refused, an emergency does not wait to know.
        """
        if shown.value in account.keys.values():
            return True
        works = self._world.accepts(shown.value)
        return not (works or self._seen.is_foreign(account, shown) or self._seen.is_probe_silent())
