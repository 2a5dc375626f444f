"""Traces: what every endpoint of a system did, from the spans that were recorded of it.

Spans of any format become rows of one table (`table`), read piece by piece so that a file larger than memory is no
matter (`json_pieces`). Rows of a trace become a tree (`forest`), the tree of calls between endpoints becomes
classes of requests that do the same (`calls`, `classes`), and these become endpoints of the scenario (`endpoints`,
`filling`).
"""
