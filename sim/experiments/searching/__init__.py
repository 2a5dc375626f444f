"""AT WHICH SETTINGS: sweeps and their designs, the capacity, the cheapest settings, which setting matters."""
