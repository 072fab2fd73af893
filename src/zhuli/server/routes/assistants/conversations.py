"""/v1/conversations: threads, seen by the Conversations API."""

from fastapi import APIRouter
from starlette.responses import Response

from zhuli.server.requests.json_route import JsonRoute
from zhuli.server.requests.parameters import Json, TheActor, TheApp, ThePage
from zhuli.server.routes.assistants.responses import WithResults, no_before
from zhuli.types.assistants.response import (
    Conversation,
    ConversationCreate,
    ConversationModify,
    DeletedConversation,
    Item,
    ItemList,
    ItemsCreate,
)

router = APIRouter(prefix="/v1/conversations", tags=["Conversations"], route_class=JsonRoute, strict_content_type=False)


@router.post("", response_model=Conversation)
async def create_conversation(app: TheApp, actor: TheActor, body: ConversationCreate | None = None) -> Response:
    """Make a conversation, with items if there are some."""
    return Json(await app.assistants.conversations.create(actor.project, body or ConversationCreate()))


@router.get("/{conversation_id}", response_model=Conversation)
async def get_conversation(conversation_id: str, app: TheApp, actor: TheActor) -> Response:
    """One conversation."""
    return Json(await app.assistants.conversations.get(actor.project, conversation_id))


@router.post("/{conversation_id}", response_model=Conversation)
async def modify_conversation(conversation_id: str, body: ConversationModify, app: TheApp, actor: TheActor) -> Response:
    """Change the metadata of a conversation."""
    return Json(await app.assistants.conversations.modify(actor.project, conversation_id, body.metadata))


@router.delete("/{conversation_id}", response_model=DeletedConversation)
async def delete_conversation(conversation_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete a conversation with its items and responses."""
    await app.assistants.conversations.delete(actor.project, conversation_id)
    return Json(DeletedConversation(id=conversation_id))


@router.post("/{conversation_id}/items", response_model=ItemList)
async def create_items(
    conversation_id: str,
    body: ItemsCreate,
    app: TheApp,
    actor: TheActor,
    results: WithResults,
) -> Response:
    """Add items to a conversation."""
    added = await app.assistants.conversations.add(actor.project, conversation_id, body.items, results=results)
    return Json(added.as_list())


@router.get("/{conversation_id}/items", response_model=ItemList)
async def list_items(
    conversation_id: str,
    page: ThePage,
    app: TheApp,
    actor: TheActor,
    results: WithResults,
) -> Response:
    """The items of a conversation, page by page."""
    if page.before is not None:
        raise no_before()
    found = await app.assistants.conversations.list_items(actor.project, conversation_id, page, results=results)
    return Json(found.as_list())


@router.get("/{conversation_id}/items/{item_id}", response_model=Item)
async def get_item(
    conversation_id: str,
    item_id: str,
    app: TheApp,
    actor: TheActor,
    results: WithResults,
) -> Response:
    """One item of a conversation."""
    found = await app.assistants.conversations.get_item(actor.project, conversation_id, item_id, results=results)
    return Json(Item.model_validate(found))


@router.delete("/{conversation_id}/items/{item_id}", response_model=Conversation)
async def delete_item(conversation_id: str, item_id: str, app: TheApp, actor: TheActor) -> Response:
    """Delete an item of a conversation; the conversation that is left."""
    return Json(await app.assistants.conversations.delete_item(actor.project, conversation_id, item_id))
