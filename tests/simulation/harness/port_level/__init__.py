"""The ports directly on the emulator's state, without the SDKs and the wire."""
