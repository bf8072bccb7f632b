"""For the documentation site: `Example:` of a docstring is shown as a session, not as prose."""

import re
from typing import Any

import griffe


class Examples(griffe.Extension):
    """Griffe has a section `Examples:`; with one example it is `Example:` here."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rename the section of whatever has a docstring."""
        if obj.docstring is not None:
            text = obj.docstring.value
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", text, flags=re.MULTILINE)
