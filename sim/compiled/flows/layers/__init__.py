"""The layers of a guarded call, one file each, as in `sim/models/layers`; `flows/calls.py` has them all."""
