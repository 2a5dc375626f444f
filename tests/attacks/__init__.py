"""Instruments that attack the tool: mutated input, kills, full disks, signals. CONTRIBUTING says how to run them by hand."""
