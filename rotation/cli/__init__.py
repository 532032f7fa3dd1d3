"""The command line, ``python -m rotation``: the extra ``cli``, which is not deployed.

``app`` has the commands; ``reach`` is how they get to the service: over HTTP, or directly with the
operator's own hands. Both give the same JSON, which ``screen`` shows.
"""
