"""The scenarios that come with sim, as package data: `sim list` shows them, and their names stand for their files
anywhere.
"""
