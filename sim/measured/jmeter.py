"""Results of JMeter (.jtl): CSV and XML.

`timeStamp` is milliseconds since 1970 of the start of a sample (`sampleresult.timestamp.start=true`, so shipped since
2.1.2), `elapsed` how long it took. A row of a transaction controller repeats the samples in it and is left out, as
are samples within a sample (redirects, embedded resources). Sources: "CSV Log format" and "XML Log format" of
JMeter's user manual, chapter "Listeners".
"""

from __future__ import annotations

from xml.parsers import expat

from sim.measured.measurement import Measured
from sim.measured.moment import UnreadableRowError, of_iso, of_number, seconds_of
from sim.measured.outcomes import outcome_of, outcome_of_error
from sim.measured.rows import Rows
from sim.measured.source import Source
from sim.measured.table import Table, cell_of
from sim.vocabulary import Outcome

_DEFAULT = (  # the columns of a file without a header
    *("timeStamp", "elapsed", "label", "responseCode", "responseMessage", "threadName", "dataType", "success"),
    *("failureMessage", "bytes", "sentBytes", "grpThreads", "allThreads", "URL", "Latency", "IdleTime", "Connect"),
)
_TRANSACTION = "Number of samples in transaction"
_UNDERSTOOD = ("a request is a sample: its start and how long it took, in milliseconds; each thread is a user",)
_MISSING = ("when a request was meant to be sent: a thread sends the next one when it has its answer",)
_DEEPEST = 100  # samples within samples
_LARGEST_TAG = 4 * 2**20  # bytes that may come without one tag being whole


def recognises_csv(source: Source) -> bool:
    """Its header, or a row of the default columns."""
    cells = source.first_line.replace(";", ",").replace("\t", ",").split(",")
    if "timeStamp" in cells and "elapsed" in cells:
        return True
    times = len(cells) > 12 and cells[0].isdigit() and len(cells[0]) == 13 and cells[1].isdigit()
    return times and cells[7] in ("true", "false")


def read_csv(source: Source) -> Measured:
    """Of CSV."""
    rows = Rows(source)
    table = Table(source, () if "timeStamp" in source.first_line else _DEFAULT)
    names = ("timeStamp", "elapsed", "label", "responseCode", "success", "threadName", "responseMessage")
    columns = [table.index(name) for name in names]
    for number, row in table.rows():
        time, elapsed, label, code, success, thread, message = (cell_of(row, column) for column in columns)
        if message.startswith(_TRANSACTION):
            continue
        try:
            _add(rows, time, elapsed, label, code, success, thread)
        except UnreadableRowError as error:
            rows.pass_over(number, str(error))
    return rows.measured("JMeter CSV", _UNDERSTOOD, _MISSING)


def _add(rows: Rows, time: str, elapsed: str, label: str, code: str, success: str, thread: str) -> None:
    moment = of_number(time, "ms") if time.isdigit() else of_iso(time.replace("/", "-"))
    status = int(code) if code.isdigit() and len(code) < 5 else 0
    outcome = outcome_of(status) if status or not code else outcome_of_error(code)
    if success.lower() == "false" and outcome is Outcome.OK:
        outcome = Outcome.ERROR  # an assertion has failed
    if success.lower() == "true" and not status:
        outcome = Outcome.OK  # a sampler that is not of HTTP
    rows.add(moment, seconds_of(elapsed, "ms"), label, status, outcome, thread)


def recognises_xml(source: Source) -> bool:
    """Its root."""
    return "<testResults" in source.head[:4000]


def read_xml(source: Source) -> Measured:
    """Of XML, as a stream. A DOCTYPE is refused: entities can stand for anything, and results have none."""
    reading = _Reading(source)
    reading.all()
    return reading.rows.measured("JMeter XML", _UNDERSTOOD, _MISSING)


class _Reading:
    """The samples of an XML file."""

    def __init__(self, source: Source) -> None:
        self.rows = Rows(source)
        self._source = source
        self._depth = self._inside = 0  # elements around; samples around
        self._since_tag = 0
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end

    def all(self) -> None:
        """Read the file to its end."""
        try:
            for piece in self._source.pieces():
                self._since_tag += len(piece)
                self._parser.Parse(piece, False)
                if self._since_tag > _LARGEST_TAG + len(piece):
                    raise self._source.wrong("found a tag without an end", self._parser.CurrentLineNumber)
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            if not len(self.rows) or error.code != expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS]:
                self._cut(error)

    def _cut(self, error: expat.ExpatError) -> None:
        """A test that was ended leaves a file without its end."""
        if not len(self.rows):
            raise self._source.wrong(f"is no XML: {expat.ErrorString(error.code)}", error.lineno) from None
        self.rows.pass_over(error.lineno, f"is no XML from here on: {expat.ErrorString(error.code)}")

    def _refuse_doctype(self, name: str, *rest: object) -> None:
        del rest
        raise self._source.wrong(f"found a DOCTYPE ({name[:40]}), expected none", self._parser.CurrentLineNumber)

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        self._since_tag = 0
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._source.wrong("is nested too deeply", self._parser.CurrentLineNumber)
        if tag not in ("sample", "httpSample"):
            return
        self._inside += 1
        if self._inside > 1 or attributes.get("rm", "").startswith(_TRANSACTION):
            return
        said = (attributes.get(key, "") for key in ("ts", "t", "lb", "rc", "s", "tn"))
        try:
            _add(self.rows, *said)
        except UnreadableRowError as error:
            self.rows.pass_over(self._parser.CurrentLineNumber, str(error))

    def _end(self, tag: str) -> None:
        self._since_tag = 0
        self._depth -= 1
        self._inside -= tag in ("sample", "httpSample")
