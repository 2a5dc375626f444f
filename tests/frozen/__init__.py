"""Fingerprints of thousands of systems, kept as a file: a change of the engines that changes any of their records says so and says why."""
