"""`simulation.log` of Gatling, as text: tabs between fields, which differ from version to version.

A line of a request ends with its name, start, end (milliseconds since 1970), OK or KO and perhaps a message; before
the name stand the groups, and up to version 3.3 the number of the user. From 3.11 on the log is binary. Source: the
writers of the log in Gatling's own repository (`LogFileDataWriter`), by version.
"""

from __future__ import annotations

import re

from sim.measured.measurement import Measured
from sim.measured.moment import UnreadableRowError, of_number
from sim.measured.outcomes import outcome_of, outcome_of_error
from sim.measured.rows import Rows
from sim.measured.source import Source
from sim.vocabulary import Outcome

_TIME = re.compile(r"\d{12,14}")
_CODE = re.compile(r"(?:found|but actually found) (\d{3})\b")
_UNDERSTOOD = ("a request is a line REQUEST: its start and end, in milliseconds since 1970",)


def recognises(source: Source) -> bool:
    """A line of a run at the top, or one of a request."""
    return any(line.startswith(("RUN\t", "REQUEST\t")) or "\tREQUEST\t" in line for line in source.lines_of_head[:10])


def read(source: Source) -> Measured:
    """The requests, whichever version wrote them."""
    rows = Rows(source)
    for number, line in source.lines():
        fields = line.rstrip("\r").split("\t")
        if "REQUEST" not in fields[:3]:
            continue
        try:
            _add(rows, fields)
        except UnreadableRowError as error:
            rows.pass_over(number, str(error))
    return rows.measured("Gatling simulation.log", _UNDERSTOOD, ("when a request was meant to be sent",))


def _add(rows: Rows, fields: list[str]) -> None:
    end = next((place for place in range(len(fields) - 1, 2, -1) if fields[place].strip() in ("OK", "KO")), 0)
    begin = end
    while begin > 1 and _TIME.fullmatch(fields[begin - 1].strip()):
        begin -= 1
    if end - begin < 2 or begin < 1:
        raise UnreadableRowError("found a REQUEST without a start, an end and OK or KO")
    start, ended = of_number(fields[begin], "ms"), of_number(fields[end - 1], "ms")
    message = " ".join(fields[end + 1 :])
    code = _CODE.search(message)
    status = int(code[1]) if code else 0
    outcome = Outcome.OK
    if fields[end].strip() == "KO":
        outcome = outcome_of(status) if status >= 400 else outcome_of_error(message)
    rows.add(start, (ended - start) / 1e9, fields[begin - 1].strip(), status, outcome, _user(fields, begin - 1))


def _user(fields: list[str], name: int) -> str:
    """The number of the user, where the version writes it: before the groups."""
    known = fields[1 if fields[0] != "REQUEST" else 2 if name > 3 else 1 : name - 1]
    return next((field for field in known[:1] if field.isdigit()), "")
