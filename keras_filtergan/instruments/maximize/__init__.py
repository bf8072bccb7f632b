"""Images that a unit, channel, layer or class wants to see."""
