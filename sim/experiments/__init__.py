"""WHAT WE ASK: five rooms, on paper, running, replicating, searching, stability; and how a scenario is found
(`shipped.py`).
"""
