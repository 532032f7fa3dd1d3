"""The kinds of account that Azure documents, and how a key of each is tried.

docs/kinds.md is generated from this table. Resource Manager accepts these kinds, or did, by the
Bicep module avm/res/cognitive-services/account, the Ansible module
azure_rm_cognitiveservicesaccount and the Terraform resource azurerm_cognitive_account.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import probe_calls as calls
from .probe_calls import ProbeCall


@dataclass(frozen=True)
class Kind:
    """A kind, its probe, the feature that the probe needs, and what the proof leaves open."""

    name: str
    call: ProbeCall
    needs: str = ""
    leaves_open: str = ""
    is_retired: bool = False

    @property
    def is_confirmed(self) -> bool:
        """Return whether Azure documents the call for this kind."""
        return bool(self.call.source)


_TOKENS = "tokens that were issued for the old key live up to 10 minutes"

_OTHER_HOSTS = "keys on the hosts of single services, such as those of Speech"


def _general(name: str, leaves_open: str = "", *, is_retired: bool = False) -> Kind:
    return Kind(name, calls.GENERAL, leaves_open=leaves_open, is_retired=is_retired)


def _retired(name: str) -> Kind:
    return _general(name, is_retired=True)


_APPROVAL = "limited access: without approval the answer is 403, which is a proof too"

_ALL = (
    Kind(
        "AIServices",
        calls.OPENAI,
        "the OpenAI endpoint; without it, the probe is `token`",
        _OTHER_HOSTS,
    ),
    Kind("AnomalyDetector", calls.ANOMALY),
    Kind("CognitiveServices", calls.TOKEN, leaves_open=_TOKENS),
    Kind("ComputerVision", calls.VISION),
    Kind("ContentModerator", calls.MODERATOR),
    Kind("ContentSafety", calls.SAFETY),
    Kind("ConversationalLanguageUnderstanding", calls.CONVERSATIONS),
    _general("CustomVision.Prediction"),
    Kind("CustomVision.Training", calls.TRAINING),
    Kind("Face", calls.FACE, _APPROVAL),
    Kind("FormRecognizer", calls.DOCUMENTS),
    _general("HealthInsights"),
    _general("ImmersiveReader"),
    _general("Internal.AllInOne"),
    _general("LanguageAuthoring"),
    _general("LUIS", "applications: a prediction is billed, so none is made"),
    Kind("LUIS.Authoring", calls.LUIS),
    _general("MetricsAdvisor", "the API key of Metrics Advisor itself, which is another secret"),
    Kind("OpenAI", calls.OPENAI),
    Kind("Personalizer", calls.PERSONALIZER),
    Kind(
        "QnAMaker",
        calls.KNOWLEDGE,
        leaves_open="the endpoint key of the App Service, which is another secret",
    ),
    _general("QnAMaker.v2"),
    Kind("SpeakerRecognition", calls.VOICES, _APPROVAL),
    Kind("SpeechServices", calls.TOKEN, leaves_open=_TOKENS),
    Kind("TextAnalytics", calls.LANGUAGE),
    Kind(
        "TextTranslation",
        calls.TOKEN,
        "an own domain; at the host that all Translators share, the probe is `translator`, which "
        "needs the account's region",
        _TOKENS,
    ),
    *(
        _retired(name)
        for name in (
            "Academic",
            "Bing.Autosuggest",
            "Bing.Autosuggest.v7",
            "Bing.CustomSearch",
            "Bing.Search",
            "Bing.Search.v7",
            "Bing.Speech",
            "Bing.SpellCheck",
            "Bing.SpellCheck.v7",
            "CustomSpeech",
            "Emotion",
            "Recommendations",
            "Speech",
            "SpeechTranslation",
            "WebLM",
        )
    ),
)

KINDS = {kind.name.lower(): kind for kind in _ALL}


def kind_of(name: str) -> Kind:
    """Return the rule for a kind; an unknown one gets the general proof."""
    return KINDS.get(name.lower()) or _general(name)
