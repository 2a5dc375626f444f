"""One value says where and how jobs run, and every verb takes its fields as keywords."""

from __future__ import annotations

import inspect
from dataclasses import fields

import pytest

import sim
from sim.experiments.running.options import RunKeywords, RunOptions

VERBS = (sim.run, sim.compare, sim.explain, sim.sweep, sim.find_capacity, sim.find_cheapest, sim.find_stability)
QUEUE = """
version: 1
duration: 5s
traffic: {guests: {sends: shop.buy, arrivals: {poisson: 5/s}}}
services: {shop: {workers: 1, endpoints: {buy: [{work: 1ms}]}}}
"""


def test_the_keywords_are_the_fields():
    assert set(RunKeywords.__annotations__) == {field.name for field in fields(RunOptions)}


@pytest.mark.parametrize("verb", VERBS)
def test_no_verb_names_them_one_by_one(verb):
    assert {field.name for field in fields(RunOptions)}.isdisjoint(inspect.signature(verb).parameters)


def test_a_keyword_that_is_none_is_refused_by_name():
    with pytest.raises(TypeError, match="unexpected keyword argument 'job'"):
        sim.run(sim.load_text(QUEUE), job=1)


def test_what_is_done_with_a_job_is_one_of_them():
    """A function of the caller's own stands in the place of simulating and measuring."""
    done = []

    def counted(job, tick):
        done.append(job.replication)
        return RunOptions().perform(job, tick)

    sim.run(sim.load_text(QUEUE), replications=2, jobs=1, perform=counted)
    assert done == [0, 1]
