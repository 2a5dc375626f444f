"""The steps of an endpoint as YAML: a line each where they are short."""

from __future__ import annotations

from collections.abc import Sequence

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from sim.importing.draft import AtOnce, CallOf, Draft, Plain, Repeated, Said, Service, Sometimes, Step
from sim.importing.remarks import one_line, plain, words
from sim.spec.document import Data

ENDPOINT = "handle"  # the one endpoint of a service of which no file names any


def first_endpoint(service: Service) -> str:
    """Of a service the endpoint that stands for all, or the first that a file names."""
    return next(iter(service.endpoints), ENDPOINT)


def written_steps(draft: Draft, steps: Sequence[Step]) -> CommentedSeq:
    """Steps of an endpoint, in a line each where they are short."""
    answer = CommentedSeq()
    for step in steps:
        if isinstance(step, AtOnce):
            branches = CommentedSeq([_branch(draft, branch) for branch in step.branches])
            answer.append(CommentedMap({"parallel": branches}))
            continue
        if isinstance(step, (Sometimes, Repeated)):
            _add_wrapped(draft, step, answer)
            continue
        value, said = _written(draft, step)
        one = CommentedMap({key: plain(item) for key, item in value.items()})
        if len(one) > 1:
            one.fa.set_flow_style()
            answer.append(one)
            if said:
                answer.yaml_add_eol_comment(said, len(answer) - 1, column=0)
        else:
            if said:
                one.yaml_add_eol_comment(said, next(iter(one)), column=0)
            answer.append(one)
    return answer


def _add_wrapped(draft: Draft, step: Sometimes | Repeated, answer: CommentedSeq) -> None:
    """A call now and then, or several times: in one line."""
    inner, said = _written(draft, step.step)
    do = CommentedSeq([_flow(inner)])
    do.fa.set_flow_style()
    if isinstance(step, Sometimes):
        branches = CommentedSeq([_flow({"share": f"{100 * step.share:.3g}%", "do": do})])
        branches.fa.set_flow_style()
        one = _flow({"choose": branches})
        said = "; ".join(words for words in (one_line(step.remark), said) if words)
    else:
        one = _flow({"repeat": step.times, "do": do, **({"at_once": True} if step.at_once else {})})
    answer.append(one)
    if said:
        answer.yaml_add_eol_comment(said, len(answer) - 1, column=0)


def _written(draft: Draft, step: Step) -> tuple[dict[str, Data], str]:
    """A step as its map, and the remark beside it."""
    if isinstance(step, CallOf):
        callee = draft.services[step.to]
        endpoint = step.endpoint if step.endpoint in callee.endpoints else first_endpoint(callee)
        value: dict[str, Data] = {"call": f"{callee.name}.{endpoint}"}
        if policy := step.policy or callee.guard:
            value["policy"] = policy
        if step.tolerated:
            value["fallback"] = []
        return value, one_line(step.remark)
    assert isinstance(step, Plain)
    return step.said.value, words(step.said)


def _branch(draft: Draft, branch: Sequence[Step]) -> Data:
    """A branch: the one step that it is, or a list of them."""
    made = [_flow(_written(draft, step)[0]) for step in branch]
    if len(made) == 1:
        return made[0]
    answer = CommentedSeq(made)
    answer.fa.set_flow_style()
    return answer


def _flow(value: dict[str, Data]) -> CommentedMap:
    answer = CommentedMap(value)
    answer.fa.set_flow_style()
    return answer


def listed_steps(items: Sequence[Said]) -> CommentedSeq:
    """A list of maps in one line each."""
    answer = CommentedSeq()
    for said in items:
        one = plain(said.value)
        if len(said.value) > 1:
            answer.append(one)
            answer.yaml_add_eol_comment(words(said), len(answer) - 1, column=0)
        else:
            one.fa.set_block_style()
            one.yaml_add_eol_comment(words(said), next(iter(one)), column=0)
            answer.append(one)
    return answer
