"""The items of a conversation, page by page: messages, calls of steps and what else was kept, in their order."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection

from zhuli.assistants.responses import ids, items
from zhuli.core.errors import NotFound
from zhuli.store.assistants import responses
from zhuli.store.assistants.responses import Row
from zhuli.store.assistants.threads import Span
from zhuli.types.assistants.response import ItemList
from zhuli.types.assistants.response_items import InputItem
from zhuli.types.page import PageParams

_ITEM: TypeAdapter[InputItem] = TypeAdapter(InputItem)


@dataclass(frozen=True, slots=True)
class ItemPage:
    """Items, and whether there are more in this direction."""

    data: list[items.Item]
    has_more: bool

    def as_list(self) -> ItemList:
        """The list object."""
        first, last = (self.data[0]["id"], self.data[-1]["id"]) if self.data else (None, None)
        return ItemList(data=self.data, first_id=first, last_id=last, has_more=self.has_more)


def page_of(
    connection: Connection, project: str, spans: Sequence[Span], params: PageParams, *, results: bool
) -> ItemPage:
    """A page of what is in these spans. NotFound for a cursor that is not."""
    forward = params.order == "asc"
    ordered = list(spans) if forward else list(reversed(spans))
    begin, number = None, 0
    most = params.limit + 2  # one more than are shown, and the cursor's
    if params.after is not None:
        number, begin = _cursor(connection, project, ordered, params.after)
    found: list[Row] = []
    for span in ordered[number:]:
        while len(found) < most:
            some = responses.rows(connection, span, forward=forward, begin=begin, most=most)
            new = [row for row in some if not found or row.id != found[-1].id]
            found += new
            if len(some) < most:
                break
            begin = some[-1].place
        begin = None
    listed = [item for row in shown(connection, project, found, results=results, forward=forward) for item in row]
    if params.after is not None:
        places = [n for n, item in enumerate(listed) if item["id"] == params.after]
        listed = listed[places[0] + 1 :] if places else listed
    return ItemPage(listed[: params.limit], has_more=len(listed) > params.limit)


def item_of(connection: Connection, project: str, spans: Sequence[Span], item_id: str, *, results: bool) -> items.Item:
    """One item of these spans; NotFound."""
    found = find(connection, project, item_id)
    if found is None or not any(_is_in(span, *found) for span in spans):
        raise missing(item_id)
    for item in shown(connection, project, [found[1]], results=results, forward=True)[0]:
        if item["id"] == item_id:
            return item
    raise missing(item_id)


def missing(item_id: str) -> NotFound:
    """The error for an item that is not there."""
    return NotFound(f"Item with id '{item_id}' not found.")


def find(connection: Connection, project: str, item_id: str) -> tuple[str, Row] | None:
    """The message, step or item in which an item is, and its thread."""
    return responses.row_of(connection, project, message=item_id, step=ids.step_id(item_id) or item_id)


def reference(connection: Connection, project: str, item_id: str) -> InputItem | None:
    """An item that is stored anywhere in the project, as a client would give it; None where there is none."""
    found = find(connection, project, item_id)
    if found is None:
        return None
    for item in shown(connection, project, [found[1]], results=True, forward=True)[0]:
        if item["id"] == item_id:
            try:
                return _ITEM.validate_python(item)
            except ValidationError:
                return None
    return None


def shown(
    connection: Connection, project: str, rows: Sequence[Row], *, results: bool, forward: bool
) -> list[list[items.Item]]:
    """The items of each row, in the direction in which the rows are."""
    cited = {
        note[note["type"]]["file_id"]
        for row in rows
        if not row.is_step
        for block in row.body["content"]
        if block["type"] == "text"
        for note in block["text"]["annotations"]
    }
    names = responses.file_names(connection, project, sorted(cited))
    each = [_items(row, names, results=results) for row in rows]
    return each if forward else [list(reversed(one)) for one in each]


def _items(row: Row, names: dict[str, str], *, results: bool) -> list[items.Item]:
    if not row.is_step:
        return [items.of_message(row.body, names)]
    if not row.run_id:
        return [row.body]
    return items.of_step(row.body, results=results, outputs=True)


def _cursor(connection: Connection, project: str, spans: Sequence[Span], item_id: str) -> tuple[int, tuple[int, int]]:
    """In which span the item is, and at which place."""
    found = find(connection, project, item_id)
    for number, span in enumerate(spans) if found is not None else ():
        if found is not None and _is_in(span, *found):
            return number, found[1].place
    raise missing(item_id)


def _is_in(span: Span, thread_id: str, row: Row) -> bool:
    message, step = row.place
    return thread_id == span.thread_id and message <= span.until_message and step <= span.until_step
