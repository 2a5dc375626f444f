"""WHAT HAPPENED: requests, messages, spans, events and time series of one run, as columns."""
