"""WHAT WE ASK ON PAPER: load, tails and tries computed without simulating, and what is merely unwise.

The floor of `sim check`.
"""
