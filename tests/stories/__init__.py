"""Phenomena, each tripped by its real cause."""
