"""Tests of `sim.experiments.running`."""
