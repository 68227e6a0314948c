"""Structured logs: one JSON object per line on standard error, without names, addresses or tokens."""

import json
import logging
import re
import sys
from datetime import UTC, datetime

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
# PostgreSQL quotes the row that it refused, and what stands in rows is people's data. A value may have several lines.
_DETAIL = re.compile(
    r"^DETAIL:.*?(?=^\[SQL|^The above exception|^During handling|^Traceback|\Z)", re.DOTALL | re.MULTILINE
)


class JsonFormatter(logging.Formatter):
    """A record as JSON: time, level, logger, message, the extra fields, and the traceback of a fault."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in record.__dict__.items() if key not in _STANDARD},
        }
        if record.exc_info:
            line["fault"] = _DETAIL.sub("DETAIL: (left out)\n", self.formatException(record.exc_info))
        return json.dumps(line, default=str, ensure_ascii=False)


def configure_logs() -> None:
    """Warnings and worse from everything, and our own from information on, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("mixip").setLevel(logging.INFO)
