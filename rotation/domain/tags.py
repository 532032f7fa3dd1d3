"""Secret tags ⇄ model. The first three are those of Microsoft's own rotation sample.

Read: what a person writes to enrol a secret. Written: what a rotation adds to each version.
Everything else on the secret is the user's and is kept. Names compare without case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from . import consumers, durations, window
from .ids import AccountId
from .keys import Slot
from .parsing import TextReader
from .redaction import redact
from .targets import Enrolment

PROVIDER_ADDRESS = "ProviderAddress"

VALIDITY_PERIOD_DAYS = "ValidityPeriodDays"

CREDENTIAL_ID = "CredentialId"

OVERLAP = "RotationOverlap"

MINIMUM_INTERVAL = "RotationMinimumInterval"

WINDOW = "RotationWindow"

PAUSED = "RotationPaused"

CONSUMERS = "RotationConsumers"

FORMAT = "RotationFormat"

ROTATION_ID = "RotationId"

ROTATED_AT = "RotatedAt"

ROTATION_REASON = "RotationReason"

READ = (
    PROVIDER_ADDRESS,
    VALIDITY_PERIOD_DAYS,
    CREDENTIAL_ID,
    OVERLAP,
    MINIMUM_INTERVAL,
    WINDOW,
    PAUSED,
    CONSUMERS,
    FORMAT,
)

WRITTEN = (CREDENTIAL_ID, ROTATION_ID, ROTATED_AT, ROTATION_REASON)

# Key Vault, "About Azure Key Vault secrets": 15 tags, 512 characters each for name and value.
MAX_TAGS, MAX_LENGTH = 15, 512

_REASON_LENGTH = 128

_OURS = frozenset(name.lower() for name in WRITTEN)

# Tags that Microsoft's sample does not have.
OWN = frozenset(
    name.lower()
    for name in {*READ, *WRITTEN} - {PROVIDER_ADDRESS, VALIDITY_PERIOD_DAYS, CREDENTIAL_ID}
)

_SLUG = 16  # characters of AccountId.slug

ENROLLED = "enrolled"

_LONGEST = durations.LONGEST


def enrolled(tags: Mapping[str, str]) -> AccountId | None:
    """Return the account that a secret is enrolled for, or None if it is not enrolled.

    Raises ValueError if the address is not valid. An address of another resource provider belongs
    to another rotation service and is ignored.
    """
    return _account(_folded(tags))


def account_of(tags: Mapping[str, str]) -> AccountId | None:
    """Return the same as ``enrolled``, but None if the address is not valid."""
    try:
        return enrolled(tags)
    except ValueError:
        return None


def rotated_by(tags: Mapping[str, str]) -> str | None:
    """Return the slug of the account whose operation published the version, if it has one."""
    slug = _folded(tags).get(ROTATION_ID.lower(), "").partition("-")[0]
    return slug if len(slug) == _SLUG and slug.isalnum() and slug.isascii() else None


def _account(folded: Mapping[str, str]) -> AccountId | None:
    address = folded.get(PROVIDER_ADDRESS.lower(), "").strip()
    if not address or _is_foreign(address.lower()):
        return None
    try:
        return AccountId.parse(address)
    except ValueError as exc:
        raise ValueError(f"tag {PROVIDER_ADDRESS}: {redact(str(exc))}") from None


def read(tags: Mapping[str, str]) -> Enrolment | None:
    """Return a secret's enrolment with all its problems. Raises as ``enrolled`` does."""
    folded = _folded(tags)
    account = _account(folded)
    if account is None:
        return None
    reader = TextReader({name: folded.get(name.lower()) for name in READ}, prefix="tag ")
    validity = _clamped(reader, VALIDITY_PERIOD_DAYS, _days)
    if validity is None and not reader.problems:
        reader.problems.append(f"tag {VALIDITY_PERIOD_DAYS} is missing; write for example 90")
    return Enrolment(
        account=account,
        validity=validity,
        claimed=reader.parse(CREDENTIAL_ID, _slot, None),
        overlap=_clamped(reader, OVERLAP, durations.parse),
        minimum_interval=_clamped(reader, MINIMUM_INTERVAL, durations.parse),
        window=reader.parse(WINDOW, window.parse, None),
        paused=reader.parse(PAUSED, _flag, False),
        format=reader.text(FORMAT).lower(),
        consumers=reader.parse(CONSUMERS, consumers.parse_names, ()),
        rotation=folded.get(ROTATION_ID.lower()),
        problems=(*reader.problems, *_room(tags)),
    )


def written(
    tags: Mapping[str, str], slot: Slot, rotation: str, at: datetime, reason: str
) -> dict[str, str]:
    """Return the tags of a new version: the user's own tags and ours.

    If our tags do not all fit, scheduled rotations are on hold and an emergency writes those that
    fit, the most important first.
    """
    ours = {
        CREDENTIAL_ID: slot.value,
        ROTATION_ID: rotation,
        ROTATED_AT: at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        ROTATION_REASON: reason[:_REASON_LENGTH],
    }
    users = without(tags, *WRITTEN)
    room = max(MAX_TAGS - len(users), 0)
    return users | dict(list(ours.items())[:room])


def format_of(tags: Mapping[str, str]) -> str | None:
    """Return the name of the format of a version's value; empty if it is the key alone.

    None: the version has none of our tags, so that it does not say.
    """
    folded = _folded(tags)
    named = folded.get(FORMAT.lower(), "").strip().lower()
    return named if named or PROVIDER_ADDRESS.lower() in folded else None


def paused(tags: Mapping[str, str], wanted: bool, *, explicit: bool = False) -> dict[str, str]:
    """Return the tags with scheduled rotations paused or resumed.

    ``explicit`` writes "false" too, because the tags of an earlier version count as well.
    """
    text = {True: "true", False: "false"}[wanted]
    return without(tags, PAUSED) | ({PAUSED: text} if wanted or explicit else {})


def without(tags: Mapping[str, str], *names: str) -> dict[str, str]:
    """Return the tags without those of the given names, ignoring case and blanks around them."""
    folded = {name.lower() for name in names}
    return {name: text for name, text in tags.items() if name.strip().lower() not in folded}


def _folded(tags: Mapping[str, str]) -> dict[str, str]:
    return {name.strip().lower(): text for name, text in tags.items()}


def _is_foreign(address: str) -> bool:
    return "/providers/" in address and "/microsoft.cognitiveservices/" not in address


def _clamped(reader: TextReader, name: str, parse: Callable[[str], timedelta]) -> timedelta | None:
    """Return a duration; one that is too long counts as the longest, and is a problem."""

    def clamp(text: str) -> timedelta:
        try:
            return parse(text)
        except durations.TooLong as exc:
            reader.report(name, f"{redact(str(exc))}; it counts as {durations.words(_LONGEST)}")
            return _LONGEST

    return reader.parse(name, clamp, None)


def _days(text: str) -> timedelta:
    digits, most = text.lstrip("0") or "0", str(_LONGEST.days)
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{text[:40]!r} is not a whole number of days, e.g. 90")
    if len(digits) > len(most) or int(digits) > _LONGEST.days:
        raise durations.TooLong(f"{text[:40]!r} is too long; write at most {most}")
    return timedelta(days=int(digits))


def _slot(text: str) -> Slot:
    try:
        return next(slot for slot in Slot if slot.value.lower() == text.lower())
    except StopIteration:
        raise ValueError(f"{text!r} must be Key1 or Key2; correct it or remove it") from None


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false", "yes", "no", "1", "0"):
        raise ValueError(f"{text!r} must be true or false")
    return text.lower() in ("true", "yes", "1")


def _room(tags: Mapping[str, str]) -> list[str]:
    """Return tag-limit problems, found before a rotation so that a publish cannot fail on them."""
    problems = []
    users = [name for name in tags if name.lower() not in _OURS]
    if len(users) + len(WRITTEN) > MAX_TAGS:
        free = MAX_TAGS - len(WRITTEN)
        problems.append(f"{len(users)} tags of your own leave no room; keep at most {free}")
    for name in users:
        if len(name) > MAX_LENGTH or len(tags[name]) > MAX_LENGTH:
            problems.append(
                f"tag {redact(name[:40])!r} is longer than {MAX_LENGTH} characters; shorten it"
            )
    return problems
