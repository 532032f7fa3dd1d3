"""With an operator's own hands: the service is down, or was never deployed."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from emulator.azure import SUBSCRIPTION, Azure
from emulator.services.arm.resources import policy
from rotation.cli.exit_status import Exit

from .conftest import Run

SECRET, ACCOUNT = "kv-demo/aoai-demo-key", "aoai-demo"
MAXIMUM_VALIDITY = "342e8053-e12e-4c44-be01-c3c2f318400f"
LEAK = ("emergency", SECRET, "--leaked", "key1", "--reason", "pasted into a chat", "--direct")


class TestStatus:
    def test_shows_every_secret_and_that_nothing_sweeps(self, run: Run) -> None:
        said = run("status", "--direct")
        assert said.status == Exit.ATTENTION
        assert "kv-demo/aoai-demo-key" in said.out
        assert "no sweep has run yet" in said.out

    def test_a_vault_that_cannot_be_read_is_attention(self, run: Run, azure: Azure) -> None:
        azure.vault("kv-demo").open = False
        said = run("status", "--direct", "--json")
        assert said.status == Exit.ATTENTION
        assert "403" in str(said.json["worries"])


class TestWhy:
    def test_says_what_it_waits_for_and_until_when(self, run: Run) -> None:
        said = run("why", SECRET, "--direct")
        assert said.status == Exit.OK
        assert "until" in said.out

    def test_takes_the_secrets_url_too(self, run: Run) -> None:
        url = "https://kv-demo.vault.azure.net/secrets/aoai-demo-key"
        assert run("why", url, "--direct", "--json").json["secret"]["secret"] == "aoai-demo-key"

    def test_of_an_unknown_secret_says_what_to_do(self, run: Run) -> None:
        said = run("why", "kv-demo/nothing", "--direct")
        assert said.status == Exit.REFUSED
        assert "→" in said.err


def test_plan_says_what_the_next_sweep_would_do(run: Run) -> None:
    said = run("plan", "--direct", "--json")
    assert said.status == Exit.OK
    assert said.json["accounts"] == 2
    assert len(said.json["would"]) == 2


class TestRotate:
    def test_publishes_the_other_key_and_leaves_the_old_one_valid(
        self, run: Run, azure: Azure
    ) -> None:
        before = azure.account(ACCOUNT).keys["Key1"]
        said = run("rotate", SECRET, "--reason", "a new colleague", "--direct")
        assert said.status == Exit.OK, said.err
        assert azure.secret("kv-demo", "aoai-demo-key").current.value != before
        assert azure.account(ACCOUNT).keys["Key1"] == before
        assert "It waits until" in said.out

    def test_a_dry_run_changes_nothing(self, run: Run, azure: Azure) -> None:
        before = dict(azure.account(ACCOUNT).keys)
        said = run("rotate", SECRET, "--reason", "only looking", "--dry-run", "--direct")
        assert said.status == Exit.OK
        assert "regenerate" in said.out
        assert azure.account(ACCOUNT).keys == before

    def test_everything_wants_consent(self, run: Run, azure: Azure) -> None:
        said = run("rotate", "--all", "--reason", "audit", "--direct")
        assert said.status == Exit.REFUSED
        assert "--yes" in said.err

    def test_a_whole_vault_is_followed_to_its_overlaps(self, run: Run, azure: Azure) -> None:
        said = run("rotate", "--vault", "kv-demo", "--reason", "audit", "--yes", "--direct")
        assert said.status == Exit.OK, said.err
        assert "Accepted for 2 of 2 accounts." in said.out


class TestEmergency:
    def test_kills_the_leaked_key_and_says_so(self, run: Run, azure: Azure) -> None:
        leaked = azure.account(ACCOUNT).keys["Key1"]
        said = run(*LEAK, "--yes")
        assert said.status == Exit.OK, said.err
        assert "Done: the old key is refused" in said.out
        assert leaked not in azure.account(ACCOUNT).keys.values()
        assert azure.secret("kv-demo", "aoai-demo-key").current.value in (
            azure.account(ACCOUNT).keys.values()
        )

    def test_wants_consent_where_nobody_is_at_the_terminal(self, run: Run, azure: Azure) -> None:
        before = dict(azure.account(ACCOUNT).keys)
        said = run(*LEAK)
        assert said.status == Exit.REFUSED
        assert "--dry-run" in said.err
        assert azure.account(ACCOUNT).keys == before

    def test_a_repeat_with_the_same_key_is_the_same_rotation(self, run: Run) -> None:
        options = ("--yes", "--json", "--no-wait", "--idempotency-key", "incident-7")
        assert run(*LEAK, *options).json["id"] == run(*LEAK, *options).json["id"]

    def test_history_tells_who_asked_and_why(self, run: Run) -> None:
        run(*LEAK, "--yes")
        said = run("history", SECRET, "--direct")
        assert said.status == Exit.OK
        assert "pasted into a chat" in said.out
        assert "(direct)" in said.out
        assert len(run("history", SECRET, "--direct", "--json").json["versions"]) > 1


class TestDoctor:
    def test_what_may_not_be_looked_at_is_unknown_and_no_failure(self, run: Run) -> None:
        said = run("doctor", "--direct")
        assert said.status == Exit.OK
        assert "unknown" in said.out
        assert "→ to check it, grant Reader on the vault" in said.out

    def test_names_the_missing_event_subscription_and_the_command(
        self, run: Run, azure: Azure
    ) -> None:
        _may_read_events(azure)
        said = run("doctor", "--direct")
        assert said.status == Exit.ATTENTION
        assert "az eventgrid event-subscription create" in said.out

    def test_a_policy_that_would_refuse_the_expiry_is_named(self, run: Run, azure: Azure) -> None:
        _may_read_events(azure)
        limits = {"maximumValidityInDays": 60, "effect": "Deny"}
        azure.vault("kv-demo").assignments.append(policy(MAXIMUM_VALIDITY, limits))
        said = run("doctor", "--direct", "--json")
        wrong = [f for f in said.json["findings"] if f["state"] in ("failed", "warning")]
        assert any("60 days" in f["detail"] for f in wrong)

    def test_is_content_with_a_subscription(self, run: Run, azure: Azure) -> None:
        _may_read_events(azure)
        azure.subscribe("kv-demo", "https://app.example/events", types=("SecretNearExpiry",))
        found = _checks(run)
        assert found["events"]["state"] == "ok"

    def test_a_subscription_to_other_events_is_a_warning(self, run: Run, azure: Azure) -> None:
        _may_read_events(azure)
        azure.subscribe("kv-demo", "https://app.example/events", types=("SecretExpired",))
        assert _checks(run)["events"]["state"] == "warning"

    def test_a_right_that_is_missing_is_a_failure_with_its_remedy(
        self, run: Run, azure: Azure
    ) -> None:
        principal = azure.identity.principals[0]
        principal.assignments[:] = [
            (scope, role) for scope, role in principal.assignments if role.name != "Key rotator"
        ]
        principal.assign("Reader", azure.account(ACCOUNT).id)
        said = run("doctor", "--direct", "--json")
        assert said.status == Exit.FAILING
        wrong = [f for f in said.json["findings"] if f["state"] == "failed"]
        assert any("regenerateKey/action" in f["detail"] for f in wrong)
        fix = next(f["fix"] for f in wrong if "az role assignment create" in f["fix"])
        assert principal.object_id in fix
        assert f'"Key rotator ({SUBSCRIPTION})"' in fix, "as infra/ names it"


def _may_read_events(azure: Azure) -> None:
    azure.identity.principals[0].assign("Reader", "/")


def _checks(run: Run) -> dict[str, dict[str, str]]:
    return {f["check"]: f for f in run("doctor", "--direct", "--json").json["findings"]}


def test_pause_holds_and_releases(run: Run, azure: Azure) -> None:
    assert run("pause", SECRET, "--reason", "holidays", "--direct").status == Exit.OK
    assert _tags(azure)["RotationPaused"] == "true"
    run("pause", SECRET, "--off", "--reason", "back", "--direct")
    assert "RotationPaused" not in _tags(azure)


def _tags(azure: Azure) -> dict[str, str]:
    return azure.secret("kv-demo", "aoai-demo-key").current.tags or {}


class TestABlockedRotation:
    @pytest.fixture
    def blocked(self, run: Run, azure: Azure, monkeypatch: pytest.MonkeyPatch) -> str:
        """Its new key is never accepted."""
        monkeypatch.setenv("ROTATION_PATIENCE", "PT1S")
        monkeypatch.setenv("ROTATION_PROBE_SUCCESSES", "1")
        azure.account(ACCOUNT).new_key_delay = timedelta(hours=1)
        said = run("rotate", SECRET, "--reason", "trial", "--direct")
        assert said.status == Exit.FAILING
        assert "It stopped" in said.err
        found = re.search(r"resume (\S+)", said.out)
        assert found
        return found[1]

    def test_is_failing_until_somebody_abandons_it(
        self, run: Run, azure: Azure, blocked: str
    ) -> None:
        assert run("status", "--direct").status == Exit.FAILING
        watched = run("watch", blocked, "--direct")
        assert watched.status == Exit.FAILING
        assert "→" in watched.err
        keys = dict(azure.account(ACCOUNT).keys)
        unsaid = run("abandon", blocked, "--reason", "wrong account", "--direct")
        assert unsaid.status == Exit.REFUSED
        assert "both keys stay as they are" in unsaid.out
        said = run("abandon", blocked, "--reason", "wrong account", "--yes", "--direct")
        assert said.status == Exit.OK, said.err
        assert azure.account(ACCOUNT).keys == keys

    def test_goes_on_when_it_is_resumed(self, run: Run, azure: Azure, blocked: str) -> None:
        for life in azure.accounts.lives.values():
            life.works_from = life.account.created
        said = run("resume", blocked, "--reason", "the network is back", "--yes", "--direct")
        assert said.status == Exit.OK, said.err


def test_a_request_that_nobody_took_up_can_be_cancelled(run: Run) -> None:
    name = run(*LEAK, "--yes", "--json", "--no-wait").json["id"]
    said = run("cancel", name, "--reason", "false alarm", "--direct")
    assert said.status == Exit.OK, said.err
    assert said.out == f"{name}: cancelled\n"
