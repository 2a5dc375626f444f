"""Tests of `sim.models`: mirrors of its files, and strange scenarios."""
