"""How sure we are: quantiles, intervals, paired differences, stopping. Knows nothing of simulation."""
