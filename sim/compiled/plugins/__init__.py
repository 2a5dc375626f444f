"""Steps of plug-ins: a flow is cut when a scenario needs it, compiled by itself, and called by its address.

So the interpreter is the same machine code whatever plug-ins there are, and who has none pays nothing.
"""
