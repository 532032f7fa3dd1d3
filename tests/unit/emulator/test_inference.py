"""The data plane responses by the key's state."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from emulator.azure import Azure, UnknownHost
from emulator.core.wire import Headers, Request, Response

MODELS = "https://aoai-demo.openai.azure.com/openai/models?api-version=2024-10-21"


def call(azure: Azure, url: str, key: str, method: str = "GET", **more: str) -> Response:
    headers = Headers({"api-key": key} | more)
    return azure.handle(Request(method, url, headers))


def test_both_keys_are_accepted_and_a_wrong_one_is_rejected(azure: Azure) -> None:
    keys = azure.account("aoai-demo").keys
    assert [call(azure, MODELS, key).status for key in keys.values()] == [200, 200]
    refused = call(azure, MODELS, "wrong")
    assert refused.status == 401
    assert json.loads(refused.body)["error"]["code"] == "401"


def test_the_old_key_stops_working_at_once_and_the_new_one_may_be_delayed(azure: Azure) -> None:
    account = azure.account("aoai-demo")
    account.new_key_delay = timedelta(seconds=20)
    old = account.keys["Key1"]
    azure.regenerate_by_hand("aoai-demo", "Key1")
    new = account.keys["Key1"]
    assert [call(azure, MODELS, key).status for key in (old, new)] == [401, 401]
    azure.advance(timedelta(seconds=20))
    assert [call(azure, MODELS, key).status for key in (old, new)] == [401, 200]


def test_an_old_key_may_keep_working_for_a_while(azure: Azure) -> None:
    account = azure.account("aoai-demo")
    account.old_key_lag = timedelta(seconds=30)
    old = account.keys["Key1"]
    azure.regenerate_by_hand("aoai-demo", "Key1")
    assert call(azure, MODELS, old).status == 200
    azure.advance(timedelta(seconds=30))
    assert call(azure, MODELS, old).status == 401


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"public_network": False}, 403, "Public access is disabled"),
        ({"default_action": "Deny"}, 403, "Virtual Network/Firewall rules"),
        ({"disable_local_auth": True}, 403, "AuthenticationTypeDisabled"),
        ({"rate_limited": True}, 429, "call rate limit"),
    ],
)
def test_an_account_refuses_calls_by_its_network_authentication_and_rate_limit(
    azure: Azure, change: dict[str, object], status: int, says: str
) -> None:
    account = azure.account("aoai-demo")
    for name, value in change.items():
        setattr(account, name, value)
    response = call(azure, MODELS, account.keys["Key1"])
    assert response.status == status
    assert says in response.body.decode()


@pytest.mark.parametrize(
    ("rules", "status"),
    [(("203.0.113.0/24",), 200), (("203.0.113.7",), 200), (("198.51.100.0/24",), 403)],
)
def test_an_address_rule_admits_the_client_to_a_restricted_network(
    azure: Azure, rules: tuple[str, ...], status: int
) -> None:
    account = azure.account("aoai-demo")
    account.default_action, account.ip_rules = "Deny", rules
    assert call(azure, MODELS, account.keys["Key1"]).status == status


def test_an_issued_token_is_valid_for_ten_minutes(azure: Azure) -> None:
    speech = azure.add_account("speech", kind="SpeechServices")
    url = speech.endpoint + "sts/v1.0/issueToken"
    header = Headers({"Ocp-Apim-Subscription-Key": speech.keys["Key1"]})
    claims = azure.handle(Request("POST", url, header)).body.split(b".")[1]
    expires = json.loads(base64.urlsafe_b64decode(claims + b"=="))["exp"]
    assert expires == (azure.clock.now() + timedelta(minutes=10)).timestamp()


PROBES = {
    "SpeechServices": ("POST", "/sts/v1.0/issueToken"),
    "TextTranslation": ("POST", "/sts/v1.0/issueToken"),
    "CognitiveServices": ("POST", "/sts/v1.0/issueToken"),
    "FormRecognizer": ("GET", "/documentintelligence/info?api-version=2024-11-30"),
    "ComputerVision": ("GET", "/vision/v3.2/models"),
    "ContentSafety": ("GET", "/contentsafety/text/blocklists?api-version=2024-09-01"),
    "Face": ("GET", "/face/v1.0/persongroups?top=1"),
    "CustomVision.Training": ("GET", "/customvision/v3.3/Training/projects"),
    "TextAnalytics": (
        "GET",
        "/language/authoring/analyze-text/projects?api-version=2023-04-01&top=1",
    ),
}


@pytest.mark.parametrize("kind", PROBES)
def test_each_kind_accepts_its_own_probe_only(azure: Azure, kind: str) -> None:
    account = azure.add_account("other", kind=kind)
    method, path = PROBES[kind]
    url, key = account.endpoint.rstrip("/"), account.keys["Key2"]
    header = {"Ocp-Apim-Subscription-Key": key}
    assert azure.handle(Request(method, url + path, Headers(header))).status == 200
    assert azure.handle(Request(method, url + path, Headers())).status == 401
    wrong = f"{url}/openai/models?api-version=2024-10-21"
    assert azure.handle(Request("GET", wrong, Headers(header))).status == 404


def test_a_regional_host_finds_the_account_by_its_key(azure: Azure) -> None:
    speech = azure.add_account("speech", kind="SpeechServices", custom_domain=False)
    assert speech.endpoint == "https://westeurope.api.cognitive.microsoft.com/"
    url = speech.endpoint + "sts/v1.0/issueToken"
    header = Headers({"Ocp-Apim-Subscription-Key": speech.keys["Key1"]})
    assert azure.handle(Request("POST", url, header)).status == 200
    far = url.replace("westeurope", "eastus")
    assert azure.handle(Request("POST", far, header)).status == 401


def test_a_consumer_gets_a_completion(azure: Azure) -> None:
    url = "https://aoai-demo.openai.azure.com/openai/deployments/d/chat/completions"
    body = json.dumps({"messages": [{"role": "user", "content": "hello"}]}).encode()
    headers = Headers({"api-key": azure.account("aoai-demo").keys["Key1"]})
    response = azure.handle(Request("POST", f"{url}?api-version=2024-10-21", headers, body))
    assert json.loads(response.body)["choices"][0]["message"]["content"] == "You said: hello"


def test_an_unused_host_name_is_unknown(azure: Azure) -> None:
    azure.add_account("speech", kind="SpeechServices")
    for host in ("nobody.openai.azure.com", "speech.openai.azure.com", "aoai-demo.openai.azure.us"):
        assert not azure.knows(f"https://{host}/")
        with pytest.raises(UnknownHost):
            call(azure, f"https://{host}/openai/models", "x")


def test_sovereign_accounts_have_their_own_domain(azure: Azure) -> None:
    account = azure.add_account("far", cloud="azure.us", location="usgovvirginia")
    assert account.endpoint == "https://far.openai.azure.us/"
    url = account.endpoint + "openai/models?api-version=2024-10-21"
    assert call(azure, url, account.keys["Key1"]).status == 200


def test_the_v1_api_also_takes_the_key_as_a_bearer_token(azure: Azure) -> None:
    bearer = Headers({"Authorization": "Bearer " + azure.account("aoai-demo").keys["Key1"]})
    v1 = "https://aoai-demo.openai.azure.com/openai/v1/models"
    assert azure.handle(Request("GET", v1, bearer)).status == 200
    assert azure.handle(Request("GET", MODELS, bearer)).status == 401
