"""The parts of a scenario, by the file that declares them.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""
