"""The settings in force for a secret, each with its origin. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from ...domain import durations, tags
from ...domain.policy import FALLBACK_VALIDITY, Policy, interval_of, overlap_of, validity_of
from ...domain.targets import Enrolment
from ..replies.secret import SettingReply

_DEFAULT = "the default"

_Origin = tuple[str, timedelta | None]


def build(listed_tags: Mapping[str, str], policy: Policy) -> list[SettingReply]:
    """Return the overlap, the validity, the interval and the window of one secret.

    Another secret of its account may ask for more: then the safer value counts for both.
    """
    e = _read(listed_tags)
    overlap = (tags.OVERLAP, e.overlap if e else None), ("ROTATION_OVERLAP", policy.overlap)
    validity = (
        (tags.VALIDITY_PERIOD_DAYS, e.validity if e else None),
        (_DEFAULT, FALLBACK_VALIDITY),
    )
    interval = (
        (tags.MINIMUM_INTERVAL, e.minimum_interval if e else None),
        ("ROTATION_MINIMUM_INTERVAL", policy.minimum_interval),
    )
    return [
        _duration("overlap", overlap_of(e, policy), *overlap),
        _duration("validity", validity_of(e), *validity),
        _duration("minimum interval", interval_of(e, policy), *interval),
        _window(listed_tags, e),
    ]


def _read(listed_tags: Mapping[str, str]) -> Enrolment | None:
    try:
        return tags.read(listed_tags)
    except ValueError:
        return None


def _duration(name: str, used: timedelta, tag: _Origin, setting: _Origin) -> SettingReply:
    source, wanted = setting if tag[1] is None else tag
    limited = wanted is not None and wanted != used
    note = f" of {durations.words(wanted)}, limited" if wanted is not None and limited else ""
    return SettingReply(name=name, value=durations.words(used), source=f"{source}{note}")


def _window(listed_tags: Mapping[str, str], enrolment: Enrolment | None) -> SettingReply:
    if enrolment is None or enrolment.window is None:
        return SettingReply(name="window", value="at any time", source=_DEFAULT)
    folded = {name.strip().lower(): text for name, text in listed_tags.items()}
    return SettingReply(
        name="window", value=folded.get(tags.WINDOW.lower(), ""), source=tags.WINDOW
    )
