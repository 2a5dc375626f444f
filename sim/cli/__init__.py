"""The command line: how a command begins, ends and tells an error. The verbs stand in the files beside this one, a thin
command each; everything heavy is imported inside the command that needs it.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import NoReturn

import click

from sim import __version__
from sim.cli.asking import capacity, explain, stability, sweep
from sim.cli.beginning import check, import_scenario, list_scenarios, new
from sim.cli.comparing import compare, report, run
from sim.cli.destination import Destination
from sim.cli.dictionary import words
from sim.cli.editors import completion, schema
from sim.cli.ending import Ending, came_of_interruption
from sim.cli.export import export
from sim.cli.mcp import mcp
from sim.cli.measuring import fit, validate
from sim.cli.options import Verbs
from sim.cli.streams import mute, not_said, open_closed, tell
from sim.cli.watch import watch
from sim.errors import Interrupted, Problem, ScenarioError, SimError, UsageError

DEFECT = 3  # exit code of what should not have happened
BROKEN_OFF = Interrupted.exit_code


def main() -> NoReturn:
    """The entry point of the command `sim`."""
    open_closed()
    if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.closed:
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no tick shows a question mark
    warnings.showwarning = lambda message, *_: tell(f"note: {message}")
    ending = Ending()
    code = ending.exit_code(answer(sys.argv[1:], ending))
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        mute()
    except OSError as error:
        mute()
        code = DEFECT
        tell(f"error: {not_said(error)}")
    ending.leave(code)


def answer(arguments: Sequence[str], ending: Ending | None = None) -> int:
    """Run one command line and give its exit code; errors are told on stderr, without a traceback unless asked.

    What an interruption broke off is handed to `ending`, which need not take it apart.
    """
    try:
        code = sim.main(list(arguments), prog_name="sim", standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        tell(shown.getvalue().rstrip("\n"))
        _write_refusal(error.exit_code, [Problem(error.format_message())], arguments)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        tell("interrupted")
        if ending is not None:
            ending.broken_off = error
        return BROKEN_OFF
    except BrokenPipeError:
        mute()
        return 0
    except SimError as error:
        _tell(error)
        problems = error.problems if isinstance(error, ScenarioError) else (Problem(str(error)),)
        _write_refusal(error.exit_code, problems, arguments)
        _trace(error, arguments)
        if ending is not None and isinstance(error, Interrupted):
            ending.broken_off = error
        return error.exit_code
    except Exception as error:  # a defect of ours or of a plug-in: said in one line, with the way to see more
        if came_of_interruption(error):
            tell("interrupted")
            if ending is not None:
                ending.broken_off = error
            return BROKEN_OFF
        if not _trace(error, arguments):
            tell(f"error: unexpected {type(error).__name__}: {error}; --debug shows where")
        return DEFECT
    return code if isinstance(code, int) else 0


def _tell(error: SimError) -> None:
    if isinstance(error, ScenarioError):
        count = len(error.problems)
        tell("\n".join(map(str, error.problems)))
        tell(f"{count} problem{'s' if count != 1 else ''}")
    else:
        tell(str(error) if isinstance(error, Interrupted) else f"error: {error}")


def _write_refusal(code: int, problems: Sequence[Problem], arguments: Sequence[str]) -> None:
    """What is wrong with a scenario or a call, as JSON as well where that was asked for."""
    asked = [next((after for name, after in pairwise(arguments) if name == "--json"), None)]
    asked += [word.removeprefix("--json=") for word in arguments if word.startswith("--json=")]
    name = next((name for name in asked if name is not None), None)
    if code != UsageError.exit_code or name is None or arguments[0] not in sim.commands:
        return
    from sim.experiments.envelope import refused, written

    with contextlib.suppress(SimError):  # that it cannot be written may be what is wrong
        place = Destination(name)
        place.refuse()
        place.write(written(refused(arguments[0], problems)))


def _trace(error: Exception, arguments: Sequence[str]) -> bool:
    if "--debug" not in arguments and not os.environ.get("SIM_DEBUG"):
        return False
    import traceback

    tell("".join(traceback.format_exception(error)).rstrip("\n"))
    return True


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="%(prog)s %(version)s")
def sim() -> None:
    """Simulate microservices under load and harm.

    \b
    Example:
      sim compare payment-outage      sync against async, same shoppers, same luck, same outage

    A FILE is a path or the name of a shipped scenario. Exit codes: 0 all well, 1 an expectation failed, 2 the call or
    the scenario is wrong, 3 the run itself failed, 130 interrupted (143 by SIGTERM).
    """


VERBS = (  # in the order in which `sim --help` lists them
    list_scenarios,
    new,
    import_scenario,
    check,
    fit,
    validate,
    run,
    compare,
    explain,
    stability,
    sweep,
    capacity,
    report,
    completion,
    watch,
    export,
    mcp,
    schema,
    words,
)
for verb in VERBS:
    sim.add_command(verb)
