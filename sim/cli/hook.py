"""What the hooks of pre-commit run: `python -m sim.cli.hook check|expect FILE...`.

Silent where all is well; nothing is written.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import click

from sim.cli.options import Whole
from sim.cli.streams import say, tell
from sim.errors import ScenarioError, SimError, UsageError, did_you_mean

VERBS = ("check", "expect")


@click.command()
@click.argument("verb", metavar="check|expect")
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option(
    "--replications",
    type=Whole(min=1),
    default=3,
    show_default=True,
    metavar="N",
    help="Runs of each variant, of expect.",
)
def hook(verb: str, files: Sequence[str], replications: int) -> int:
    """Whether scenarios are without errors (check), or keep what they expect of themselves (expect)."""
    if verb not in VERBS:
        raise UsageError(f"unknown hook '{verb}'{did_you_mean(verb, VERBS)}")
    codes = [_judged(file, replications if verb == "expect" else 0) for file in files]
    return max(codes, default=0)


def _judged(file: str, replications: int) -> int:
    """The exit code for one file, whose errors do not keep the others from being told."""
    try:
        broken = list(_broken(file, replications))
    except ScenarioError as error:
        tell("\n".join(map(str, error.problems)))
        return error.exit_code
    except SimError as error:
        tell(f"{file}: {error}")
        return error.exit_code
    for line in broken:
        say(f"{file}: {line}")
    return 1 if broken else 0


def _broken(file: str, replications: int) -> Iterator[str]:
    from sim.experiments.shipped import load

    study = load(file)
    if replications and any(scenario.expect for scenario in study.variants.values()):
        from sim.experiments.replicating.comparison import compare
        from sim.report.table import found_in

        for name, result in compare(study, replications=replications).variants.items():
            for verdict in result.verdicts:
                if not verdict.passed:
                    yield f"{name}: expected {verdict.text}, {found_in(verdict.text, verdict.value, verdict.reason)}"


def main(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code."""
    try:
        code = hook.main(list(arguments), prog_name="sim.cli.hook", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SimError as error:
        tell(f"error: {error}")
        return error.exit_code
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
