"""discover and enrol: before there is a service, with an operator's own sign-in."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.azure import Azure
from rotation.cli.exit_status import Exit

from .conftest import Run

VAULT = "kv-demo"


@pytest.fixture(autouse=True)
def estate(azure: Azure) -> None:
    """Beside the playground's two: not enrolled, without keys, in two secrets."""
    azure.add_account("vision-new", "ComputerVision")
    azure.add_account("entra-only", disable_local_auth=True)
    azure.add_account("lang", "TextAnalytics")
    azure.add_secret(VAULT, "lang-key", publishes=("lang", "Key2"), tags={"team": "nlp"})
    tags = {"ProviderAddress": azure.account("speech-demo").id, "ValidityPeriodDays": "90"}
    azure.add_secret(VAULT, "speech-too", value="0" * 32, tags=tags)
    azure.identity.principals[0].assign("Key rotator", "/")


class TestDiscover:
    def test_says_how_every_account_stands(self, run: Run) -> None:
        assert {name: found["standing"] for name, found in _accounts(run).items()} == {
            "aoai-demo": "sample",
            "entra-only": "key-less",
            "lang": "unmanaged",
            "speech-demo": "sample",
            "vision-new": "unmanaged",
        }

    def test_names_what_is_shared_and_what_holds_a_dead_key(self, run: Run) -> None:
        said = run("discover")
        assert said.status == Exit.ATTENTION
        assert "2 secrets share it" in said.out
        assert "speech-too holds neither key" in said.out
        assert "kv-demo/lang-key" in said.out, "it is named like a key"

    def test_what_was_rotated_here_is_managed(self, run: Run) -> None:
        run("rotate", f"{VAULT}/aoai-demo-key", "--reason", "trial", "--direct")
        assert _accounts(run)["aoai-demo"]["standing"] == "managed"

    def test_an_account_that_is_gone_is_named_with_its_secret(self, run: Run, azure: Azure) -> None:
        address = azure.account("lang").id.replace("/lang", "/gone")
        tags = {"ProviderAddress": address, "ValidityPeriodDays": "90"}
        azure.add_secret(VAULT, "orphan", value="x", tags=tags)
        assert _accounts(run)["gone"]["standing"] == "unseen"

    def test_tells_of_vaults_that_are_not_configured(self, run: Run, azure: Azure) -> None:
        azure.add_vault("kv-other")
        azure.identity.principals[0].assign("Reader", "/")
        assert "kv-other.vault.azure.net is not in ROTATION_VAULTS" in run("discover").out

    def test_only_one_subscription(self, run: Run) -> None:
        other = "99999999-9999-9999-9999-999999999999"
        said = run("discover", "--subscription", other, "--json")
        assert said.status == Exit.ATTENTION
        assert other in said.json["problems"][0]


def _accounts(run: Run) -> dict[str, Any]:
    found = run("discover", "--json").json["accounts"]
    return {one["account"].rpartition("/")[2]: one for one in found}


class TestEnrol:
    def test_makes_a_secret_from_the_key_in_use(self, run: Run, azure: Azure) -> None:
        said = run("enrol", "vision-new", "--in-use", "key2", "--yes")
        assert said.status == Exit.OK, said.err
        version = azure.secret(VAULT, "vision-new-key").current
        assert version.value == azure.account("vision-new").keys["Key2"]
        tags = version.tags or {}
        assert tags["ProviderAddress"].lower() == azure.account("vision-new").id.lower()
        assert (tags["ValidityPeriodDays"], tags["CredentialId"]) == ("90", "Key2")
        assert version.exp is not None

    def test_what_was_enrolled_can_be_rotated(self, run: Run, azure: Azure) -> None:
        run("enrol", "vision-new", "--in-use", "key2", "--yes")
        said = run("rotate", f"{VAULT}/vision-new-key", "--reason", "first", "--direct")
        assert said.status == Exit.OK, said.err
        new = azure.secret(VAULT, "vision-new-key").current.value
        assert new == azure.account("vision-new").keys["Key1"]

    def test_tags_a_secret_that_holds_a_key_and_keeps_its_tags(
        self, run: Run, azure: Azure
    ) -> None:
        before = azure.secret(VAULT, "lang-key").current.value
        said = run("enrol", "lang", "--secret", "lang-key", "--yes")
        assert said.status == Exit.OK, said.err
        version = azure.secret(VAULT, "lang-key").current
        assert version.value == before
        assert (version.tags or {})["team"] == "nlp"
        assert (version.tags or {})["CredentialId"] == "Key2"

    def test_says_that_both_keys_belong_to_the_rotation_and_wants_consent(
        self, run: Run, azure: Azure
    ) -> None:
        said = run("enrol", "vision-new", "--in-use", "key1")
        assert said.status == Exit.REFUSED
        assert "BOTH keys" in said.out
        assert "--yes" in said.err
        assert "vision-new-key" not in azure.vault(VAULT).secrets

    def test_a_dry_run_changes_nothing(self, run: Run, azure: Azure) -> None:
        said = run("enrol", "*", "--in-use", "key1", "--dry-run", "--json")
        will = {p["account"].rpartition("/")[2]: p["will"] for p in said.json["plans"]}
        assert will == {
            "aoai-demo": "nothing",
            "entra-only": "nothing",
            "lang": "refuse",
            "speech-demo": "nothing",
            "vision-new": "create",
        }
        assert "vision-new-key" not in azure.vault(VAULT).secrets

    def test_many_at_once_and_again(self, run: Run, azure: Azure) -> None:
        assert run("enrol", "*-new", "--in-use", "key1", "--yes").status == Exit.OK
        made = len(azure.secret(VAULT, "vision-new-key").versions)
        again = run("enrol", "*-new", "--in-use", "key1", "--yes")
        assert again.status == Exit.OK
        assert "enrolled already" in again.out
        assert len(azure.secret(VAULT, "vision-new-key").versions) == made

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["vision-new"], "which key do its consumers use"),
            (["vision-new", "--in-use", "key1", "--validity-days", "30"], "write at least 32"),
            (["lang", "--in-use", "key1"], "holds Key2, not Key1"),
            (["vision-new", "--secret", "lang-key", "--in-use", "key1"], "holds neither key"),
            (["vision-new", "--secret", "speech-too"], "enrolled for speech-demo"),
        ],
    )
    def test_refuses_what_could_cost_a_key(
        self, run: Run, azure: Azure, arguments: list[str], says: str
    ) -> None:
        before = {name: len(s.versions) for name, s in azure.vault(VAULT).secrets.items()}
        said = run("enrol", *arguments, "--yes")
        assert said.status == Exit.REFUSED
        assert says in said.out
        assert {n: len(s.versions) for n, s in azure.vault(VAULT).secrets.items()} == before

    def test_a_disabled_secret_is_refused(self, run: Run, azure: Azure) -> None:
        azure.secret(VAULT, "lang-key").current.enabled = False
        assert "its value cannot be read" in run("enrol", "lang", "--yes").out

    def test_a_deleted_name_is_refused_by_the_vault_and_said(self, run: Run, azure: Azure) -> None:
        run("enrol", "vision-new", "--in-use", "key1", "--yes")
        azure.vault(VAULT).delete("vision-new-key")
        said = run("enrol", "vision-new", "--in-use", "key1", "--yes")
        assert said.status == Exit.FAILING
        assert "vision-new" in said.err

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["nothing"], "python -m rotation discover"),
            (["vision-new", "--in-use", "third"], "write key1 or key2"),
            (["vision-new", "--vault", "elsewhere"], "kv-demo"),
            (["*", "--secret", "one"], "cannot share"),
        ],
    )
    def test_wrong_use_says_what_to_write(self, run: Run, arguments: list[str], says: str) -> None:
        said = run("enrol", *arguments)
        assert said.status == Exit.USAGE
        assert says in said.err
