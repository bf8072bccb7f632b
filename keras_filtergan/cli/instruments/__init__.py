"""A file a command: each puts a specimen under one instrument."""
