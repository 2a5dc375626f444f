"""A scenario out of the files that a system has: manifests, compose files, the settings of gateways.

A stranger's file becomes plain data with places (`reading`), its kind is told from its content (`kinds`), and a reader
for that kind, one module each, writes what it knows into one `Draft`, with a remark of where every value came from, of
what was left out and of what no such file says. `joining` makes one system of what several files say, and `writing` the
text of a scenario that reads as if a person had written it. Nothing is fetched, and no file is read that was not named.
"""

from sim.importing.importer import Imported, import_files

__all__ = ["Imported", "import_files"]
