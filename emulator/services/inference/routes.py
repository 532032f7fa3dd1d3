"""The calls of each kind of account: those that a probe may use, chat and translation.

A call has its source: "specs" is Azure/azure-rest-api-specs, below
specification/cognitiveservices/data-plane; quoted titles are of Azure's documentation. A kind
without a call here only checks the key, and then answers 404; that is an assumption.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import answers
from .answers import Handler


@dataclass(frozen=True)
class Route:
    """One call: its public name, method, path and kinds; ``versioned`` needs an api-version."""

    name: str
    method: str
    path: re.Pattern[str]
    kinds: frozenset[str]
    respond: Handler
    versioned: bool


OPENAI = frozenset({"openai", "aiservices"})
_MULTI = frozenset({"cognitiveservices", "aiservices"})
TRANSLATORS = _MULTI | {"texttranslation"}
_TOKENS = TRANSLATORS | {"speechservices"}


def _route(
    name: str,
    path: str,
    kinds: frozenset[str],
    respond: Handler,
    method: str = "GET",
) -> Route:
    """Return a route; a path that ends with ``?`` needs an api-version."""
    pattern = re.compile(path.removesuffix("?") + "/?", re.I)
    return Route(name, method, pattern, kinds, respond, path.endswith("?"))


def _only(kind: str) -> frozenset[str]:
    return frozenset({kind})


_CHAT = r"/openai/deployments/[^/]+/chat/completions?"
_TEXTS = r"/language/authoring/analyze-text/projects?"
_CONVERSATIONS = r"/language/authoring/analyze-conversations/projects?"
_VOICES = r"/speaker-recognition/identification/text-independent/profiles?"
ROUTES = (
    # specs AzureOpenAI; "Azure OpenAI: API evolution"
    _route("openai_models", r"/openai/models?", OPENAI, answers.models),
    _route("openai_v1_models", r"/openai/v1/models", OPENAI, answers.models_v1),
    _route("chat", _CHAT, OPENAI, answers.chat, "POST"),
    _route("chat_v1", r"/openai/v1/chat/completions", OPENAI, answers.chat, "POST"),
    # "Authenticate requests to Azure AI services"
    _route("issue_token", r"/sts/v1\.0/issueToken", _TOKENS, answers.token, "POST"),
    # "Translator v3.0 reference"
    _route("translate", r"/translate?", TRANSLATORS, answers.translate, "POST"),
    # specs FormRecognizer
    _route(
        "document_info",
        r"/documentintelligence/info?",
        _MULTI | {"formrecognizer"},
        answers.info,
    ),
    _route("form_info", r"/formrecognizer/info?", _MULTI | {"formrecognizer"}, answers.info),
    # specs ComputerVision, ContentSafety, Face, CustomVision
    _route(
        "vision_models",
        r"/vision/v[\d.]+/models",
        _MULTI | {"computervision"},
        answers.empty("models"),
    ),
    _route(
        "blocklists",
        r"/contentsafety/text/blocklists?",
        _MULTI | {"contentsafety"},
        answers.empty("value"),
    ),
    _route("face_groups", r"/face/v[\d.]+/persongroups", _MULTI | {"face"}, answers.array),
    _route(
        "training_projects",
        r"/customvision/v[\d.]+/training/projects",
        _only("customvision.training"),
        answers.array,
    ),
    # specs Language
    _route("language_projects", _TEXTS, _MULTI | {"textanalytics"}, answers.empty("value")),
    _route(
        "conversation_projects",
        _CONVERSATIONS,
        _MULTI | {"textanalytics", "conversationallanguageunderstanding"},
        answers.empty("value"),
    ),
    # specs ContentModerator, AnomalyDetector, Personalizer, LUIS, QnAMaker
    _route(
        "image_lists",
        r"/contentmoderator/lists/v1\.0/imagelists",
        _only("contentmoderator"),
        answers.array,
    ),
    _route(
        "anomaly_models",
        r"/anomalydetector/v1\.1/multivariate/models",
        _only("anomalydetector"),
        answers.empty("models"),
    ),
    _route(
        "personalizer_settings",
        r"/personalizer/v1\.0/configurations/service",
        _only("personalizer"),
        answers.settings,
    ),
    _route("luis_apps", r"/luis/api/v2\.0/apps", _only("luis.authoring"), answers.array),
    _route(
        "knowledge_bases",
        r"/qnamaker/v4\.0/knowledgebases",
        _only("qnamaker"),
        answers.empty("knowledgebases"),
    ),
    # "Speaker recognition: Text Independent - List Profiles"
    _route(
        "voices",
        _VOICES,
        _only("speakerrecognition"),
        answers.empty("profiles"),
    ),
)
