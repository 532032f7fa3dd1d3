"""The demo: everything really happens, over the wire, in about half a minute."""
