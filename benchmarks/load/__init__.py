"""A load test: hundreds of consumers call at a steady rate while keys rotate and things break.

Start with ``story.py``. The consumers are the shipped samples of ``examples/consumers/python``, in
their own processes; the function app is a process too, and both reach the emulated Azure by its
proxy.
"""
