"""Each error of Key Vault and ARM, on the wire, leads to the outcome that it calls for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.core.faults import Fault
from rotation.decisions.actions import ActionKind
from rotation.domain.operation import Phase

from .product import Product, playground, product


@dataclass(frozen=True)
class Error:
    """A response of the service, and the expected error."""

    operation: str
    status: int
    code: str
    message: str = "as documented"
    inner: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    permanent: bool = False
    says: str = ""

    def fault(self, times: int = 1) -> Fault:
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.inner:
            error["innererror"] = {"code": self.inner}
        body = {"error": error} if self.body is None else self.body
        return Fault(
            "answer",
            self.operation,
            status=self.status,
            body=body,
            headers=self.headers,
            times=times,
        )


ARM = "arm.list_keys"
READ, SET = "keyvault.get_secret", "keyvault.set_secret"
KEY_AUTH_OFF = "Failed to list key. disableLocalAuth is set to be true"
ERRORS = [
    Error(ARM, 400, "BadRequest", KEY_AUTH_OFF, permanent=True, says="LocalAuthDisabled"),
    Error(ARM, 401, "ExpiredAuthenticationToken", headers={"WWW-Authenticate": "Bearer"}),
    Error(ARM, 403, "AuthorizationFailed", permanent=True, says="Key rotator"),
    Error("arm.get_account", 404, "ResourceNotFound", permanent=True, says="ProviderAddress"),
    Error("arm.get_account", 404, "ResourceGroupNotFound", permanent=True, says="ProviderAddress"),
    Error(ARM, 409, "AccountProvisioningStateInvalid"),
    Error(ARM, 409, "RequestConflict"),
    Error(ARM, 409, "ScopeLocked", permanent=True, says="lock"),
    Error(ARM, 409, "MissingSubscriptionRegistration", permanent=True, says="register"),
    Error(ARM, 429, "SubscriptionRequestsThrottled", headers={"Retry-After": "5"}),
    Error(ARM, 500, "InternalServerError"),
    Error(ARM, 503, "ServiceUnavailable", headers={"Retry-After": "10"}),
    Error(ARM, 504, "", body="<html><body>Gateway Timeout</body></html>"),
    Error(READ, 401, "Unauthorized", "AKV10022: Invalid audience."),
    Error(READ, 403, "Forbidden", inner="ForbiddenByRbac", permanent=True, says="Secret publisher"),
    Error(READ, 403, "Forbidden", inner="ForbiddenByFirewall", permanent=True, says="firewall"),
    Error(READ, 403, "Forbidden", inner="AccessDenied", permanent=True, says="access policy"),
    Error(
        READ,
        403,
        "Forbidden",
        inner="ForbiddenByConnection",
        permanent=True,
        says="private endpoint",
    ),
    Error(
        READ,
        403,
        "Forbidden",
        "The application 'appid=1' does not have secrets get permission on key vault",
        inner="ForbiddenByPolicy",
        permanent=True,
        says="access policy",
    ),
    Error(READ, 429, "Throttled"),
    Error(READ, 500, "InternalServerError"),
]


def named(error: Error) -> str:
    return f"{error.operation}-{error.status}-{error.inner or error.code or 'html'}"


async def visited(p: Product) -> Any:
    return await p.visit()


@pytest.mark.parametrize("error", ERRORS, ids=named)
async def test_an_error_is_final_or_tried_again_and_nothing_is_lost(
    error: Error, tmp_path: Path
) -> None:
    azure = playground()
    before = dict(azure.account("aoai-demo").keys)
    async with product(azure, str(tmp_path)) as p:
        await p.service.queries.inventory.listings()
        azure.faults.add(error.fault(times=50))
        await p.triggers.sweep()
        outcome = await visited(p)
        assert outcome.failure is not None
        assert outcome.until > azure.clock.now()
        assert (outcome.kind is ActionKind.BLOCKED) == error.permanent, outcome.reason
        assert error.says in outcome.failure.code + outcome.failure.remedy
        assert azure.account("aoai-demo").keys == before
        azure.faults.clear()
        await p.run(timedelta(days=3))
        record = await p.record()
    assert record.phase is Phase.IDLE
    assert record.last_failure is None
    assert record.history[-1].outcome == "the old key is refused"


async def test_a_retry_after_is_obeyed(tmp_path: Path) -> None:
    azure = playground()
    error = Error(ARM, 429, "SubscriptionRequestsThrottled", headers={"Retry-After": "240"})
    async with product(azure, str(tmp_path)) as p:
        azure.faults.add(error.fault())
        outcome: Any = await p.visit()
        assert outcome.until >= azure.clock.now() + timedelta(seconds=239)


async def test_a_claims_challenge_is_answered_by_the_sdk(tmp_path: Path) -> None:
    """Continuous access evaluation: the token must be renewed with the claims; once is enough."""
    azure = playground()
    claims = "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxIn19fQ=="
    challenge = f'Bearer realm="", error="insufficient_claims", claims="{claims}"'
    error = Error(ARM, 401, "InvalidAuthenticationToken", headers={"WWW-Authenticate": challenge})
    async with product(azure, str(tmp_path)) as p:
        azure.faults.add(error.fault())
        outcome: Any = await p.visit()
    assert outcome.failure is None


REGENERATE = "arm.regenerate_key"
UNKNOWN = [
    Fault("answer", REGENERATE, status=500, after=True),
    Fault("answer", REGENERATE, status=503, after=True, headers={"Retry-After": "1"}),
    Fault("answer", REGENERATE, status=504, body="<html></html>", after=False),
    Fault("drop", REGENERATE, after=True),
    Fault("drop", REGENERATE, after=False),
    Fault("late", REGENERATE, seconds=60),
]


@pytest.mark.parametrize("fault", UNKNOWN, ids=lambda f: f"{f.kind}-{f.status}-{f.after}")
async def test_a_regenerate_with_an_unknown_outcome_is_sent_once_and_quarantined(
    fault: Fault, tmp_path: Path
) -> None:
    azure = playground()
    async with product(azure, str(tmp_path)) as p:
        azure.faults.add(replace(fault))
        await p.visit()
        sends = [c for c in azure.calls if c.operation == REGENERATE]
        assert len(sends) == 1, "no SDK repeats it"
        await p.run(timedelta(minutes=8))
        published = azure.secret("kv-demo", "ai-key").current.value
        assert published == azure.account("aoai-demo").keys["Key1"], (
            "nothing of it is published yet"
        )
        await p.run(timedelta(days=3))
        record = await p.record()
    assert record.phase is Phase.IDLE
    assert record.history[-1].outcome == "the old key is refused"
    assert azure.accounts.accepted(azure.secret("kv-demo", "ai-key").current.value)


@pytest.mark.parametrize("status", [200, 202, 204, 302])
async def test_a_regenerate_that_succeeds_without_keys_is_not_repeated(
    status: int, tmp_path: Path
) -> None:
    """The specification also has 202, for a key that changes later; the SDK takes only 200."""
    azure = playground()
    async with product(azure, str(tmp_path)) as p:
        azure.faults.add(Fault("answer", REGENERATE, status=status, body="", after=True))
        outcome: Any = await p.visit()
        assert outcome.kind is not ActionKind.BLOCKED
        await p.run(timedelta(hours=12))
    assert len([c for c in azure.calls if c.operation == REGENERATE]) == 1
    published = azure.secret("kv-demo", "ai-key").current.value
    assert published == azure.account("aoai-demo").keys["Key2"]


@pytest.mark.parametrize(
    ("status", "code", "inner"),
    [
        (400, "BadParameter", None),
        (403, "Forbidden", "ForbiddenByRbac"),
        (409, "RequestConflict", None),
        (429, "Throttled", None),
    ],
)
async def test_a_rejected_regenerate_is_not_an_unknown_outcome(
    status: int, code: str, inner: str | None, tmp_path: Path
) -> None:
    azure = playground()
    async with product(azure, str(tmp_path)) as p:
        azure.faults.add(Error(REGENERATE, status, code, inner=inner).fault())
        await p.visit()
        record = await p.record()
        assert record.intent is None
        assert record.quarantine == {}
        assert record.regenerated == ()


SETS = [
    Error(
        SET, 409, "Conflict", inner="ObjectIsDeletedButRecoverable", permanent=True, says="purge"
    ),
    Error(SET, 409, "Conflict", inner="ObjectIsBeingDeleted"),
    Error(SET, 400, "BadParameter", permanent=True),
    Error(SET, 403, "Forbidden", inner="ForbiddenByRbac", permanent=True, says="Secret publisher"),
    Error(SET, 429, "Throttled"),
    Error(SET, 500, "InternalServerError"),
]


@pytest.mark.parametrize("error", SETS, ids=named)
async def test_a_failed_publish_leaves_the_old_key_valid_and_is_repeated_later(
    error: Error, tmp_path: Path
) -> None:
    azure = playground()
    old = azure.secret("kv-demo", "ai-key").current.value
    async with product(azure, str(tmp_path)) as p:
        azure.faults.add(error.fault(times=5))
        await p.triggers.sweep()
        await p.run(timedelta(minutes=1))
        record = await p.record()
        assert record.phase is Phase.PUBLISH
        assert record.last_failure is not None
        assert error.says in record.last_failure.remedy
        assert azure.accounts.accepted(old)
        await p.run(timedelta(days=3))
        record = await p.record()
    assert record.history[-1].outcome == "the old key is refused"


@pytest.mark.parametrize("after", [True, False], ids=["done", "not-done"])
async def test_a_set_whose_response_is_lost_does_not_create_a_second_version(
    after: bool, tmp_path: Path
) -> None:
    azure = playground()
    async with product(azure, str(tmp_path)) as p:
        azure.faults.add(Fault("drop", SET, after=after))
        await p.triggers.sweep()
        await p.run(timedelta(hours=1))
    assert len(azure.secret("kv-demo", "ai-key").versions) == 2


async def test_the_adapter_retries_a_throttled_patch_itself(tmp_path: Path) -> None:
    azure = playground()
    first = azure.secret("kv-demo", "ai-key").current
    async with product(azure, str(tmp_path)) as p:
        azure.faults.add(Error("keyvault.update_secret", 429, "Throttled").fault(times=2))
        await p.triggers.sweep()
        await p.run(timedelta(days=3))
    assert not first.enabled


async def test_a_disabled_secret_is_reported_as_disabled(tmp_path: Path) -> None:
    azure = playground()
    azure.secret("kv-demo", "ai-key").current.enabled = False
    async with product(azure, str(tmp_path)) as p:
        await p.triggers.sweep()
        outcome: Any = await p.visit()
    assert outcome.kind is ActionKind.BLOCKED
    assert "disabled" in outcome.reason


async def test_a_deleted_secret_is_not_managed_any_more(tmp_path: Path) -> None:
    azure = playground()
    async with product(azure, str(tmp_path)) as p:
        await p.triggers.sweep()
        azure.vault("kv-demo").delete("ai-key")
        outcome: Any = await p.visit()
    assert outcome.kind is ActionKind.IDLE
    assert "no secret is enrolled" in outcome.reason


async def test_an_expired_secret_is_read_and_rotated(tmp_path: Path) -> None:
    azure = playground()
    azure.advance(timedelta(days=20))
    async with product(azure, str(tmp_path)) as p:
        await p.triggers.sweep()
        await p.run(timedelta(days=3))
        assert (await p.record()).history[-1].outcome == "the old key is refused"
