"""The layers of a guarded call, a file each, as in `sim/models/layers`; `sim/compiled/flows/calls.py` has them all."""
