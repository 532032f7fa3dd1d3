"""Real worker processes on one storage queue and one journal, in real time."""
