"""The JSON bodies that the API replies with, as types.

The OpenAPI document is generated from them (``python -m scripts.openapi``). A member that is always
present but may be unknown is ``X | None``; a member that may be absent is ``X | UnsetType``.
May import ``domain``, ``ops`` and ``msgspec``. Start reading at ``rotation``.
"""
