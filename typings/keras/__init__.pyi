# Keras's types are inferred from default values: an initializer where `str` is the default is
# refused, and so is a shape that may be None before a layer is built.
from typing import Any

def __getattr__(name: str) -> Any: ...
