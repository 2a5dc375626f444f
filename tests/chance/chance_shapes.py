"""Rate profiles that the tests of rates and of arrivals share."""

from sim.spec import arrivals as spec

RAMP_AND_SPIKE = spec.Profile(
    segments=[
        {"for": "60s", "from": "10/s", "to": "100/s"},
        {"for": "60s", "rate": "100/s"},
        {"for": "5s", "rate": "500/s"},
        {"for": "55s", "rate": "100/s"},
    ]
)
EVERYTHING = spec.Profile(
    segments=[
        {"for": "50s", "rate": "0/s"},
        {"for": "100s", "diurnal": {"mean": "20/s", "amplitude": 1, "period": "60s", "phase": "7s"}},
        {"for": "200s", "flash_crowd": {"base": "5/s", "peak": "80/s", "rise": "30s", "decay": "40s"}},
        {"for": "10s", "from": "40/s", "to": "0/s"},
        {"for": "40s", "rate": "0/s"},
        {"for": "20s", "from": "0/s", "to": "30/s"},
        {"rate": "7/s"},
    ]
)


def profile(*segments, times="1x"):
    return spec.Profile(segments=segments, times=times)
