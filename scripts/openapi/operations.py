"""The part of the document that the routes do not contain: one entry for each route."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rotation.service.replies.audit import AuditReply
from rotation.service.replies.diagnosis import DiagnosisReply
from rotation.service.replies.fleet import FleetHoldReply, FleetReply, HealthReply
from rotation.service.replies.identification import IdentificationReply
from rotation.service.replies.preview import AnswerDryRunReply, DryRunReply, PlanReply
from rotation.service.replies.rotation import (
    AcceptedReply,
    AnsweredReply,
    BatchReply,
    RotationReply,
    RotationsReply,
)
from rotation.service.replies.secret import (
    AccountReply,
    HeldReply,
    ReadersReply,
    ReleasedReply,
    SecretReply,
)
from rotation.web.bodies import AnswerBody, HoldBody, KeyBody, RequestBody

from . import parameters as p
from .parameters import Parameter


@dataclass(frozen=True)
class Reply:
    """A successful response: its description and the types of its body."""

    description: str
    kinds: tuple[type, ...]


@dataclass(frozen=True)
class Operation:
    """``role_note`` extends the sentence about the app role. Replies are listed by status."""

    summary: str
    replies: Mapping[int, Reply]
    parameters: tuple[Parameter, ...] = ()
    body: type | None = None
    role_note: str = ""
    media: Mapping[str, Any] = field(default_factory=dict)


def _ok(*kinds: type, description: str = "Success.") -> dict[int, Reply]:
    return {200: Reply(description, kinds)}


OPERATIONS: Mapping[str, Operation] = {
    "request_rotation": Operation(
        "Request a rotation, or with leaked an emergency",
        {
            200: Reply(
                "The result of a dry run, or with Prefer: wait the ended operation.",
                (DryRunReply, RotationReply),
            ),
            202: Reply(
                "Accepted. Location is the URL that reports the progress.",
                (AcceptedReply, BatchReply),
            ),
        },
        (p.IDEMPOTENCY_KEY, p.PREFER),
        RequestBody,
        "; for an emergency, a whole vault or everything Rotation.Emergency",
    ),
    "list_rotations": Operation(
        "List operations and waiting requests: the newest first, at most 200",
        _ok(RotationsReply),
        (p.STATE, p.ACCOUNT, p.BATCH),
    ),
    "get_rotation": Operation(
        "Get one operation: its progress, what it waits for, and its outcome",
        _ok(RotationReply),
        (p.ID, p.PREFER),
    ),
    "cancel_rotation": Operation(
        "Cancel an operation that has not changed anything yet",
        _ok(RotationReply, description="The operation after the change."),
        (p.ID, p.REASON),
    ),
    "cancel_batch": Operation(
        "Cancel what has not changed anything yet of a batch",
        _ok(RotationsReply, description="The batch after the change."),
        (p.BATCH_TO_CANCEL, p.REASON),
    ),
    "answer_rotation": Operation(
        "Resume or abandon a blocked operation",
        {
            200: Reply("The result of a dry run.", (AnswerDryRunReply,)),
            202: Reply("Accepted; the body describes the effect.", (AnsweredReply,)),
        },
        (p.ID, p.ANSWER),
        AnswerBody,
    ),
    "list_secrets": Operation(
        "List all secrets: each one's state, next action and reason to wait", _ok(FleetReply)
    ),
    "get_secret": Operation(
        "Get one secret: its next action, its versions and its rotations",
        _ok(SecretReply),
        (p.VAULT, p.SECRET),
    ),
    "list_readers": Operation(
        "List the identities that read a secret in the last 30 days, by the vault's audit log",
        _ok(ReadersReply, description="The readers, the last one first; null if not known."),
        (p.VAULT, p.SECRET),
    ),
    "hold_secret": Operation(
        "Pause or resume a secret's scheduled rotations",
        _ok(HeldReply, description="The secret after the change."),
        (p.VAULT, p.SECRET, p.HOLD),
        AnswerBody,
    ),
    "release_secret": Operation(
        "Confirm that nobody needs the key that a secret without a binding still shows",
        _ok(ReleasedReply, description="The secret, and what follows."),
        (p.VAULT, p.SECRET),
        AnswerBody,
    ),
    "get_account": Operation(
        "Get one account: which key was published when, and what comes next",
        _ok(AccountReply),
        (p.SLUG,),
    ),
    "audit": Operation(
        "List all operations that have ended, the oldest first, at most 200 a page",
        _ok(AuditReply),
        (p.SINCE, p.ACCOUNT, p.AFTER),
    ),
    "get_hold": Operation("Get the hold of all scheduled work", _ok(FleetHoldReply)),
    "hold_all": Operation(
        "Hold all scheduled work until a time, or end the hold; repairs and emergencies go on",
        _ok(FleetHoldReply, description="The hold after the change."),
        body=HoldBody,
    ),
    "identify_key": Operation(
        "Tell which account a found key belongs to; repeat until isComplete",
        _ok(IdentificationReply),
        body=KeyBody,
    ),
    "plan": Operation("Preview the next sweep, with reasons", _ok(PlanReply)),
    "doctor": Operation("Check the prerequisites of a rotation", _ok(DiagnosisReply), (p.DONE,)),
    "health": Operation(
        "Report whether the sweep runs on schedule; for availability tests",
        {200: Reply("Healthy.", (HealthReply,)), 503: Reply("Degraded.", (HealthReply,))},
    ),
    "openapi": Operation(
        "Get this document", _ok(), media={"application/json": {"schema": {"type": "object"}}}
    ),
    "dashboard": Operation(
        "Get the dashboard", _ok(), media={"text/html": {"schema": {"type": "string"}}}
    ),
}
