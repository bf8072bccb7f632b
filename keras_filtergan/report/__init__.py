"""One file that shows what a run found: headline figures, an explorer to touch, and the record."""
