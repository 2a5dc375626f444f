"""A module for each kind of word, and one for each kind of part.

Written by `python sim/builder/write.py` from the declarations; not by hand.
"""
