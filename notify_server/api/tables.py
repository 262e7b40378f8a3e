"""Rows as CSV (RFC 4180), for whoever asks for it by Accept."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, request

MEDIA_TYPE = "text/csv"


def wanted() -> bool:
    """Whether the request would rather have CSV than JSON."""
    return request.accept_mimetypes.best_match(["application/json", MEDIA_TYPE]) == MEDIA_TYPE


def answer(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Response:
    """The rows under a line with the names of their columns; what is not known is left empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    return Response(text.getvalue(), content_type=f"{MEDIA_TYPE}; charset=utf-8")
