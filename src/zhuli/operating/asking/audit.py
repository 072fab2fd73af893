"""`zhuli audit`: has a server audit a model, waits, and gives the report. Texts come from a file, a line each."""

import asyncio
import csv
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from zhuli.core.errors import ConfigurationError
from zhuli.operating.asking.api_client import api_client
from zhuli.safety.audits.card import written
from zhuli.types.safety.audit import MOST_PAIRS, MOST_TEXTS, Audit

_LOOK_SECONDS = 0.5


def asked(
    model: str, texts: Path | None, *, language: str | None, bounds: Mapping[str, float], pairs: Path | None = None
) -> dict[str, Any]:
    """The body of a request. texts: plain lines, or JSON Lines with "text" and perhaps "label"; the first MOST_TEXTS.

    pairs: a CSV with the columns of CrowS-Pairs; the first MOST_PAIRS.
    """
    body: dict[str, Any] = {"model": model}
    if pairs is not None:
        body["pairs"] = _pairs(pairs)
    if texts is not None:
        body |= _read(texts)
    if language is not None:
        body["language"] = language
    if bounds:
        body["bounds"] = dict(bounds)
    return body


async def audit(base_url: str, api_key: str | None, body: Mapping[str, Any]) -> Audit:
    """The audit when it has ended. Raises Unavailable where no server answers, BackendError with what it refuses."""
    async with api_client(base_url, api_key) as api:
        made = Audit.model_validate_json(orjson.dumps(await api.call("POST", "/audits", dict(body))))
        while made.status in ("queued", "in_progress"):
            await asyncio.sleep(_LOOK_SECONDS)
            made = Audit.model_validate_json(orjson.dumps(await api.call("GET", f"/audits/{made.id}")))
    return made


def told(made: Audit) -> str:
    """The report, or why there is none."""
    return written(made) if made.error is None else f"The audit failed: {made.error.message}"


def _pairs(path: Path) -> list[dict[str, str]]:
    """sent_more, which is always the one that says more of a stereotype, sent_less, and bias_type where it is there."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(islice(csv.DictReader(file), MOST_PAIRS))
        return [_pair(row) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{path} can't be read: {error}.") from error
    except (KeyError, AttributeError) as error:
        text = f"{path} is no CSV with the columns sent_more and sent_less, as CrowS-Pairs has them."
        raise ConfigurationError(text) from error


def _pair(row: Mapping[str, str]) -> dict[str, str]:
    return {"more": row["sent_more"].strip(), "less": row["sent_less"].strip(), "kind": row.get("bias_type") or "all"}


def _read(path: Path) -> dict[str, Any]:
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()][:MOST_TEXTS]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} can't be read: {error}.") from error
    if path.suffix != ".jsonl":
        return {"texts": lines}
    records = [_record(path, number, line) for number, line in enumerate(lines, start=1)]
    labels = [record["label"] for record in records if isinstance(record.get("label"), str)]
    return {"texts": [record["text"] for record in records], **_labels(labels, records)}


def _labels(labels: Sequence[str], records: Sequence[object]) -> dict[str, Any]:
    return {"labels": labels} if len(labels) == len(records) else {}


def _record(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ConfigurationError(f"{path}, line {number}: no JSON ({error}).") from error
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        raise ConfigurationError(f'{path}, line {number}: expected an object with "text".')
    return record
