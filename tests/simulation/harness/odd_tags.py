"""Tags and expiries that nobody expects."""

from __future__ import annotations

from rotation.domain import tags

# Each is a tag's name and its text; None is a tag without a value.
ODD_TAGS: tuple[tuple[str, str | None], ...] = (
    (tags.VALIDITY_PERIOD_DAYS, "0000019999999999"),
    (tags.VALIDITY_PERIOD_DAYS, "-1"),
    (tags.VALIDITY_PERIOD_DAYS, "0"),
    (tags.VALIDITY_PERIOD_DAYS, "1"),
    (tags.VALIDITY_PERIOD_DAYS, "٣٠"),
    (tags.VALIDITY_PERIOD_DAYS, None),
    (tags.OVERLAP, "P999999999D"),
    (tags.OVERLAP, "P7DT1S"),
    (tags.OVERLAP, "PT0S"),
    (tags.MINIMUM_INTERVAL, "P999999999D"),
    (tags.MINIMUM_INTERVAL, "P99999999999999999999D"),
    (tags.WINDOW, "whenever"),
    (tags.WINDOW, "Mon 00:00-00:01 UTC"),
    (tags.PAUSED, "perhaps"),
    (tags.CREDENTIAL_ID, "Key3"),
    (tags.ROTATION_ID, "x" * 600),
    ("x" * 600, "y"),
    ("\ud83d", None),
)
# Seconds: at once, before 1970, after the year 9999, more than a float can count.
ODD_EXPIRIES = (1, -1, 10**12, 10**20)
