"""Transcripts in the shapes that people have them, read as one: a dialogue is an id, an end user, and who said what.

Formats are told by how a file begins. A dialogue that can't be read is a fault with its line, or its place in a JSON array,
and the rest goes on. Pure: bytes in, dialogues out.
"""

import csv
import html
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from zhuli.core.errors import InvalidRequest

USER, AGENT = "user", "agent"

MOST_BYTES = 512 * 1024 * 1024
"""Of a file when it is unpacked."""

MOST_TURNS = 2_000
MOST_CHARACTERS = 8_000
"""Of a turn; what is longer is cut."""

_ROLES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        ("user", "customer", "client", "visitor", "usr", "end-user", "end_user", "lead", "contact", "用户", "客户"), USER
    ),
    **dict.fromkeys(
        ("agent", "assistant", "system", "sys", "admin", "operator", "support", "bot", "seller", "staff", "客服", "坐席"), AGENT
    ),
}  # fmt: skip

_ID = (
    "id",
    "dialogue_id",
    "conversation_id",
    "convo_id",
    "ticket_id",
    "thread_id",
    "session",
    "session_id",
    "dialogue",
)
_ROLE = ("role", "speaker", "author", "from", "sender", "who")
_TEXT = ("text", "content", "utterance", "body", "message", "msg")
_LABEL = ("label", "macro")
_WHO = ("user", "user_id", "customer_id", "requester_id", "end_user")
_TAG = re.compile(r"<[^>]{1,200}>")
_BREAK = re.compile(r"(?i)<(?:br|/p|/div|/li)[^>]{0,100}>")
_SPACE = re.compile(r"[ \t\u00a0]+")


@dataclass(frozen=True, slots=True)
class Turn:
    """role: USER or AGENT. label: which kind of answer an agent's turn is, where the transcripts say so."""

    role: str
    text: str
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """id: the client's own. user: the end user, where the file names one. line: where it stands in its file."""

    id: str
    turns: tuple[Turn, ...]
    user: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """What can't be read of a line, or of an item of a JSON array."""

    line: int
    message: str


Read = Iterator[Dialogue | Fault]


def read(data: bytes, *, format: str = "auto") -> Read:
    """The dialogues of a file, in its order. InvalidRequest for what is no file of transcripts."""
    if data[:4] == b"PK\x03\x04":
        for content in _unpacked(data):
            yield from read(content, format=format)
        return
    told = guess(data) if format == "auto" else format
    yield from _READERS[told](data)


def guess(data: bytes) -> str:
    """Which format the file has, told by its beginning. InvalidRequest where it is none of them."""
    head = data[:65_536].lstrip(b"\xef\xbb\xbf \r\n\t")
    if head[:1] not in (b"{", b"["):
        return "csv"
    line = head.split(b"\n", 1)[0].strip()
    try:
        first = orjson.loads(line)
    except orjson.JSONDecodeError:
        first = None
    if isinstance(first, dict) and (b"\n" in data.strip() or _shape(first) is not None):
        return _shape(first) or ("crosswoz" if _is_crosswoz(first) else "jsonl")
    whole = _json(data)
    items = _items(whole)
    if isinstance(whole, dict) and _is_crosswoz(whole):
        return "crosswoz"
    found = _shape(items[0]) if items and isinstance(items[0], dict) else None
    if found is None:
        raise InvalidRequest(
            "The format of the transcripts can't be told. Name it: jsonl, csv, zendesk, intercom, abcd, crosswoz or sgd; "
            "docs/support.md has an example of each.",
            param="format",
            code="invalid_value",
        )
    return found


def _shape(item: Mapping[str, Any]) -> str | None:
    if "original" in item or "convo_id" in item:
        return "abcd"
    if "turns" in item and "dialogue_id" in item:
        return "sgd"
    if "conversation_parts" in item or ("source" in item and isinstance(item["source"], dict)):
        return "intercom"
    if "comments" in item or ("requester_id" in item and "description" in item):
        return "zendesk"
    return "jsonl" if "messages" in item or "turns" in item or "question" in item else None


def _is_crosswoz(whole: Mapping[str, Any]) -> bool:
    first = next(iter(whole.values()), None)
    return isinstance(first, dict) and isinstance(first.get("messages"), list)


def _unpacked(data: bytes) -> Iterator[bytes]:
    """The JSON and CSV files of an archive."""
    left = MOST_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                if member.is_dir() or not member.filename.lower().endswith((".json", ".jsonl", ".csv", ".ndjson")):
                    continue
                with archive.open(member) as file:
                    content = file.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise InvalidRequest(f"The archive is larger than {MOST_BYTES} bytes when it is unpacked.")
                yield content
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InvalidRequest(f"The archive can't be read: {error}.") from error


def _json(data: bytes) -> Any:
    try:
        return orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"This is not JSON: {error}.") from error


def _items(whole: Any) -> list[Any]:
    """The dialogues of a JSON file: an array, an object with an array in it, or with parts that are arrays (train, dev, test)."""
    if isinstance(whole, list):
        return whole
    if not isinstance(whole, dict):
        return []
    if _shape(whole) is not None:
        return [whole]
    lists = [value for value in whole.values() if isinstance(value, list)]
    return [item for part in lists for item in part] if lists else [whole]


def _each(data: bytes, made: Callable[[Mapping[str, Any], int], Dialogue]) -> Read:
    """From JSON Lines or an array, an object a dialogue."""
    try:
        whole = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        entries: Iterator[tuple[int, Any]] = _lines(data)
    else:
        entries = enumerate(_items(whole), 1)
    for line, item in entries:
        if isinstance(item, Fault):
            yield item
            continue
        try:
            if not isinstance(item, dict):
                raise ValueError("a dialogue is a JSON object")
            yield made(item, line)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            said = f"'{error.args[0]}' is missing" if isinstance(error, KeyError) else str(error)
            yield Fault(line, f"This is no dialogue: {said[:300]}.")


def _lines(data: bytes) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield number, orjson.loads(line)
        except orjson.JSONDecodeError as error:
            yield number, Fault(number, f"This is not JSON: {error}.")


def _dialogue(id_: Any, turns: Sequence[Turn], *, line: int, user: Any = None) -> Dialogue:
    said = tuple(turn for turn in turns if turn.text)[:MOST_TURNS]
    if not any(turn.role == USER for turn in said) or not any(turn.role == AGENT for turn in said):
        raise ValueError("it has no turn of a user, or none of an agent; roles are user and agent")
    return Dialogue(_key(id_), said, None if user in (None, "") else _key(user), line)


def _key(given: Any) -> str:
    """An id as databases keep it."""
    return str(given).replace("\0", "")[:256]


def _turn(role: Any, text: Any, label: Any = None) -> Turn:
    known = _ROLES.get(str(role).strip().lower())
    if known is None:
        raise ValueError(f"the role '{str(role)[:60]}' is not known; roles are user and agent")
    said = plain(text if isinstance(text, str) else _blocks(text))
    return Turn(known, said, _key(label) if known == AGENT and label not in (None, "") else None)


def plain(text: str) -> str:
    """Text without marks of HTML, and without double space."""
    if "<" in text or "&" in text:
        text = html.unescape(_TAG.sub("", _BREAK.sub("\n", text)))
    lines = (_SPACE.sub(" ", line).strip() for line in text[: 4 * MOST_CHARACTERS].splitlines())
    return "\n".join(line for line in lines if line)[:MOST_CHARACTERS]


def _blocks(content: Any) -> str:
    """A message's content as our API and others have it: a list of blocks."""
    if not isinstance(content, list):
        raise ValueError("a turn has a text")
    texts = [block.get("text") for block in content if isinstance(block, dict)]
    return "\n".join(text if isinstance(text, str) else str((text or {}).get("value", "")) for text in texts if text)


def _first(item: Mapping[str, Any], names: Sequence[str], otherwise: Any = None) -> Any:
    return next((item[name] for name in names if item.get(name) not in (None, "")), otherwise)


def _jsonl(data: bytes) -> Read:
    def made(item: Mapping[str, Any], line: int) -> Dialogue:
        if "question" in item:
            turns = [_turn(USER, str(item["question"])), _turn(AGENT, str(item["answer"]), _first(item, _LABEL))]
        else:
            said = item["messages"] if "messages" in item else item["turns"]
            turns = [_turn(_first(one, _ROLE, ""), _first(one, _TEXT, ""), _first(one, _LABEL)) for one in said]
        return _dialogue(_first(item, _ID, f"line-{line}"), turns, line=line, user=_first(item, _WHO))

    return _each(data, made)


def _abcd(data: bytes) -> Read:
    def made(item: Mapping[str, Any], line: int) -> Dialogue:
        turns = [_turn(role, text) for role, text in item["original"] if role != "action"]
        personal = (item.get("scenario") or {}).get("personal") or {}
        return _dialogue(item["convo_id"], turns, line=line, user=personal.get("username"))

    return _each(data, made)


def _sgd(data: bytes) -> Read:
    def made(item: Mapping[str, Any], line: int) -> Dialogue:
        turns = [_turn(one["speaker"], one["utterance"]) for one in item["turns"]]
        return _dialogue(item["dialogue_id"], turns, line=line)

    return _each(data, made)


def _crosswoz(data: bytes) -> Read:
    whole = _json(data)
    if not isinstance(whole, dict):
        raise InvalidRequest("CrossWOZ is a JSON object with a dialogue for each id.", param="format")
    for line, (id_, item) in enumerate(whole.items(), 1):
        try:
            turns = [_turn(one["role"], one["content"], _told(one.get("dialog_act"))) for one in item["messages"]]
            yield _dialogue(id_, turns, line=line)
        except (KeyError, TypeError, ValueError) as error:
            yield Fault(line, f"This is no dialogue: {str(error)[:300]}.")


def _told(acts: Any) -> str | None:
    """What an answer of CrossWOZ tells: the slots of its dialogue acts, with their domains; None where it tells none."""
    found = {
        f"{act[1]}-{'NoOffer' if act[0] == 'NoOffer' else act[2]}"
        for act in acts or ()
        if act[0] != "General" and (act[0] == "NoOffer" or act[2] != "none")
    }
    return "+".join(sorted(found)) or None


def _zendesk(data: bytes) -> Read:
    """Tickets with their comments: who requested it is the user, everybody else an agent; private notes are left out."""

    def made(item: Mapping[str, Any], line: int) -> Dialogue:
        asker, comments = item.get("requester_id"), item.get("comments") or []
        turns = [
            Turn(
                USER if one.get("author_id") == asker else AGENT,
                plain(_first(one, ("plain_body", "body", "html_body"), "")),
            )
            for one in comments
            if one.get("public", True)
        ]
        if item.get("description") and not any(turn.role == USER for turn in turns):
            turns.insert(0, Turn(USER, plain(item["description"])))
        return _dialogue(item["id"], turns, line=line, user=asker)

    return _each(data, made)


def _intercom(data: bytes) -> Read:
    def made(item: Mapping[str, Any], line: int) -> Dialogue:
        source, parts = item.get("source") or {}, item.get("conversation_parts") or []
        parts = parts.get("conversation_parts", []) if isinstance(parts, dict) else parts
        said = [one for one in parts if one.get("body") and one.get("part_type", "comment") != "note"]
        turns = [
            _turn((one.get("author") or {}).get("type"), one.get("body") or "")
            for one in [source, *said]
            if one.get("body")
        ]
        return _dialogue(item["id"], turns, line=line, user=(source.get("author") or {}).get("id"))

    return _each(data, made)


def _csv(data: bytes) -> Read:
    """A row a turn, with the id of its dialogue; or a row a question with its answer."""
    text = data.decode("utf-8-sig", "replace")
    try:
        dialect: Any = csv.Sniffer().sniff(text[:8_192], ",;\t|")
    except csv.Error:
        dialect = csv.excel
    rows = csv.DictReader(io.StringIO(text, newline=""), dialect=dialect)
    names = {str(name).strip().lower(): name for name in rows.fieldnames or ()}
    if "question" in names and "answer" in names:
        yield from _questions(rows, names)
        return
    columns = [next((names[one] for one in some if one in names), None) for some in (_ID, _ROLE, _TEXT, _LABEL)]
    if None in columns[:3]:
        raise InvalidRequest(
            f"The CSV file has the columns {', '.join(names) or 'none'}. It must have an id of the dialogue, a role and a text "
            "(id,role,text), or a question and an answer.",
            param="file",
        )
    yield from _turns_of_rows(
        rows, columns, next((names[one] for one in _WHO if one in names and names[one] not in columns), None)
    )


def _questions(rows: "csv.DictReader[str]", names: Mapping[str, str]) -> Read:
    id_ = next((names[one] for one in _ID if one in names), None)
    label = next((names[one] for one in _LABEL if one in names), None)
    for row in rows:
        answer = _turn(AGENT, row[names["answer"]] or "", label and row[label])
        turns = [_turn(USER, row[names["question"]] or ""), answer]
        try:
            yield _dialogue((id_ and row[id_]) or f"line-{rows.line_num}", turns, line=rows.line_num)
        except ValueError:
            yield Fault(rows.line_num, "The row has no question, or no answer.")


def _turns_of_rows(rows: "csv.DictReader[str]", columns: Sequence[str | None], who: str | None) -> Read:
    id_, role, text, label = columns
    found: dict[str, tuple[int, list[Turn], str | None]] = {}
    for row in rows:
        try:
            turn = _turn(row[role], row[text] or "", label and row[label])
            if not row[id_]:
                raise ValueError("the row has no id of its dialogue")
        except (ValueError, TypeError) as error:
            yield Fault(rows.line_num, f"This is no turn: {str(error)[:300]}.")
            continue
        entry = found.setdefault(row[id_], (rows.line_num, [], row.get(who) if who else None))
        entry[1].append(turn)
    for key, (line, turns, user) in found.items():
        try:
            yield _dialogue(key, turns, line=line, user=user)
        except ValueError as error:
            yield Fault(line, f"This is no dialogue: {error}.")


_READERS: Final[Mapping[str, Callable[[bytes], Read]]] = {
    "jsonl": _jsonl,
    "csv": _csv,
    "zendesk": _zendesk,
    "intercom": _intercom,
    "abcd": _abcd,
    "crosswoz": _crosswoz,
    "sgd": _sgd,
}
