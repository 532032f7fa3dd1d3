"""An emulated Azure that speaks Azure's wire protocols to the SDK clients.

Start with ``azure.py``, which builds one. ``core`` and ``services`` do no I/O; ``sdk`` connects
them to clients in this process, ``proxy`` to clients in other processes. ``host`` is a small,
separate Functions host, ``demo`` shows everything together, ``playground`` lets people try it.
Imports nothing from ``rotation``.
"""
