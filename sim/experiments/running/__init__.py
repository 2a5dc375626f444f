"""WHERE RUNS GO: one replication as a job; engines, processes, cluster and machine code; the journal, and memory it
takes.
"""
