"""Groups that rebalance, fetch and commit in their own ways, on both engines: the systems of the stories, and some made at random."""

import pytest

from sim import testing
from sim.spec import load_document
from tests.compiled.same import differences
from tests.models.random_systems.groups import group_system
from tests.models.test_commits import SYSTEM as COMMITS
from tests.stories.test_rebalances import CRASH, DEPLOY, FLOW, system

pytestmark = pytest.mark.xdist_group("compiled")  # so that one process compiles, not each
FEW = FLOW[::20]
BACK = "{at: 100s, crash: {of: worker, replicas: 1, restart_after: 10s}}"


def check(document):
    from sim import compiled, models

    (scenario,) = load_document(document).variants.values()
    one, other = models.simulate(scenario), compiled.simulate(scenario)
    assert differences(one, other) == []
    return testing.Played(scenario, other)


@pytest.mark.parametrize("membership", ["eager", "cooperative", "consumer", "{static: true}"])
@pytest.mark.parametrize("fault", [CRASH, BACK, DEPLOY], ids=["crash", "back", "deploy"])
def test_members_come_and_go_alike(membership, fault):
    played = testing.play_on_both(system(f"membership: {membership}", fault), FEW)
    assert played.events("partitions_assigned") or "static" in membership


def test_a_member_that_takes_too_long_is_given_up_alike():
    played = testing.play_on_both(system("membership: {max_poll_interval: 30s}", work="40s", partitions=1), [0.0])
    assert played.requests["charges"][0] >= 7


@pytest.mark.parametrize("commit", ["batch", "record", "before", "{when: automatic, interval: 50ms}"])
@pytest.mark.parametrize("crash", ["1027ms", "1100ms"])
def test_what_a_crash_makes_of_commits_is_alike(commit, crash):
    text = COMMITS.replace("WORDS", f"commit: {commit}, fetch: {{min: 3KiB}}").replace("CRASH", crash)
    testing.play_on_both(text, [1.0, 1.0, 1.0, 1.05, 1.06])


def test_some_groups_made_at_random():
    seen = {event.kind for seed in range(5) for event in check({"version": 1, **group_system(seed)}).events()}
    assert {"rebalance_began", "partitions_assigned"} <= seen


@pytest.mark.long
def test_many_groups_made_at_random():
    for seed in range(5, 150):
        check({"version": 1, **group_system(seed)})
