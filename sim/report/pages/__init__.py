"""One page for each kind of answer, all in the same frame: question, answer, cards, charts, tables, how sure, what is
not modelled, the scenario.
"""
