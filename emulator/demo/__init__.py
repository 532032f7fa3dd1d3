"""The demo: a rotation, a repair and an emergency on the emulator, in about 25 seconds.

Start with ``story.py``; ``python -m emulator.demo`` runs it. Imports from ``emulator.proxy``,
``emulator.sdk`` and the layers below them.
"""
