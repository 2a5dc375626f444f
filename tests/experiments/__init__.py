"""Tests of `sim.experiments`."""
