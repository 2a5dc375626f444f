"""The answer of a report in words: one sentence, and what else has to be known to act on it."""

from sim.report.conclusions.conclusion import Conclusion

__all__ = ["Conclusion"]
