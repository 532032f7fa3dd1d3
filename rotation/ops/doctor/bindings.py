"""Checks ROTATION_BINDINGS, and proposes entries if it is not set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...domain.errors import RotationError
from ...domain.ids import AccountId
from ...domain.permissions import VaultInfo
from ...domain.targets import ListedSecret
from ...engine.bindings import BindingRegistry
from .findings import CheckState, Finding

_CHECK = "bindings"

_UNSET = "ROTATION_BINDINGS is not set: of several vaults, only what was rotated before is bound"


async def check_bindings(
    registry: BindingRegistry, secrets: Sequence[ListedSecret], vaults: Mapping[str, VaultInfo]
) -> Finding:
    """Return the finding. ``vaults`` are the visible ones by URL; others have no resource group."""
    try:
        found = await registry.current()
    except RotationError as exc:
        return Finding(_CHECK, "", CheckState.FAILED, str(exc), "Try again.")
    if registry.problem:
        fix = "Correct ROTATION_BINDINGS. Until then nothing new is admitted."
        return Finding(_CHECK, "", CheckState.FAILED, registry.problem, fix)
    if registry.difference:
        fix = "Use the service's own ROTATION_BINDINGS, or change it there."
        return Finding(_CHECK, "", CheckState.WARNING, registry.difference, fix)
    if found.are_frozen:
        return Finding(_CHECK, "", CheckState.WARNING, _UNSET, proposal(secrets, vaults))
    detail = "a single vault needs none" if found.single_vault else "ROTATION_BINDINGS is in force"
    return Finding(_CHECK, "", CheckState.OK, detail)


def proposal(secrets: Iterable[ListedSecret], vaults: Mapping[str, VaultInfo]) -> str:
    """Return a value for ROTATION_BINDINGS; pairs across resource groups are commented out."""
    pairs = sorted({(s.target.vault, s.account) for s in secrets if s.account})
    near = [pair for pair in pairs if _share_group(vaults.get(pair[0]), pair[1])]
    far = [_entry(*pair) for pair in pairs if pair not in near]
    lines = ["Set ROTATION_BINDINGS to:", ",".join(_entry(*pair) for pair in near)]
    if far:
        lines.append("In different resource groups; add only what you meant:")
        lines += [f"# {entry}" for entry in far]
    return "\n".join(line for line in lines if line)


def _share_group(vault: VaultInfo | None, account: AccountId) -> bool:
    group = f"/subscriptions/{account.subscription}/resourcegroups/{account.resource_group}/"
    return vault is not None and vault.id.lower().startswith(group)


def _entry(vault: str, account: AccountId) -> str:
    name = vault.removeprefix("https://").partition(".")[0]
    return f"{name}={account}"
