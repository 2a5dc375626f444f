"""THE SITE: README, reference, scenarios, notebooks and recipes as one set of pages (`make docs`); `pages/` holds those
that are written by hand, whose examples all run.
"""
