"""What stands between a run and its loss, and between a file and trust in it."""
