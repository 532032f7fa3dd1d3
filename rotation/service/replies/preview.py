"""Replies that describe what would happen, without doing it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from .reply import Reply, Time

Always = Annotated[bool, Meta(extra_json_schema={"const": True})]


class PreviewReply(Reply, frozen=True, kw_only=True):
    """The next action on one account, and its effects in order."""

    account: str
    secrets: list[str] | None = None
    action: str
    reason: str
    until: Time | None = None
    effects: list[str]


class PlanReply(Reply, frozen=True, kw_only=True):
    """A preview of the next sweep; ``would`` has the first accounts only."""

    accounts: int
    would: list[PreviewReply]
    problems: list[str]


class DryRunReply(Reply, frozen=True, kw_only=True):
    """A preview of a rotation request; ``would`` has the first accounts only."""

    dry_run: Always
    accounts: int
    secrets: int
    would: list[PreviewReply]


class AnswerDryRunReply(Reply, frozen=True, kw_only=True):
    """A preview of resuming or abandoning an operation."""

    dry_run: Always
    will: str
