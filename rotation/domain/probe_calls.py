"""The built-in probes: one cheap call each, without side effects, that needs a key."""

from __future__ import annotations

from dataclasses import dataclass

SUBSCRIPTION_KEY = "Ocp-Apim-Subscription-Key"


@dataclass(frozen=True)
class ProbeCall:
    """A call by name. ``api`` is the entry of the account's ``endpoints`` that it prefers.

    ``source`` is where Azure documents it for the kinds that use it; a call without one is for the
    general proof. ``by_region`` calls name the account's region.
    """

    name: str
    path: str
    source: str = ""
    method: str = "GET"
    header: str = SUBSCRIPTION_KEY
    body: str = ""
    api: str = ""
    by_region: bool = False


_SPECS = "azure-rest-api-specs: "

OPENAI = ProbeCall(
    "openai-models",
    "/openai/models?api-version=2024-10-21",
    _SPECS + "AzureOpenAI, Models - List",
    header="api-key",
    api="OpenAI Language Model Instance API",
)

TOKEN = ProbeCall(
    "token",
    "/sts/v1.0/issueToken",
    "Authenticate requests to Azure AI services",
    method="POST",
    api="Token",
)

# The same call, for kinds that are not known to offer it: they answer 404 to a valid key, say.
GENERAL = ProbeCall("general", TOKEN.path, method="POST", api="Token")

# An empty list of texts: it is refused as a request, after the key was checked, and costs nothing.
TRANSLATOR = ProbeCall(
    "translator",
    "/translate?api-version=3.0&to=en",
    method="POST",
    body="[]",
    by_region=True,
)

DOCUMENTS = ProbeCall(
    "document-info",
    "/documentintelligence/info?api-version=2024-11-30",
    _SPECS + "DocumentIntelligence, Miscellaneous - Get Resource Info",
)

VISION = ProbeCall("vision-models", "/vision/v3.2/models", _SPECS + "ComputerVision, List Models")

SAFETY = ProbeCall(
    "content-blocklists",
    "/contentsafety/text/blocklists?api-version=2024-09-01",
    _SPECS + "ContentSafety, Text Blocklists - List",
)

FACE = ProbeCall(
    "face-persongroups",
    "/face/v1.0/persongroups?top=1",
    _SPECS + "Face, Person Group - List",
)

TRAINING = ProbeCall(
    "customvision-projects",
    "/customvision/v3.3/Training/projects",
    _SPECS + "CustomVision Training, Get Projects",
    header="Training-Key",
)

LANGUAGE = ProbeCall(
    "language-projects",
    "/language/authoring/analyze-text/projects?api-version=2023-04-01&top=1",
    _SPECS + "Language, Text Analysis Authoring - List Projects",
)

CONVERSATIONS = ProbeCall(
    "conversation-projects",
    "/language/authoring/analyze-conversations/projects?api-version=2023-04-01&top=1",
    _SPECS + "Language, Conversational Analysis Authoring - List Projects",
)

MODERATOR = ProbeCall(
    "moderator-lists",
    "/contentmoderator/lists/v1.0/imagelists",
    _SPECS + "ContentModerator, Image Lists - Get All Image Lists",
)

ANOMALY = ProbeCall(
    "anomaly-models",
    "/anomalydetector/v1.1/multivariate/models",
    _SPECS + "AnomalyDetector, List Multivariate Models",
)

PERSONALIZER = ProbeCall(
    "personalizer-settings",
    "/personalizer/v1.0/configurations/service",
    _SPECS + "Personalizer, Service Configuration - Get",
)

LUIS = ProbeCall("luis-apps", "/luis/api/v2.0/apps?take=1", _SPECS + "LUIS Authoring, Apps - List")

KNOWLEDGE = ProbeCall(
    "qnamaker-knowledgebases",
    "/qnamaker/v4.0/knowledgebases",
    _SPECS + "QnAMaker, Knowledgebase - List All",
)

VOICES = ProbeCall(
    "speaker-profiles",
    "/speaker-recognition/identification/text-independent/profiles?api-version=2021-09-05",
    "Speaker recognition, Text Independent - List Profiles",
)

CALLS = {
    call.name: call
    for call in (
        OPENAI,
        TOKEN,
        GENERAL,
        TRANSLATOR,
        DOCUMENTS,
        VISION,
        SAFETY,
        FACE,
        TRAINING,
        LANGUAGE,
        CONVERSATIONS,
        MODERATOR,
        ANOMALY,
        PERSONALIZER,
        LUIS,
        KNOWLEDGE,
        VOICES,
    )
}
