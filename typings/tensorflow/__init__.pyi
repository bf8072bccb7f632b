# TensorFlow has no types of its own, and those of others refuse arrays where tensors are wanted.
from typing import Any

def __getattr__(name: str) -> Any: ...
