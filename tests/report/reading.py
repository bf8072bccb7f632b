"""A report read back: what its script would see, by other means than those that wrote it."""

import base64
import io
import json
from html.parser import HTMLParser

import numpy as np
from PIL import Image


class Page(HTMLParser):
    """The text of a page, its elements with their attributes, and the data of the explorer."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] == "script":
            self.scripts.append(data)
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    @property
    def explorer(self) -> dict:
        return json.loads(self.scripts[0])

    def addresses(self) -> list[str]:
        """Everything that a browser would load or follow."""
        names = ("src", "href", "srcset", "action", "data", "poster", "xlink:href")
        return [a[name] for _, a in self.elements for name in names if name in a]


def sheet(grid: dict) -> np.ndarray:
    """Pictures of a grid, bytes `(rows, columns, h, w)` or with three channels."""
    content = base64.b64decode(grid["sheet"].split(",")[1])
    pixels = np.asarray(Image.open(io.BytesIO(content)))
    h, w = pixels.shape[0] // grid["rows"], pixels.shape[1] // grid["columns"]
    return np.stack(
        [
            [pixels[r * h : (r + 1) * h, c * w : (c + 1) * w] for c in range(grid["columns"])]
            for r in range(grid["rows"])
        ]
    )


def numbers(grid: dict) -> np.ndarray:
    """The bytes of a grid, `(rows, columns, 1 + …)`."""
    values = np.frombuffer(base64.b64decode(grid["numbers"]), np.uint8)
    return values.reshape(grid["rows"], grid["columns"], -1)
