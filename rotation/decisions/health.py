"""Judges what a consumer says about the key that it uses. Pure. The answer is never repeated."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from ..domain.targets import Target


def problem(answer: Mapping[str, object], target: Target, nonce: str) -> str:
    """Return why an answer does not confirm that the target's version is in use; empty if it does.

    ``version`` is the version's id. ``hmac`` is the HMAC-SHA256 of the nonce under the key, in
    hexadecimal digits. If an answer has both, both must be right.
    """
    version, mac = answer.get("version"), answer.get("hmac")
    if not isinstance(version, str) and not isinstance(mac, str):
        return "its answer has no version and no hmac"
    if isinstance(version, str) and version.strip().lower() != target.version.lower():
        return "it uses another version"
    if isinstance(mac, str) and not _matches(mac, target, nonce):
        return "it uses another key"
    return ""


def _matches(given: str, target: Target, nonce: str) -> bool:
    if target.value is None or not given.isascii():
        return False
    key = target.value.reveal().encode()
    wanted = hmac.new(key, nonce.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(given.strip().lower().encode(), wanted.encode())
