"""A thing that cannot be read is unknown: never "not enrolled", and never "nothing here"."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from rotation.cli.exit_status import ExitStatus
from rotation.cli.health import of_verdict
from tests.integration.wire.api import Api

from .estate import DAY, NEIGHBOURS, OWNERS, estate, live, put, serving, tags

KEY = "aoai-demo-key"
BROKEN = "kv-team-b=everything"


async def rows(api: Api) -> dict[str, Any]:
    """Return the rows of the fleet's overview by secret."""
    status, found = await api.call("list_secrets")
    assert status == 200
    return {row["secret"]: row for row in found["secrets"]}


async def secret(api: Api, vault: str, name: str) -> tuple[int, Any]:
    return await api.call("get_secret", params={"vault": vault, "secret": name})


async def test_a_secret_of_a_vault_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    azure = estate()
    async with serving(azure, tmp_path / "journal") as p:
        api = Api(p, tmp_path / "answers.txt")
        await p.triggers.sweep()
        azure.vault(OWNERS).open = False
        azure.advance(timedelta(minutes=15))
        await p.triggers.sweep()
        found = await rows(api)
        status, one = await secret(api, OWNERS, KEY)
        health = await api.call("health")
        _, fleet = await api.call("list_secrets")
    assert found[KEY]["state"] == "unknown"
    assert of_verdict(fleet) is ExitStatus.ATTENTION
    assert "ForbiddenByFirewall" in found[KEY]["error"]["code"]
    assert found[KEY]["account"] == p.azure.account("aoai-demo").id
    assert found["acct-b-key"]["state"] != "unknown"
    assert (status, one["secret"]["state"]) == (200, "unknown")
    assert one["rotations"], "the journal contains them"
    assert any("403" in problem for problem in one["problems"])
    assert (health[0], health[1]["status"]) == (503, "degraded")


async def test_a_secret_that_nobody_remembers_is_not_called_unenrolled_either(
    tmp_path: Path,
) -> None:
    azure = estate()
    azure.vault(OWNERS).open = False
    async with serving(azure, tmp_path / "journal") as p:
        api = Api(p, tmp_path / "answers.txt")
        _, one = await secret(api, OWNERS, KEY)
        _, asked = await api.post(account=azure.account("aoai-demo").id, reason="a test")
        status, missing = await secret(api, NEIGHBOURS, "never-existed")
    assert "not enrolled" not in one["title"]
    assert "not enrolled" not in asked["title"]
    assert status == 404
    assert "not enrolled" in missing["title"]


async def test_health_is_degraded_if_the_journal_cannot_be_read(tmp_path: Path) -> None:
    azure = estate()
    async with serving(azure, tmp_path / "journal") as p:
        await p.triggers.sweep()
        (tmp_path / "journal" / "sweep.json").unlink()
        (tmp_path / "journal" / "sweep.json").mkdir()
        status, found = await Api(p, tmp_path / "answers.txt").call("health")
    assert (status, found["status"]) == (503, "degraded")


async def test_a_member_without_tags_keeps_its_row_with_a_note(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path / "journal") as p:
        api = Api(p, tmp_path / "answers.txt")
        await p.triggers.sweep()
        put(azure, KEY, azure.account("aoai-demo").keys["Key1"], {}, vault=OWNERS)
        await live(p, timedelta(hours=1))
        row = (await rows(api))[KEY]
    assert row["state"] == "healthy"
    assert row["account"] == azure.account("aoai-demo").id
    assert any("tags" in problem for problem in row["problems"])
    assert "tags" in row["why"]


async def test_the_notes_of_a_secret_are_shown_in_its_row(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    foreign = "Endpoint=sb://x/;SharedAccessKey=b="
    put(azure, "foreign", foreign, tags(azure, "aoai-demo"), vault=OWNERS)
    put(azure, "theirs", "x", tags(azure, "aoai-demo"))
    async with serving(azure, tmp_path / "journal") as p:
        api = Api(p, tmp_path / "answers.txt")
        await live(p, timedelta(hours=1))
        found = await rows(api)
    assert any("not a key" in problem for problem in found["foreign"]["problems"])
    assert found["theirs"]["state"] == "refused"
    assert "ROTATION_BINDINGS" in found["theirs"]["why"]


async def test_an_account_whose_every_secret_was_withdrawn_is_shown_as_stranded(
    tmp_path: Path,
) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path / "journal") as p:
        await p.triggers.sweep()
    elsewhere = f"{NEIGHBOURS}={azure.account('acct-b').id}"
    async with serving(azure, tmp_path / "journal", ROTATION_BINDINGS=elsewhere) as p:
        await live(p, timedelta(hours=1))
        status, found = await Api(p, tmp_path / "answers.txt").call("list_secrets")
    assert status == 200
    assert any("aoai-demo" in text and "stranded" in text for text in found["problems"])


async def test_an_invalid_setting_of_bindings_is_shown_everywhere(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path / "journal") as p:
        await p.triggers.sweep()
    async with serving(azure, tmp_path / "journal", ROTATION_BINDINGS=BROKEN) as p:
        api = Api(p, tmp_path / "answers.txt")
        await p.triggers.sweep()
        _, found = await api.call("list_secrets")
        health = await api.call("health")
        _, doctor = await api.call("doctor")
    assert any("ROTATION_BINDINGS" in problem for problem in found["problems"])
    assert health[0] == 503
    (finding,) = [f for f in doctor["findings"] if f["check"] == "bindings"]
    assert (doctor["verdict"], finding["state"]) == ("failed", "failed")


async def test_doctor_proposes_bindings_if_several_vaults_have_none(tmp_path: Path) -> None:
    azure = estate(lives=80 * DAY)
    async with serving(azure, tmp_path / "journal", ROTATION_BINDINGS="") as p:
        api = Api(p, tmp_path / "answers.txt")
        await p.triggers.sweep()
        _, found = await api.call("list_secrets")
        _, doctor = await api.call("doctor")
    assert any("ROTATION_BINDINGS" in problem for problem in found["problems"])
    (finding,) = [f for f in doctor["findings"] if f["check"] == "bindings"]
    assert finding["state"] == "warning"
    assert f"{OWNERS}={azure.account('aoai-demo').id}".lower() in finding["fix"].lower()
    assert f"{NEIGHBOURS}={azure.account('acct-b').id}".lower() in finding["fix"].lower()
