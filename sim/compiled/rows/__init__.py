"""WHAT IS KNOWN: the rows of the compiled engine, each kind declared once.

`declaring.py` says what a declaration gives, `tables.py` how code comes to a table and its rows, and the rooms beside
them are the declarations: of what runs (`running`), of events, hosts, calls, traffic, logs, the gateway, programs,
time series, and of what is handed over (`records`). `state.py` knows them all.
"""
