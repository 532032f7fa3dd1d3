"""Against the running function app, which does the work with its own identity."""

from __future__ import annotations

import pytest

from rotation.cli.exit_status import Exit
from tests.end_to_end.browser.site import Site

from .conftest import Run

SECRET = "kv-demo/speech-demo-key"


def test_looks_as_the_api_shows_it(ask: Run) -> None:
    said = ask("status")
    assert said.status == Exit.OK, said.out
    assert "All is well." in said.out
    assert ask("why", SECRET).status == Exit.OK
    assert ask("plan", "--json").json["accounts"] == 2


def test_an_emergency_is_followed_to_the_dead_key(ask: Run, service: Site) -> None:
    account = service.azure.account("speech-demo")
    leaked = account.keys["Key1"]
    said = ask("emergency", SECRET, "--leaked", "key1", "--reason", "in a public chat", "--yes")
    assert said.status == Exit.OK, said.err
    assert "Done:" in said.out
    assert leaked not in account.keys.values()
    history = ask("history", SECRET, "--json").json
    assert history["rotations"][0]["requester"] == "function key"


def test_the_doctor_examines_the_services_own_identity(ask: Run, service: Site) -> None:
    found = ask("doctor", "--json").json["findings"]
    identity = next(one for one in found if one["check"] == "identity")
    assert service.azure.identity.principals[0].object_id in identity["detail"]


def test_a_function_key_never_suffices_for_everything(ask: Run) -> None:
    said = ask("rotate", "--all", "--reason", "audit", "--yes")
    assert said.status == Exit.REFUSED
    assert "→" in said.err


def test_a_wrong_key_is_refused(ask: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROTATION_FUNCTION_KEY", "wrong")
    assert ask("status").status == Exit.REFUSED


def test_where_nobody_answers_the_way_round_is_named(
    ask: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = ask("status", "--url", "http://127.0.0.1:9")
    assert said.status == Exit.UNREACHABLE
    assert "--direct" in said.err


def test_without_a_scope_it_says_how_to_sign_in(ask: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROTATION_FUNCTION_KEY")
    said = ask("status")
    assert said.status == Exit.USAGE
    assert "ROTATION_SCOPE" in said.err


def test_with_a_scope_it_asks_entra_for_a_token_and_says_what_the_service_says(
    run: Run, service: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The local host knows no tokens, so that the service refuses; the platform would not."""
    monkeypatch.setenv("ROTATION_SCOPE", "https://management.azure.com/.default")
    said = run("status", "--url", service.url)
    assert said.status == Exit.REFUSED
    assert "(401)" in said.err
    assert "ROTATION_SCOPE" in said.err


def test_without_a_sign_in_it_says_az_login(
    run: Run, service: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROTATION_SCOPE", "api://unknown/.default")
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "AzureCliCredential")
    monkeypatch.setenv("PATH", "/nowhere")
    said = run("status", "--url", service.url)
    assert said.status == Exit.REFUSED
    assert "az login" in said.err
