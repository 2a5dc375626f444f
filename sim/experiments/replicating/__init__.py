"""HOW OFTEN: replications in rounds, figures and verdicts over them, results on disk and back."""
