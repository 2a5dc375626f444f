"""Tests of `sim.experiments.on_paper`."""
