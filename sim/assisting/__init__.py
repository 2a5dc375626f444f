"""FOR ASSISTANTS: the verbs as tools of the Model Context Protocol, each call a process of its own with bounds of time,
memory and work.
"""
