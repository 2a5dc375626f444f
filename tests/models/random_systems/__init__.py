"""The parts of systems made at random: one file for each part of the language. `tests/models/any_scenario.py` puts them together."""
