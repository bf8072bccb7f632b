"""Names that a package offers without importing their modules before they are used."""

from collections.abc import Callable
from importlib import import_module
from typing import Any


def offer(
    package: dict[str, Any], names: dict[str, str], modules: dict[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package (PEP 562).

    Args:
        package: its `globals()`.
        names: name → the module below the package that holds it.
        modules: name → the module below the package that it is.

    Example:
        >>> __getattr__, __dir__, __all__ = offer(globals(), {"FilterGAN": "gan.filtergan"})
    """
    here, modules = package["__name__"], modules or {}
    offered = sorted([*names, *modules])

    def get(name: str) -> Any:
        if name in names:
            value = getattr(import_module(f"{here}.{names[name]}"), name)
        elif name in modules:
            value = import_module(f"{here}.{modules[name]}")
        else:
            raise AttributeError(f"module {here!r} has no attribute {name!r}")
        package[name] = value
        return value

    return get, lambda: sorted({*package, *offered}), offered
