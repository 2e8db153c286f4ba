"""Measurements of Keyturn and of its local cloud; ``python -m bench`` runs them all."""
