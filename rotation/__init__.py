"""Rotates the keys of Azure AI accounts without downtime and keeps them in Key Vault.

Reading order:

    model, record          the nouns; what the journal remembers
    tags, terms            enrolment: what a secret asks for, what an account's secrets ask together
    facts, action          what a decision may look at; what a decision is
    decision               the policy, from top to bottom
    idle, due              an account at rest
    flight, revocation     an operation under way, phase by phase
    guard, sending         what must hold before a regenerate
    emergency              a leaked key
    rotator                one step: gather, decide, store, act
    gather, effects        its reading half and its acting half
    sweep, triggers, web   all accounts; what timer, event, queue and HTTP call
    ports, adapters        what is needed from outside, and Azure's answers to it
    wiring                 the only place that constructs clients

Dependencies point one way: function_app → wiring → web → console → triggers → sweep → rotator →
decision → model. Decisions import the standard library and msgspec only; Azure's SDKs are imported
in adapters and wiring only. ``make check`` enforces it.
"""
