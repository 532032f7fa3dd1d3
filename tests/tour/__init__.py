"""Documents whose commands were really run: ``python -m tests.tour`` runs them again."""
