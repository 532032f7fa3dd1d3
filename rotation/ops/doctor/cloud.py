"""Checks that the vaults are in the configured cloud. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from ...domain import cloud as clouds
from ...domain.cloud import CLOUDS, Cloud
from .findings import CheckState, Finding

_CHECK = "cloud"


def check_cloud(cloud: Cloud, vaults: Iterable[str]) -> Finding:
    """Return the finding for the cloud of the settings."""
    detail = f"{cloud.name}: {cloud.manager}, vaults in {cloud.vaults}, sign-in {cloud.authority}"
    if cloud.name not in CLOUDS:
        reason = f"{cloud.manager} is not of a known cloud, so no key is sent to any host"
        return Finding(_CHECK, "", CheckState.FAILED, reason, "Set ROTATION_CLOUD.")
    far = clouds.strangers(cloud, vaults)
    if not far:
        return Finding(_CHECK, "", CheckState.OK, detail)
    reason = f"not in the cloud {cloud.name}: {', '.join(far)}"
    fix = f"Set ROTATION_CLOUD; with your own credentials, az cloud set --name {cloud.cli}."
    return Finding(_CHECK, "", CheckState.FAILED, reason, fix)
