"""Tests of `sim.experiments.searching`."""
