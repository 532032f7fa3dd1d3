"""Rotates the keys of Azure AI accounts without downtime and keeps them in Key Vault.

A reconciler: every trigger only says "look at this account again"; one step gathers facts,
decides, and does at most one irreversible thing. Start reading at ``decisions.chain`` (what to do)
and ``engine.reconciler`` (one step). From the top, each package imports only those below it:

    cli          the operator's command line; not deployed
    bootstrap    the only place that constructs clients
    web          HTTP API and dashboard
    service      what triggers and people call
    ops          doctor, discovery and enrolment
    engine       one step on one account, and the journal
    adapters     the ports on Azure; does not import engine, nor engine it
    decisions    facts in, one action out; pure
    settings     environment to Settings; pure
    ports        what the core needs from outside
    domain       nouns and values; pure
    runtime      clock, concurrency, log, metrics

``make check`` enforces it.
"""

__version__ = "0.1.0"
