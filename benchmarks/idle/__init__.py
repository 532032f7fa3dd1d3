"""The sweep of a large fleet at rest: its calls, and what it takes in the product's process.

The emulator runs in another process, behind its HTTPS proxy, with the real protocol.
"""
