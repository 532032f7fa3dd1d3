"""Commands against the running function app, which works with its own identity."""

from __future__ import annotations

import json
import re

import pytest

from rotation.cli.exit_status import ExitStatus
from tests.end_to_end.browser.site import Site

from .conftest import Run

SECRET = "kv-demo/speech-demo-key"
OTHER = "kv-demo/aoai-demo-key"


def test_status_why_and_plan_show_what_the_api_returns(ask: Run) -> None:
    result = ask("status")
    assert result.status == ExitStatus.OK, result.out
    assert result.out.startswith("SECRET\tSTATE")
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


def test_status_selects_by_state_vault_and_need(ask: Run) -> None:
    def names(*options: str) -> set[str]:
        return {row["secret"] for row in ask("status", "--json", *options).json["secrets"]}

    assert len(names()) == 2
    assert names("--vault", "kv-demo", "--state", "healthy", "--state", "overlap") == names()
    assert (
        names("--vault", "elsewhere") == names("--state", "failing") == names("--problems") == set()
    )
    assert ask("status", "--state", "surprise").status == ExitStatus.USAGE


def test_in_a_pipe_status_has_every_column_separated_by_tabs(ask: Run) -> None:
    head, *rows = (line.split("\t") for line in ask("status").out.splitlines())
    assert head[:2] == ["SECRET", "STATE"]
    assert {len(row) for row in rows} == {len(head)}
    assert SECRET in {row[0] for row in rows}


def test_rotations_are_listed_and_selected(ask: Run) -> None:
    accepted = ask("rotate", SECRET, "--reason", "a colleague left", "--json", "--no-wait").json
    found = ask("rotations", "--json").json["rotations"]
    assert accepted["id"] in {one["id"] for one in found}
    assert accepted["id"] in ask("rotations").out
    assert ask("rotations", "--account", accepted["account"], "--state", "cancelled").out == (
        "No rotation matches.\n"
    )


def test_a_saved_url_needs_no_option(
    ask: Run, monkeypatch: pytest.MonkeyPatch, service: Site
) -> None:
    monkeypatch.delenv("ROTATION_URL")
    assert "keyrotation config set url" in ask("status").err
    empty = ask("config", "show")
    assert (empty.status, empty.out) == (ExitStatus.OK, "")
    assert "Nothing is saved." in empty.err
    assert "config set url" in empty.err
    assert ask("config", "set", "url", service.url).status == ExitStatus.OK
    assert ask("status", "--json").json["secrets"]
    assert service.url in ask("config", "show").out
    assert ask("config", "unset", "url").status == ExitStatus.OK
    assert ask("status").status == ExitStatus.USAGE


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


class TestRepeats:
    def test_a_request_that_is_under_way_names_the_command_that_follows_it(self, ask: Run) -> None:
        ask("rotate", OTHER, "--reason", "audit", "--no-wait")
        again = ask("rotate", OTHER, "--reason", "audit", "--no-wait")
        assert again.status == ExitStatus.REFUSED
        assert re.search("keyrotation watch [0-9a-f]{16}-", again.err)

    def test_a_repeated_request_is_named(self, ask: Run) -> None:
        leak = ("emergency", OTHER, "--reason", "audit", "--no-wait", "--idempotency-key", "a")
        assert "repeated" not in ask(*leak, "--yes", "--json").json
        again = ask(*leak, "--yes").out
        assert "Already requested; follow it with: keyrotation watch " in again

    def test_so_is_each_account_of_a_batch(self, ask: Run) -> None:
        batch = ("rotate", "--vault", "kv-demo", "--reason", "audit", "--yes", "--no-wait")
        said = [
            f"{name}: Already requested; follow it with: keyrotation watch "
            for name in ("aoai-demo", "speech-demo")
        ]
        ask(*batch)
        for _ in range(4):  # on a slow machine, an earlier rotation may end between two commands
            again = ask(*batch).out
            if all(text in again for text in said):
                return
        pytest.fail(again)


def test_watch_streams_a_document_a_line_and_the_last_is_final(ask: Run) -> None:
    leak = ("--leaked", "unknown", "--reason", "a drill", "--yes", "--json", "--no-wait")
    rotation = ask("emergency", SECRET, *leak).json["id"]
    states = [json.loads(line) for line in ask("watch", rotation, "--json").out.splitlines()]
    assert len(states) > 1
    assert [one["state"] == "ended" for one in states] == [False] * (len(states) - 1) + [True]
