"""The JSON bodies of requests and of errors, as types."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from ..domain.request import Leaked

MAX_REASON = 200

Reason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_REASON,
        description="The reason, for the audit trail. Must not contain a key.",
    ),
]


class RequestBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Name exactly one of: vault and secret; account; vault; all."""

    vault: Annotated[str, Meta(description="A configured vault's name or URL.")] | UnsetType = UNSET
    secret: Annotated[str, Meta(pattern="^[0-9A-Za-z-]{1,127}$")] | UnsetType = UNSET
    account: Annotated[str, Meta(description="The account's ARM resource id.")] | UnsetType = UNSET
    all: bool | UnsetType = UNSET
    confirm: (
        Annotated[int, Meta(description="With all: the number of accounts of a dry run.")]
        | UnsetType
    ) = UNSET
    reason: Reason
    leaked: Leaked | UnsetType = UNSET
    overlap: (
        Annotated[
            str,
            Meta(
                description="Emergencies only. An ISO 8601 duration, at most P7D.",
                examples=["PT0S", "PT1H"],
            ),
        ]
        | UnsetType
    ) = UNSET
    now: Annotated[bool, Meta(description="Emergencies only: wait for no secret.")] | UnsetType = (
        UNSET
    )
    force: (
        Annotated[
            bool,
            Meta(description="Emergencies only: revoke even if no successor works."),
        ]
        | UnsetType
    ) = UNSET
    blind: (
        Annotated[
            bool,
            Meta(description="Emergencies only: go on although no secret can be read."),
        ]
        | UnsetType
    ) = UNSET
    drill: (
        Annotated[
            bool,
            Meta(description="A rehearsed leak: only of a secret or account marked for drills."),
        ]
        | UnsetType
    ) = UNSET
    dry_run: bool | UnsetType = UNSET


class AnswerBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The reason for an action on an operation or a secret."""

    reason: Reason
    dry_run: bool | UnsetType = UNSET


class HoldBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A hold of all scheduled work: until when, or off. Name exactly one of: until; off."""

    until: (
        Annotated[
            str,
            Meta(
                description="An RFC 3339 time within the next 14 days.",
                examples=["2026-12-24T18:00:00Z"],
            ),
        ]
        | UnsetType
    ) = UNSET
    off: bool | UnsetType = UNSET
    reason: Reason
    dry_run: bool | UnsetType = UNSET


class KeyBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that somebody has found. It is neither stored nor logged."""

    key: Annotated[str, Meta(pattern="^[!-~]{16,256}$")]
    done: Annotated[int, Meta(ge=0, description="``checked`` of the last reply.")] | UnsetType = (
        UNSET
    )


class RunningReply(Struct, frozen=True):
    """The operation that already runs."""

    id: str
    status: str


class ProblemReply(Struct, frozen=True, kw_only=True):
    """Problem details (RFC 9457); ``detail`` contains the remedy."""

    type: str
    title: str
    status: int
    detail: str
    code: str | UnsetType = UNSET
    role: str | UnsetType = UNSET
    rotation: RunningReply | UnsetType = UNSET
