"""What `python sim/compiled/cutting/write.py` has cut from the flows; nobody edits it."""
