"""Logs in depth: nodes and replicas, producers, retention, transactions. The plain log is `models/topic.py`."""
