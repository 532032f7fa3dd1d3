"""The last readers of a secret, from logged reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from rotation.domain.ids import TargetId
from rotation.domain.targets import SecretRead, VersionInfo
from rotation.service.replies.secret import ReadersReply
from rotation.service.views import readers

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
TARGET = TargetId("https://kv.vault.azure.net", "ai-key")
OLD = VersionInfo("old", NOW - 50 * HOUR, None, enabled=True)
NEW = VersionInfo("new", NOW - 5 * HOUR, None, enabled=True)
OURS = SecretRead("rotation", "new", NOW - HOUR)


def build(*reads: SecretRead, ignored: str = "rotation") -> ReadersReply:
    return readers.build(TARGET, [NEW, OLD], reads, frozenset({ignored}), NOW)


def shown(reply: ReadersReply) -> list[tuple[str, str | None, bool]]:
    assert reply.readers is not None
    return [(reader.identity, reader.version, reader.behind) for reader in reply.readers]


def test_each_identity_is_shown_once_with_its_last_read_the_last_reader_first() -> None:
    reply = build(
        OURS,
        SecretRead("batch", "old", NOW - 40 * HOUR),
        SecretRead("shop", "old", NOW - 30 * HOUR),
        SecretRead("shop", "new", NOW - 2 * HOUR),
    )
    assert shown(reply) == [("shop", "new", False), ("batch", "old", True)]
    assert (reply.latest, reply.since, reply.problem) == ("new", NOW - 30 * 24 * HOUR, "")


def test_the_resource_of_a_managed_identity_is_shown_and_another_is_not_known() -> None:
    site = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/shop"
    reply = build(OURS, SecretRead("shop", "new", NOW, site), SecretRead("laptop", "new", NOW))
    assert {reader.identity: reader.resource for reader in reply.readers or ()} == {
        "shop": site,
        "laptop": None,
    }


def test_an_identity_that_reads_both_versions_is_not_behind() -> None:
    reads = SecretRead("shop", "new", NOW - 3 * HOUR), SecretRead("shop", "old", NOW - 2 * HOUR)
    assert shown(build(OURS, *reads)) == [("shop", "old", False)]


def test_if_the_log_has_no_version_the_time_of_the_read_tells() -> None:
    reads = SecretRead("early", None, NOW - 6 * HOUR), SecretRead("late", None, NOW - 4 * HOUR)
    assert shown(build(OURS, *reads)) == [("late", None, False), ("early", None, True)]


def test_ignored_identities_are_not_shown_but_show_that_the_log_works() -> None:
    reply = build(SecretRead("Rotation", "new", NOW - HOUR))
    assert (reply.readers, reply.problem) == ([], "")


def test_a_reader_that_the_log_does_not_name_is_unknown() -> None:
    assert shown(build(OURS, SecretRead("unknown", "old", NOW - HOUR)))[0][0] == "unknown"


def test_a_log_without_a_row_of_today_may_hide_readers() -> None:
    reply = build(SecretRead("shop", "old", NOW - 13 * HOUR))
    assert shown(reply) == [("shop", "old", True)]
    assert "the log may not show all readers" in reply.problem
    assert "12 hours" in reply.problem


def test_a_log_without_a_row_since_the_latest_version_may_hide_readers() -> None:
    assert "may not show all readers" in build(SecretRead("shop", "old", NOW - 6 * HOUR)).problem


def test_an_empty_log_is_not_nobody() -> None:
    reply = build()
    assert reply.readers == []
    assert "may not show all readers" in reply.problem


def test_a_secret_without_versions_has_unknown_readers() -> None:
    reply = readers.build(TARGET, [], [OURS], frozenset(), NOW)
    assert (reply.readers, reply.problem) == (None, "the secret has no version")
