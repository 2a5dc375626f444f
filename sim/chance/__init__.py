"""What is drawn: keyed uniforms, one transform per distribution, arrival processes, popularity.

Knows numba; knows no engine.
"""
