"""How sure an ensemble of generated networks is of strange images."""
