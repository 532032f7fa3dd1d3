"""Commands with --direct: the service is down or was never deployed."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator.azure import SUBSCRIPTION, Azure
from emulator.core.faults import Fault
from emulator.core.roles import Role
from emulator.services.arm.vault_responses import policy_assignment
from rotation.cli.exit_status import ExitStatus

from .conftest import Result, Run

SECRET, ACCOUNT = "kv-demo/aoai-demo-key", "aoai-demo"
MAXIMUM_VALIDITY = "342e8053-e12e-4c44-be01-c3c2f318400f"
CONTENT_TYPE = "75262d3e-ba4a-4f43-85f8-9f72c090e5e3"
LEAK = ("emergency", SECRET, "--leaked", "key1", "--reason", "pasted into a chat", "--direct")


class TestStatus:
    def test_shows_every_secret_and_warns_that_no_sweep_runs(self, run: Run) -> None:
        result = run("status", "--direct")
        assert result.status == ExitStatus.ATTENTION
        assert "kv-demo/aoai-demo-key" in result.out
        assert "no sweep has run yet" in result.err

    def test_a_vault_without_secrets_is_named(self, run: Run) -> None:
        result = run("status", "--direct", "--vault", "kv-typo", "--vault", "kv-demo")
        assert "! no secret in the vault 'kv-typo' is enrolled" in result.err
        assert "kv-demo'" not in result.err

    def test_an_unreadable_vault_needs_attention(self, run: Run, azure: Azure) -> None:
        azure.vault("kv-demo").open = False
        result = run("status", "--direct", "--json")
        assert result.status == ExitStatus.ATTENTION
        assert "403" in str(result.json["worries"])


class TestJournal:
    def test_a_private_journal_is_refused_and_the_setting_is_named(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("ROTATION_JOURNAL")
        result = run(*LEAK, "--yes")
        assert result.status == ExitStatus.USAGE
        assert "AzureWebJobsStorage__accountName" in result.err
        assert "Storage Blob Data Contributor" in result.err

    def test_unless_it_is_a_trial(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("ROTATION_JOURNAL")
        monkeypatch.chdir(tmp_path)
        assert run("--local-journal", *LEAK, "--yes").status == ExitStatus.OK
        assert (tmp_path / ".state").is_dir()


class TestIdentify:
    def test_reads_the_key_from_standard_input_and_names_the_command(
        self, run: Run, azure: Azure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = azure.account(ACCOUNT)
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{found.keys['Key2']}\n"))
        result = run("identify", "--direct")
        assert result.status == ExitStatus.OK
        assert f"keyrotation emergency {found.id} --leaked key2" in result.out

    @pytest.mark.parametrize("given", ["", "x" * 32])
    def test_an_unknown_or_missing_key_has_its_own_exit_status(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, given: str
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(given))
        expected = ExitStatus.ATTENTION if given else ExitStatus.USAGE
        assert run("identify", "--direct").status == expected


class TestDoctorOfManyAccounts:
    def test_every_account_is_checked_once_in_parts(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("rotation.ops.doctor.doctor.PART_SECONDS", 0)
        monkeypatch.setattr("rotation.ops.doctor.doctor.CONCURRENCY", 1)
        found = run("doctor", "--direct", "--json").json
        checked = [one["subject"] for one in found["findings"] if one["check"] == "account"]
        assert [name.rpartition("/")[2] for name in checked] == ["aoai-demo", "speech-demo"]
        assert [one["check"] for one in found["findings"]].count("identity") == 1
        assert found["checked"] == found["total"] == 2


class TestDrill:
    COMMAND = ("drill", SECRET, "--reason", "the yearly rehearsal", "--direct")

    @staticmethod
    def tell_slot(azure: Azure) -> None:
        current = azure.secret("kv-demo", "aoai-demo-key").current
        current.tags = {**(current.tags or {}), "CredentialId": "Key1"}

    def test_a_secret_that_was_never_read_is_not_guessed_about(self, run: Run) -> None:
        result = run(*self.COMMAND, "--yes")
        assert result.status == ExitStatus.REFUSED
        assert "has not read yet which key" in result.err

    def test_an_account_that_is_not_marked_is_refused_and_nothing_changes(
        self, run: Run, azure: Azure
    ) -> None:
        self.tell_slot(azure)
        before = dict(azure.account(ACCOUNT).keys)
        for more in ("--dry-run", "--yes"):
            result = run(*self.COMMAND, more)
            assert result.status == ExitStatus.REFUSED
            assert "ROTATION_DRILL_ACCOUNTS" in result.err
        assert azure.account(ACCOUNT).keys == before

    def test_the_time_until_the_old_key_is_refused_is_measured(
        self, run: Run, azure: Azure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.tell_slot(azure)
        account = azure.account(ACCOUNT)
        monkeypatch.setenv("ROTATION_DRILL_ACCOUNTS", account.id)
        leaked = account.keys["Key1"]
        assert run(*self.COMMAND, "--dry-run").status == ExitStatus.OK
        assert run(*self.COMMAND).status == ExitStatus.REFUSED, "it asks first"
        assert leaked in account.keys.values()
        result = run(*self.COMMAND, "--yes")
        assert result.status == ExitStatus.OK, result.err
        assert leaked not in account.keys.values()
        assert "drill: the yearly rehearsal" in run("history", SECRET, "--direct").out
        assert re.search(r"The old key was refused [0-9.]+ s after the request", result.out)


class TestWhy:
    def test_shows_what_the_next_step_waits_for_and_until_when(self, run: Run) -> None:
        result = run("why", SECRET, "--direct")
        assert result.status == ExitStatus.OK
        assert "until" in result.out

    def test_accepts_the_secrets_url(self, run: Run) -> None:
        url = "https://kv-demo.vault.azure.net/secrets/aoai-demo-key"
        assert run("why", url, "--direct", "--json").json["secret"]["secret"] == "aoai-demo-key"

    def test_an_unknown_secret_is_refused_with_a_remedy(self, run: Run) -> None:
        result = run("why", "kv-demo/nothing", "--direct")
        assert result.status == ExitStatus.REFUSED
        assert "→" in result.err


def test_plan_shows_what_the_next_sweep_would_do(run: Run) -> None:
    result = run("plan", "--direct", "--json")
    assert result.status == ExitStatus.OK
    assert result.json["accounts"] == 2
    assert len(result.json["would"]) == 2


class TestRotate:
    def test_publishes_the_other_key_and_leaves_the_old_one_valid(
        self, run: Run, azure: Azure
    ) -> None:
        before = azure.account(ACCOUNT).keys["Key1"]
        result = run("rotate", SECRET, "--reason", "a new colleague", "--direct")
        assert result.status == ExitStatus.OK, result.err
        assert azure.secret("kv-demo", "aoai-demo-key").current.value != before
        assert azure.account(ACCOUNT).keys["Key1"] == before
        assert "Waiting until" in result.out

    def test_an_idempotency_key_is_never_shown_or_stored(
        self, run: Run, azure: Azure, tmp_path: Path
    ) -> None:
        key = "clients-own-Key.51b0"
        rotate = ("rotate", SECRET, "--reason", "x", "--idempotency-key", key, "--direct", "--json")
        for command in (
            rotate,
            rotate,
            ("history", SECRET, "--direct", "--json"),
            ("status", "--direct"),
        ):
            result = run(*command)
            assert key not in result.out + result.err
        documents = [path.read_text() for path in (tmp_path / "journal").rglob("*.json")]
        assert documents
        assert not [text for text in documents if key in text]

    def test_a_dry_run_changes_nothing(self, run: Run, azure: Azure) -> None:
        before = dict(azure.account(ACCOUNT).keys)
        result = run("rotate", SECRET, "--reason", "only looking", "--dry-run", "--direct")
        assert result.status == ExitStatus.OK
        assert "regenerate" in result.out
        assert azure.account(ACCOUNT).keys == before

    def test_rotating_everything_requires_confirmation(self, run: Run, azure: Azure) -> None:
        result = run("rotate", "--all", "--reason", "audit", "--direct")
        assert result.status == ExitStatus.REFUSED
        assert "--yes" in result.err

    def test_a_whole_vault_is_followed_until_the_overlap(self, run: Run, azure: Azure) -> None:
        result = run("rotate", "--vault", "kv-demo", "--reason", "audit", "--yes", "--direct")
        assert result.status == ExitStatus.OK, result.err
        assert "Accepted for 2 of 2 accounts." in result.out


class TestEmergency:
    def test_revokes_the_leaked_key_and_says_so(self, run: Run, azure: Azure) -> None:
        leaked = azure.account(ACCOUNT).keys["Key1"]
        result = run(*LEAK, "--yes")
        assert result.status == ExitStatus.OK, result.err
        assert "Done: the old key is refused" in result.out
        assert leaked not in azure.account(ACCOUNT).keys.values()
        assert azure.secret("kv-demo", "aoai-demo-key").current.value in (
            azure.account(ACCOUNT).keys.values()
        )

    def test_requires_confirmation_without_a_terminal(self, run: Run, azure: Azure) -> None:
        before = dict(azure.account(ACCOUNT).keys)
        result = run(*LEAK)
        assert result.status == ExitStatus.REFUSED
        assert "--dry-run" in result.err
        assert azure.account(ACCOUNT).keys == before

    def test_a_repeat_with_the_same_idempotency_key_returns_the_same_rotation(
        self, run: Run
    ) -> None:
        options = ("--yes", "--json", "--no-wait", "--idempotency-key", "incident-7")
        assert run(*LEAK, *options).json["id"] == run(*LEAK, *options).json["id"]

    def test_history_shows_who_requested_it_and_why(self, run: Run) -> None:
        run(*LEAK, "--yes")
        result = run("history", SECRET, "--direct")
        assert result.status == ExitStatus.OK
        assert "pasted into a chat" in result.out
        assert "(direct)" in result.out
        assert len(run("history", SECRET, "--direct", "--json").json["versions"]) > 1


class TestDoctor:
    def test_a_check_without_permission_is_unknown_and_not_a_failure(self, run: Run) -> None:
        result = run("doctor", "--direct")
        assert result.status == ExitStatus.OK
        assert "unknown" in result.out
        assert "To check this, grant Reader on the vault" in result.out

    def test_a_missing_event_subscription_comes_with_its_command(
        self, run: Run, azure: Azure
    ) -> None:
        _may_read_events(azure)
        result = run("doctor", "--direct")
        assert result.status == ExitStatus.ATTENTION
        assert "az eventgrid event-subscription create" in result.out

    def test_a_policy_that_would_refuse_a_new_version_is_reported(
        self, run: Run, azure: Azure
    ) -> None:
        _may_read_events(azure)
        limits = {"maximumValidityInDays": 60, "effect": "Deny"}
        azure.vault("kv-demo").assignments.append(policy_assignment(MAXIMUM_VALIDITY, limits))
        result = run("doctor", "--direct", "--json")
        wrong = [f for f in result.json["findings"] if f["state"] in ("failed", "warning")]
        assert any("ValidityPeriodDays to at most 60" in f["fix"] for f in wrong)

    def test_an_initiative_that_would_refuse_a_new_version_is_reported(
        self, run: Run, azure: Azure
    ) -> None:
        _may_read_events(azure)
        initiative = "/providers/Microsoft.Authorization/policySetDefinitions/guardrails"
        content_type = "/providers/Microsoft.Authorization/policyDefinitions/" + CONTENT_TYPE
        effect = {"effect": {"value": "[parameters('effect')]"}}
        azure.arm.definitions[initiative.lower()] = {
            "parameters": {"effect": {"defaultValue": "Deny"}},
            "policyDefinitions": [{"policyDefinitionId": content_type, "parameters": effect}],
        }
        assigned = policy_assignment(CONTENT_TYPE, {})
        assigned["properties"]["policyDefinitionId"] = initiative
        azure.vault("kv-demo").assignments.append(assigned)
        found = _checks(run)["policy"]
        assert found["state"] == "failed"
        assert "content type" in found["fix"]

    def test_a_policy_that_cannot_be_read_is_unknown(self, run: Run, azure: Azure) -> None:
        vaults = Role("Vault reader", actions=("Microsoft.KeyVault/vaults/read",))
        azure.identity.principals[0].assign(vaults, "/")
        found = _checks(run)
        assert found["policy"]["state"] == "unknown"
        assert "Reader" in found["policy"]["fix"]

    def test_shows_the_probe_of_each_account_and_that_it_proves_a_key(self, run: Run) -> None:
        found = run("doctor", "--direct", "--json").json["findings"]
        details = {
            f["subject"].rpartition("/")[2]: f["detail"] for f in found if f["check"] == "proof"
        }
        assert details == {
            "aoai-demo": "probe openai-models proves a key",
            "speech-demo": "probe token proves a key",
        }

    def test_reads_the_keys_of_each_account_once(self, run: Run, azure: Azure) -> None:
        """ARM counts it as a write, of which it allows few."""
        run("doctor", "--direct")
        assert sum(call.operation == "arm.list_keys" for call in azure.calls) == 2

    def test_shows_that_a_setting_chose_the_probe(
        self, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ROTATION_PROBE_OVERRIDES", "OpenAI=general")
        found = run("doctor", "--direct", "--json").json["findings"]
        details = [f["detail"] for f in found if f["check"] == "proof"]
        assert "probe general (ROTATION_PROBE_OVERRIDES) proves a key" in details

    @pytest.mark.parametrize("status", [200, 403, 404, 429])
    def test_warns_of_an_account_whose_keys_cannot_be_proven(
        self, run: Run, azure: Azure, status: int
    ) -> None:
        fault = Fault("answer", "inference.*", status=status, body={"error": {}}, times=99)
        azure.faults.add(fault)
        result = run("doctor", "--direct", "--json")
        proofs = [f for f in result.json["findings"] if f["check"] == "proof"]
        assert [f["state"] for f in proofs] == ["warning", "warning"]
        assert all("proves nothing" in f["detail"] for f in proofs)
        assert all("ROTATION_PROBE_OVERRIDES" in f["fix"] for f in proofs)

    def test_shows_the_cloud(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        assert _checks(run)["cloud"]["detail"].startswith("public: ")
        monkeypatch.setenv("ROTATION_CLOUD", "china")
        found = _checks(run)["cloud"]
        assert found["state"] == "failed"
        assert "AzureChinaCloud" in found["fix"]

    def test_a_subscription_to_the_event_is_ok(self, run: Run, azure: Azure) -> None:
        _may_read_events(azure)
        azure.subscribe("kv-demo", "https://app.example/events", types=("SecretNearExpiry",))
        found = _checks(run)
        assert found["events"]["state"] == "ok"

    def test_a_subscription_to_other_events_is_a_warning(self, run: Run, azure: Azure) -> None:
        _may_read_events(azure)
        azure.subscribe("kv-demo", "https://app.example/events", types=("SecretExpired",))
        assert _checks(run)["events"]["state"] == "warning"

    def test_a_missing_permission_is_a_failure_with_its_remedy(
        self, run: Run, azure: Azure
    ) -> None:
        principal = azure.identity.principals[0]
        principal.assignments[:] = [
            (scope, role) for scope, role in principal.assignments if role.name != "Key rotator"
        ]
        principal.assign("Reader", azure.account(ACCOUNT).id)
        result = run("doctor", "--direct", "--json")
        assert result.status == ExitStatus.FAILING
        wrong = [f for f in result.json["findings"] if f["state"] == "failed"]
        assert any("regenerateKey/action" in f["detail"] for f in wrong)
        fix = next(f["fix"] for f in wrong if "az role assignment create" in f["fix"])
        assert principal.object_id in fix
        assert f'"Key rotator ({SUBSCRIPTION})"' in fix, "as infra/ names it"


def _may_read_events(azure: Azure) -> None:
    azure.identity.principals[0].assign("Reader", "/")


def _checks(run: Run) -> dict[str, dict[str, str]]:
    return {f["check"]: f for f in run("doctor", "--direct", "--json").json["findings"]}


def test_pause_sets_the_tag_and_off_removes_it(run: Run, azure: Azure) -> None:
    assert run("pause", SECRET, "--reason", "holidays", "--direct").status == ExitStatus.OK
    assert _tags(azure)["RotationPaused"] == "true"
    run("pause", SECRET, "--off", "--reason", "back", "--direct")
    assert "RotationPaused" not in _tags(azure)


def test_only_a_secret_without_a_binding_is_released(run: Run) -> None:
    result = run("release", SECRET, "--reason", "moved", "--yes", "--direct")
    assert result.status == ExitStatus.REFUSED
    assert "remove its entry from ROTATION_BINDINGS" in result.err


def _tags(azure: Azure) -> dict[str, str]:
    return azure.secret("kv-demo", "aoai-demo-key").current.tags or {}


class TestABlockedRotation:
    @pytest.fixture
    def blocked(self, run: Run, azure: Azure, monkeypatch: pytest.MonkeyPatch) -> str:
        """A rotation whose new key is never accepted."""
        monkeypatch.setenv("ROTATION_PATIENCE", "PT1S")
        monkeypatch.setenv("ROTATION_PROBE_SUCCESSES", "1")
        azure.account(ACCOUNT).new_key_delay = timedelta(hours=1)
        result = run("rotate", SECRET, "--reason", "trial", "--direct")
        assert result.status == ExitStatus.FAILING
        assert "Blocked:" in result.err
        found = re.search(r"resume (\S+)", result.out)
        assert found
        return found[1]

    def test_is_failing_until_it_is_abandoned(self, run: Run, azure: Azure, blocked: str) -> None:
        assert run("status", "--direct").status == ExitStatus.FAILING
        watched = run("watch", blocked, "--direct")
        assert watched.status == ExitStatus.FAILING
        assert "→" in watched.err
        keys = dict(azure.account(ACCOUNT).keys)
        preview = run("abandon", blocked, "--reason", "x", "--dry-run", "--json", "--direct")
        assert "both keys" in preview.json["will"]
        unconfirmed = run("abandon", blocked, "--reason", "wrong account", "--direct")
        assert unconfirmed.status == ExitStatus.REFUSED
        assert "both keys are left unchanged" in unconfirmed.out
        result = run("abandon", blocked, "--reason", "wrong account", "--yes", "--direct")
        assert result.status == ExitStatus.OK, result.err
        assert azure.account(ACCOUNT).keys == keys

    def test_continues_when_it_is_resumed(self, run: Run, azure: Azure, blocked: str) -> None:
        for life in azure.accounts.lives.values():
            life.works_from = life.account.created
        result = run("resume", blocked, "--reason", "the network is back", "--yes", "--direct")
        assert result.status == ExitStatus.OK, result.err


def test_a_request_that_has_not_started_can_be_cancelled(run: Run) -> None:
    name = run(*LEAK, "--yes", "--json", "--no-wait").json["id"]
    result = run("cancel", name, "--reason", "false alarm", "--direct")
    assert result.status == ExitStatus.OK, result.err
    assert result.out == f"{name}: cancelled\n"


class TestHold:
    def placed(self, run: Run, *more: str) -> Result:
        until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
        return run("hold", "--until", until, "--reason", "release freeze", "--direct", *more)

    def test_every_view_shows_it_and_scheduled_work_waits(self, run: Run) -> None:
        assert self.placed(run).status == ExitStatus.OK
        words = "all scheduled work is held until"
        assert words in run("status", "--direct").err
        rotate = ("rotate", SECRET, "--reason", "audit", "--direct")
        assert words in run(*rotate, "--dry-run").out
        run(*rotate, "--no-wait")
        assert words in run("why", SECRET, "--direct").out
        assert words in run("plan", "--direct").out
        assert "release freeze" in run("hold", "--direct").out

    def test_it_is_over_when_it_is_ended(
        self, run: Run, azure: Azure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("rotation.cli.progress.PICK_UP_TIME", timedelta(seconds=5))
        self.placed(run)
        before = dict(azure.account(ACCOUNT).keys)
        rotate = ("rotate", SECRET, "--reason", "audit", "--direct")
        assert run(*rotate).status == ExitStatus.OK
        assert azure.account(ACCOUNT).keys == before
        assert "not held" in run("hold", "--off", "--direct").out
        assert run("hold", "--json", "--direct").json == {"held": False}
        assert "all scheduled work" not in run("why", SECRET, "--direct").out

    def test_an_emergency_goes_on(self, run: Run, azure: Azure) -> None:
        self.placed(run)
        leaked = azure.account(ACCOUNT).keys["Key1"]
        assert run(*LEAK, "--yes").status == ExitStatus.OK
        assert leaked not in azure.account(ACCOUNT).keys.values()

    def test_a_document_that_cannot_be_read_holds_nothing_and_is_reported(
        self, run: Run, tmp_path: Path
    ) -> None:
        self.placed(run)
        (document,) = (tmp_path / "journal").glob("hold*")
        document.write_text("garbage")
        found = run("hold", "--direct")
        assert found.status == ExitStatus.ATTENTION
        assert "cannot be read" in found.err
        assert "cannot be read" in run("status", "--direct").err
        assert "all scheduled work" not in run("plan", "--direct").out
        assert self.placed(run).status == ExitStatus.OK, "a new one replaces it"

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--until", "2020-01-01", "--reason", "r"),
            ("--until", "2120-01-01", "--reason", "r"),
            ("--until", "soon", "--reason", "r"),
            ("--until", "2026-12-04"),
            ("--until", "2026-12-04", "--off"),
        ],
    )
    def test_a_wrong_time_or_a_missing_reason_is_a_usage_error(
        self, run: Run, arguments: tuple[str, ...]
    ) -> None:
        assert run("hold", *arguments, "--direct").status == ExitStatus.USAGE

    def test_a_preview_changes_nothing(self, run: Run) -> None:
        assert "would be held" in self.placed(run, "--dry-run").out
        assert run("hold", "--json", "--direct").json == {"held": False}


class TestAudit:
    def exported(self, run: Run, *options: str) -> list[dict[str, Any]]:
        found = run("audit", "export", "--direct", *options)
        assert found.status == ExitStatus.OK
        return [json.loads(line) for line in found.out.splitlines()]

    def test_has_who_why_when_versions_and_fingerprints(self, run: Run, azure: Azure) -> None:
        assert self.exported(run) == []
        run(*LEAK, "--yes")
        (record,) = self.exported(run)
        rotation = record["rotation"]
        assert (rotation["reason"], rotation["purpose"]) == ("pasted into a chat", "emergency")
        assert rotation["requester"].endswith("(direct)")
        assert rotation["endedAt"] > rotation["startedAt"]
        (version,) = record["versions"]
        assert version["version"] == azure.secret("kv-demo", "aoai-demo-key").current.id
        assert version["secret"].endswith("/aoai-demo-key")
        assert record["newFingerprint"] != record["oldFingerprint"]
        assert record["leaked"]

    def test_selects_by_time_and_account_and_pages(
        self, run: Run, azure: Azure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run(*LEAK, "--yes")
        other = ("emergency", "kv-demo/speech-demo-key", "--reason", "in a log", "--direct")
        run(*other, "--yes")
        monkeypatch.setattr("rotation.service.audit.PAGE", 1)
        first, second = self.exported(run)
        assert first["rotation"]["endedAt"] <= second["rotation"]["endedAt"]
        since = second["rotation"]["endedAt"]
        assert self.exported(run, "--since", since) == [second]
        assert self.exported(run, "--account", azure.account(ACCOUNT).id) == [first]
        assert run("audit", "export", "--since", "soon", "--direct").status == ExitStatus.USAGE

    def test_names_what_it_could_not_read(self, run: Run, tmp_path: Path) -> None:
        run(*LEAK, "--yes")
        (tmp_path / "journal" / "0123456789abcdef.json").write_text("garbage")
        found = run("audit", "export", "--direct")
        assert found.status == ExitStatus.ATTENTION
        assert "0123456789abcdef" in found.err
