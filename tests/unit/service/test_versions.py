"""The versions of a secret: which slot's key each holds, as far as that is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rotation.domain.ids import AccountId, TargetId
from rotation.domain.keys import Slot
from rotation.domain.record import ObservedVersion, Record
from rotation.domain.targets import VersionInfo
from rotation.service.views import versions

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TARGET = TargetId("https://kv.vault.azure.net", "ai-key")


def _version(name: str, age: int, **tags: str) -> VersionInfo:
    return VersionInfo(name, NOW - timedelta(days=age), None, True, tags)


def _record(version: str, fingerprint: str) -> Record:
    seen = {str(TARGET): ObservedVersion(version, fingerprint)}
    return Record(AccountId("s", "g", "n"), "salt", seen=seen, known_keys={Slot.KEY1: "f1"})


@pytest.mark.parametrize(
    ("record", "slot"),
    [
        pytest.param(_record("two", "f1"), "Key1", id="read"),
        pytest.param(_record("two", "other"), None, id="another value"),
        pytest.param(_record("one", "f1"), None, id="not read yet"),
        pytest.param(None, None, id="never visited"),
    ],
)
def test_the_slot_of_a_version_without_tags_is_known_once_its_value_was_read(
    record: Record | None, slot: str | None
) -> None:
    tagged = _version("one", age=2, CredentialId="Key2")
    found = versions.build(TARGET, [tagged, _version("two", age=1)], record)
    assert [(one.version, one.slot) for one in found] == [("two", slot), ("one", "Key2")]
