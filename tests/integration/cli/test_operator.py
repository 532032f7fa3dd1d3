"""The discover and enrol commands, with the operator's own credentials and no service."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.keyvault.secrets import SecretClient

from emulator.azure import Azure
from emulator.sdk.transport import EmulatorTransport
from rotation.cli.exit_status import ExitStatus
from tests.unit.emulator.conftest import Credential

from .conftest import Run

VAULT = "kv-demo"


@pytest.fixture(autouse=True)
def estate(azure: Azure) -> None:
    """Add accounts that are not enrolled, without keys, or with two secrets."""
    azure.add_account("vision-new", "ComputerVision")
    azure.add_account("entra-only", disable_local_auth=True)
    azure.add_account("lang", "TextAnalytics")
    azure.add_secret(VAULT, "lang-key", publishes=("lang", "Key2"), tags={"team": "nlp"})
    tags = {"ProviderAddress": azure.account("speech-demo").id, "ValidityPeriodDays": "90"}
    azure.add_secret(VAULT, "speech-too", value="0" * 32, tags=tags)
    azure.identity.principals[0].assign("Key rotator", "/")


class TestDiscover:
    def test_lists_the_management_state_of_every_account(self, run: Run) -> None:
        assert {name: found["standing"] for name, found in _accounts(run).items()} == {
            "aoai-demo": "sample",
            "entra-only": "key-less",
            "lang": "unmanaged",
            "speech-demo": "sample",
            "vision-new": "unmanaged",
        }

    def test_the_coverage_can_be_exported_as_csv(self, run: Run, azure: Azure) -> None:
        rows = list(csv.DictReader(io.StringIO(run("discover", "--csv").out)))
        states = {(row["account"].rpartition("/")[2], row["state"]) for row in rows}
        assert ("vision-new", "unmanaged") in states
        shared = [row["secret"] for row in rows if row["account"].endswith("/aoai-demo")]
        assert "aoai-demo-key" in shared
        assert run("discover", "--csv", "--json").status == ExitStatus.USAGE

    def test_lists_shared_accounts_and_secrets_that_hold_neither_key(self, run: Run) -> None:
        result = run("discover")
        assert result.status == ExitStatus.ATTENTION
        assert "2 secrets share it" in result.out
        assert "speech-too holds neither key" in result.out
        assert "kv-demo/lang-key" in result.out, "it is named like a key"

    def test_an_account_that_was_rotated_here_is_managed(self, run: Run) -> None:
        run("rotate", f"{VAULT}/aoai-demo-key", "--reason", "trial", "--direct")
        assert _accounts(run)["aoai-demo"]["standing"] == "managed"

    def test_a_deleted_account_is_listed_if_a_secret_names_it(self, run: Run, azure: Azure) -> None:
        address = azure.account("lang").id.replace("/lang", "/gone")
        tags = {"ProviderAddress": address, "ValidityPeriodDays": "90"}
        azure.add_secret(VAULT, "orphan", value="x", tags=tags)
        assert _accounts(run)["gone"]["standing"] == "unseen"

    def test_warns_of_vaults_that_are_not_configured(self, run: Run, azure: Azure) -> None:
        azure.add_vault("kv-other")
        azure.identity.principals[0].assign("Reader", "/")
        assert "kv-other.vault.azure.net is not in ROTATION_VAULTS" in run("discover").out

    def test_says_that_readers_are_unknown_without_audit_logs(self, run: Run) -> None:
        listed = run("discover", "--json").json["keyless"]
        found = {one["account"].rpartition("/")[2]: one for one in listed}
        assert sorted(found) == ["aoai-demo", "speech-demo"]
        assert found["aoai-demo"]["readers"] is None
        assert "aoai-demo: its readers are not known" in run("discover").out

    def test_names_the_readers_of_a_key_with_the_role_that_each_needs(
        self, run: Run, azure: Azure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        operator, app = azure.identity.principals[0], azure.add_principal("app")
        operator.assign("Log Analytics Data Reader", "/")
        app.assign("Key Vault Secrets User", azure.vault(VAULT).id)
        azure.logs.delay = timedelta(0)
        monkeypatch.setenv("ROTATION_LOGS_WORKSPACE", "workspace-1")
        monkeypatch.setenv("ROTATION_EVIDENCE_IGNORE", operator.object_id)
        with SecretClient(
            azure.vault(VAULT).url, Credential(azure, app), transport=EmulatorTransport(azure)
        ) as client:
            client.get_secret("aoai-demo-key")
        found = run("discover").out
        assert f"aoai-demo: in the last 30 days its key was read by {app.object_id}\n" in found
        assert (
            f'az role assignment create --role "Cognitive Services OpenAI User" '
            f"--assignee {app.object_id} --scope /subscriptions/" in found
        )
        assert "speech-demo: in the last 30 days its key was read by nobody" in found

    def test_reads_only_the_given_subscription(self, run: Run) -> None:
        other = "99999999-9999-9999-9999-999999999999"
        result = run("discover", "--subscription", other, "--json")
        assert result.status == ExitStatus.ATTENTION
        assert other in result.json["problems"][0]


def _accounts(run: Run) -> dict[str, Any]:
    found = run("discover", "--json").json["accounts"]
    return {one["account"].rpartition("/")[2]: one for one in found}


class TestEnrol:
    def test_creates_a_secret_with_the_key_in_use(self, run: Run, azure: Azure) -> None:
        result = run("enrol", "vision-new", "--in-use", "key2", "--yes")
        assert result.status == ExitStatus.OK, result.err
        version = azure.secret(VAULT, "vision-new-key").current
        assert version.value == azure.account("vision-new").keys["Key2"]
        tags = version.tags or {}
        assert tags["ProviderAddress"].lower() == azure.account("vision-new").id.lower()
        assert (tags["ValidityPeriodDays"], tags["CredentialId"]) == ("90", "Key2")
        assert version.exp is not None

    def test_an_enrolled_account_can_be_rotated(self, run: Run, azure: Azure) -> None:
        run("enrol", "vision-new", "--in-use", "key2", "--yes")
        result = run("rotate", f"{VAULT}/vision-new-key", "--reason", "first", "--direct")
        assert result.status == ExitStatus.OK, result.err
        new = azure.secret(VAULT, "vision-new-key").current.value
        assert new == azure.account("vision-new").keys["Key1"]

    def test_tags_a_secret_that_holds_a_key_and_keeps_its_tags(
        self, run: Run, azure: Azure
    ) -> None:
        before = azure.secret(VAULT, "lang-key").current.value
        result = run("enrol", "lang", "--secret", "lang-key", "--yes")
        assert result.status == ExitStatus.OK, result.err
        version = azure.secret(VAULT, "lang-key").current
        assert version.value == before
        assert (version.tags or {})["team"] == "nlp"
        assert (version.tags or {})["CredentialId"] == "Key2"

    def test_naming_a_secret_that_was_admitted_for_its_key_trusts_it(
        self, run: Run, azure: Azure
    ) -> None:
        run("rotate", f"{VAULT}/aoai-demo-key", "--reason", "trial", "--direct")
        arguments = ("enrol", "aoai-demo", "--secret", "aoai-demo-key", "--yes")
        result = run(*arguments)
        assert result.status == ExitStatus.OK, result.err
        assert "admit" in result.out
        assert "check who can read and write it" in result.out
        assert "already enrolled\n" in run(*arguments).out

    def test_warns_that_both_keys_are_managed_and_requires_confirmation(
        self, run: Run, azure: Azure
    ) -> None:
        result = run("enrol", "vision-new", "--in-use", "key1")
        assert result.status == ExitStatus.REFUSED
        assert "BOTH keys" in result.out
        assert "--yes" in result.err
        assert "vision-new-key" not in azure.vault(VAULT).secrets

    def test_warns_before_it_writes_a_secret_that_is_not_bound(
        self, run: Run, azure: Azure, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = azure.account("vision-new").id.replace("vision-new", "another")
        monkeypatch.setenv("ROTATION_BINDINGS", f"{VAULT}={other}")
        result = run("enrol", "vision-new", "--in-use", "key1", "--dry-run")
        assert "! " in result.out
        assert "ROTATION_BINDINGS" in result.out

    def test_the_bindings_of_the_service_count_and_a_difference_is_a_warning(
        self, run: Run, azure: Azure, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        subscription = azure.account("vision-new").id.partition("/resourceGroups")[0]
        stored = {"format": 1, "setting": f"{VAULT}={subscription}", "frozen": {}}
        (tmp_path / "journal").mkdir()
        (tmp_path / "journal" / "bindings.json").write_text(json.dumps(stored))
        monkeypatch.setenv("ROTATION_BINDINGS", f"{VAULT}={subscription}/resourceGroups/other")
        result = run("enrol", "vision-new", "--in-use", "key1", "--dry-run")
        assert "not that of the service" in result.out
        assert "not that of the service" in run("status", "--direct").err
        assert json.loads((tmp_path / "journal" / "bindings.json").read_text()) == stored

    def test_warns_before_it_enrols_an_account_whose_keys_cannot_be_proven(
        self, run: Run, azure: Azure
    ) -> None:
        azure.account("vision-new").public_network = False
        result = run("enrol", "vision-new", "--in-use", "key1", "--dry-run")
        assert "cannot be verified" in result.out
        assert "network access is denied" in result.out
        assert "ROTATION_PROBE_OVERRIDES" in result.out

    def test_does_not_warn_of_an_account_whose_keys_are_proven(self, run: Run) -> None:
        result = run("enrol", "vision-new", "--in-use", "key1", "--dry-run")
        assert "cannot be verified" not in result.out

    def test_a_dry_run_changes_nothing(self, run: Run, azure: Azure) -> None:
        result = run("enrol", "*", "--in-use", "key1", "--dry-run", "--json")
        will = {p["account"].rpartition("/")[2]: p["will"] for p in result.json["plans"]}
        assert will == {
            "aoai-demo": "nothing",
            "entra-only": "nothing",
            "lang": "refuse",
            "speech-demo": "nothing",
            "vision-new": "create",
        }
        assert "vision-new-key" not in azure.vault(VAULT).secrets

    def test_enrols_many_accounts_and_a_repeat_changes_nothing(
        self, run: Run, azure: Azure
    ) -> None:
        assert run("enrol", "*-new", "--in-use", "key1", "--yes").status == ExitStatus.OK
        made = len(azure.secret(VAULT, "vision-new-key").versions)
        again = run("enrol", "*-new", "--in-use", "key1", "--yes")
        assert again.status == ExitStatus.OK
        assert "already enrolled" in again.out
        assert len(azure.secret(VAULT, "vision-new-key").versions) == made

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["vision-new"], "which key do consumers use"),
            (["vision-new", "--in-use", "key1", "--validity-days", "13"], "use at least 14"),
            (["lang", "--in-use", "key1"], "holds Key2, not Key1"),
            (["vision-new", "--secret", "lang-key", "--in-use", "key1"], "holds neither key"),
            (["vision-new", "--secret", "speech-too"], "enrolled for speech-demo"),
        ],
    )
    def test_refuses_an_enrolment_that_could_break_a_consumer(
        self, run: Run, azure: Azure, arguments: list[str], message: str
    ) -> None:
        before = {name: len(s.versions) for name, s in azure.vault(VAULT).secrets.items()}
        result = run("enrol", *arguments, "--yes")
        assert result.status == ExitStatus.REFUSED
        assert message in result.out
        assert {n: len(s.versions) for n, s in azure.vault(VAULT).secrets.items()} == before

    def test_a_disabled_secret_is_refused(self, run: Run, azure: Azure) -> None:
        azure.secret(VAULT, "lang-key").current.enabled = False
        assert "its value cannot be read" in run("enrol", "lang", "--yes").out

    def test_reports_a_name_that_the_vault_refuses_because_it_was_deleted(
        self, run: Run, azure: Azure
    ) -> None:
        run("enrol", "vision-new", "--in-use", "key1", "--yes")
        azure.vault(VAULT).delete("vision-new-key")
        result = run("enrol", "vision-new", "--in-use", "key1", "--yes")
        assert result.status == ExitStatus.FAILING
        assert "vision-new" in result.err

    def test_enrols_all_accounts_of_a_group_after_showing_the_plan(
        self, run: Run, azure: Azure
    ) -> None:
        azure.add_account("elsewhere", "OpenAI", group="rg-other")
        scope = azure.account("vision-new").id.partition("/providers")[0]
        arguments = ("enrol", "--all-in", scope, "--in-use", "key1")
        asked = run(*arguments)
        assert asked.status == ExitStatus.REFUSED
        assert "vision-new-key" in asked.out
        assert "elsewhere" not in asked.out
        assert "entra-only" in asked.out
        done = run(*arguments, "--yes", "--json")
        assert done.status == ExitStatus.REFUSED, "lang holds the other key"
        assert "vision-new-key" in azure.vault(VAULT).secrets
        assert "elsewhere-key" not in azure.vault(VAULT).secrets

    def test_two_accounts_are_never_given_one_secret(self, run: Run, azure: Azure) -> None:
        azure.add_account("vision.new", "ComputerVision")
        result = run("enrol", "vision?new", "--in-use", "key1", "--yes")
        assert result.status == ExitStatus.REFUSED
        assert result.out.count("another account would get the same secret") == 2
        assert "vision-new-key" not in azure.vault(VAULT).secrets

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ([], "Name the accounts"),
            (["vision-new", "--all-in", "sub-1"], "Name the accounts"),
            (["--all-in", "rg"], "is not a scope"),
            (["nothing"], "keyrotation discover"),
            (["vision-new", "--in-use", "third"], "Write key1 or key2"),
            (["vision-new", "--vault", "elsewhere"], "kv-demo"),
            (["*", "--secret", "one"], "cannot share"),
        ],
    )
    def test_a_usage_error_says_what_to_write(
        self, run: Run, arguments: list[str], message: str
    ) -> None:
        result = run("enrol", *arguments)
        assert result.status == ExitStatus.USAGE
        assert message in result.err


class TestUnenrol:
    SECRET = f"{VAULT}/aoai-demo-key"

    def test_the_secret_leaves_at_once_and_the_keys_stay(self, run: Run, azure: Azure) -> None:
        run("emergency", self.SECRET, "--leaked", "key2", "--reason", "r", "--yes", "--direct")
        keys = dict(azure.account("aoai-demo").keys)
        preview = run("unenrol", self.SECRET, "--dry-run")
        assert "at once" in preview.out
        assert self.SECRET in run("status", "--direct").out
        assert run("unenrol", self.SECRET).status == ExitStatus.REFUSED, "it asks first"

        result = run("unenrol", self.SECRET, "--yes")
        assert result.status == ExitStatus.OK, result.err
        assert self.SECRET not in run("status", "--direct").out
        assert run("rotate", self.SECRET, "--reason", "r", "--direct").status == ExitStatus.REFUSED
        version = azure.secret(VAULT, "aoai-demo-key").current
        assert version.value in keys.values()
        assert "ProviderAddress" not in (version.tags or {})
        assert azure.account("aoai-demo").keys == keys

    def test_a_secret_whose_rotation_is_under_way_stays(self, run: Run, azure: Azure) -> None:
        run("rotate", self.SECRET, "--reason", "trial", "--direct", "--no-wait")
        tags = azure.secret(VAULT, "aoai-demo-key").current.tags
        result = run("unenrol", self.SECRET, "--yes")
        assert result.status == ExitStatus.REFUSED
        assert "keyrotation watch" in result.err
        assert azure.secret(VAULT, "aoai-demo-key").current.tags == tags

    def test_an_unknown_secret_is_refused(self, run: Run) -> None:
        result = run("unenrol", f"{VAULT}/nothing", "--yes")
        assert result.status == ExitStatus.REFUSED
        assert "is not enrolled" in result.err

    def test_the_preview_names_the_secrets_that_stay(self, run: Run, azure: Azure) -> None:
        result = run("unenrol", f"{VAULT}/speech-too", "--dry-run", "--json")
        assert [name.rpartition("/")[2] for name in result.json["others"]] == ["speech-demo-key"]
        assert result.json["done"] is False


def test_a_secret_whose_key_is_inside_a_format_can_be_enrolled(
    run: Run, azure: Azure, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"Key={azure.account('lang').keys['Key2']}"
    azure.add_secret(VAULT, "lang-text", value=text, tags={"RotationFormat": "text"})
    arguments = ("enrol", "lang", "--secret", "lang-text", "--yes")
    assert "ROTATION_FORMATS" in (refused := run(*arguments)).out + refused.err
    monkeypatch.setenv("ROTATION_FORMATS", '{"text": "Key={key}"}')
    assert run(*arguments).status == ExitStatus.OK
    current = azure.secret(VAULT, "lang-text").current
    assert current.value == text
    assert (current.tags or {})["CredentialId"] == "Key2"
    assert (current.tags or {})["RotationFormat"] == "text"
