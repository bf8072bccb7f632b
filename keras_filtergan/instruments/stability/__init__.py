"""Stability to diffeomorphisms, layer by layer."""
