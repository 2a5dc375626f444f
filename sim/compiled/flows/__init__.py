"""What goes on, as flows: generators over rows that read like the models they mirror (`sim/models`), and are cut.

`cutting/` says what a flow may be and makes a function of it, `written/` holds what has been made. `kinds.py` is how
mypy sees the rows in a flow.
"""
