"""The consumer samples of examples/consumers, over the emulated Azure."""
