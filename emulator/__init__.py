"""An emulated Azure that speaks the real wire protocol to the real SDK clients.

``azure.py`` is the core: sans-I/O, on one shiftable clock. ``transport.py`` puts it under a client
in process; ``proxy.py`` behind an HTTPS proxy with a throw-away CA; ``host.py`` runs a function app
where Core Tools is missing; ``demo.py`` is the demo. Nothing here knows of ``rotation``.
"""
