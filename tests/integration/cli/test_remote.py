"""Commands against the running function app, which works with its own identity."""

from __future__ import annotations

import pytest

from rotation.cli.exit_status import ExitStatus
from tests.end_to_end.browser.site import Site

from .conftest import Run

SECRET = "kv-demo/speech-demo-key"


def test_status_why_and_plan_show_what_the_api_returns(ask: Run) -> None:
    result = ask("status")
    assert result.status == ExitStatus.OK, result.out
    assert "Everything is healthy." in result.out
    assert ask("why", SECRET).status == ExitStatus.OK
    assert ask("plan", "--json").json["accounts"] == 2


def test_an_emergency_is_followed_until_the_old_key_is_rejected(ask: Run, service: Site) -> None:
    account = service.azure.account("speech-demo")
    leaked = account.keys["Key1"]
    result = ask("emergency", SECRET, "--leaked", "key1", "--reason", "in a public chat", "--yes")
    assert result.status == ExitStatus.OK, result.err
    assert "Done:" in result.out
    assert leaked not in account.keys.values()
    history = ask("history", SECRET, "--json").json
    assert history["rotations"][0]["requester"] == "function key"


def test_doctor_checks_the_identity_of_the_service(ask: Run, service: Site) -> None:
    found = ask("doctor", "--json").json["findings"]
    identity = next(one for one in found if one["check"] == "identity")
    assert service.azure.identity.principals[0].object_id in identity["detail"]


def test_a_function_key_cannot_rotate_everything(ask: Run) -> None:
    result = ask("rotate", "--all", "--reason", "audit", "--yes")
    assert result.status == ExitStatus.REFUSED
    assert "→" in result.err


def test_a_wrong_key_is_refused(ask: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATION_FUNCTION_KEY", "wrong")
    assert ask("status").status == ExitStatus.REFUSED


def test_an_unreachable_service_suggests_direct_mode(
    ask: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = ask("status", "--url", "http://127.0.0.1:9")
    assert result.status == ExitStatus.UNREACHABLE
    assert "--direct" in result.err


def test_without_credentials_the_error_explains_how_to_sign_in(
    ask: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROTATION_FUNCTION_KEY")
    result = ask("status")
    assert result.status == ExitStatus.USAGE
    assert "ROTATION_SCOPE" in result.err


def test_a_token_that_is_rejected_is_reported_with_its_remedy(
    run: Run, service: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The local host does not support tokens, so the service rejects the request."""
    monkeypatch.setenv("ROTATION_SCOPE", "https://management.azure.com/.default")
    result = run("status", "--url", service.url)
    assert result.status == ExitStatus.REFUSED
    assert "HTTP 401" in result.err
    assert "ROTATION_SCOPE" in result.err


def test_without_a_sign_in_the_error_suggests_az_login(
    run: Run, service: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROTATION_SCOPE", "api://unknown/.default")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    monkeypatch.setenv("PATH", "/nowhere")
    result = run("status", "--url", service.url)
    assert result.status == ExitStatus.REFUSED
    assert "az login" in result.err
