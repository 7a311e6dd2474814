"""`tonesmith demo`: the whole journey on this machine, with the real engines."""
