"""WHAT WE ASK: check, run, compare; offered load on paper, jobs and where they run, verdicts, results on disk and back."""
