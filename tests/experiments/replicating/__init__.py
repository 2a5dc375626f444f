"""Tests of `sim.experiments.replicating`."""
