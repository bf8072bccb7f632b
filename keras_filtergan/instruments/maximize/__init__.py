"""Images that maximise a unit, channel, layer or class."""
