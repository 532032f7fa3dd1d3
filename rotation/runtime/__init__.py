"""Clock, concurrency, log and metrics. It imports no other package of ``rotation``."""
