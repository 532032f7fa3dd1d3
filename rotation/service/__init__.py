"""The service: what the function app's triggers, the HTTP API and the command line call.

``triggers`` handles the timer, queue messages and events. ``commands`` records operators'
requests, ``queries`` and ``previews`` answer their questions, ``views`` turn the answers into
``replies``, the types of the JSON bodies. Nothing here changes a key: the reconciler in ``engine``
does.

May import ``ops``, ``engine`` and everything below them; never ``adapters`` or ``web``. Start
reading at ``service.py``, then ``commands.py``.
"""
