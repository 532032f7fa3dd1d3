"""Documents whose commands were really run: ``python -m scripts.tour`` runs them again."""
