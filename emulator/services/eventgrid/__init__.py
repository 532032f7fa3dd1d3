"""Event Grid: system topics that deliver to subscriptions, and custom topics that keep events.

Start with ``system_topic.py``. A topic is plain data; ``emulator.proxy.delivery`` sends its events.
Imports from ``emulator.core`` only.
"""
