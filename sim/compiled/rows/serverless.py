"""Rows of functions and of their instances."""

from __future__ import annotations

from sim.compiled.rows import running
from sim.compiled.rows.declaring import Perhaps, Row
from sim.compiled.rows.tables import Pool, Returning, Table, Taking
from sim.policies.serverless import STARTS, StartsRow


class InstanceLine(Row):
    """Instances with room, by their `next` and `previous`: who was used last stands last."""

    first: Perhaps[Instance]
    last: Perhaps[Instance]


class Function(Row):
    """All of a service."""

    idle_timeout: float  # s
    paid_area: float
    running_area: float  # the integral of the instances on demand that have a request in them
    running_provisioned_area: float
    roomy: InstanceLine
    ready: InstanceLine  # the same of provisioned ones
    concurrency: int
    limit: int
    cold_start: int  # a draw
    there: int
    provisioned: int
    fresh: int  # provisioned ones that nobody has used yet
    account: Perhaps[FunctionAccount]  # what it shares with others
    running: int
    running_provisioned: int
    cold_starts: int
    throttled: int
    spilled: int
    executions: int


class FunctionAccount(Row):
    """What functions without a reserve of their own share."""

    most: int  # requests at once
    active: int


class Instance(Row):
    """One of them."""

    ready_at: float  # s
    since: float  # s; when somebody came or went last
    active: int  # requests in it
    provisioned: bool
    next: Perhaps[Instance]
    previous: Perhaps[Instance]


class Holding(Row):
    """Where there are functions: of the attempt in the row of the same place."""

    instance: int  # that it is in, counted from 1; 0: in none


serverless_functions = Table("serverless_functions", Function)
accounts = Table("accounts", FunctionAccount)
starts = Table("starts", StartsRow, dtype=STARTS)
instances = Table("instances", Instance, pool=Pool(64))
holdings = Table("holdings", Holding, beside=running.tasks)

take_instance, give_back_instance = Taking(instances), Returning(instances)
