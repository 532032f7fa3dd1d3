"""The handlers: each takes a call and returns a response. ``dispatch`` maps their errors."""
