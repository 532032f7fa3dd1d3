"""The emulated Azure and the function app together, for people: ``make emulator`` starts them."""
