"""Tests of `sim.experiments.stability`."""
