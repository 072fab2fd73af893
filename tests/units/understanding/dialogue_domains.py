"""Domains that the tests of dialogues share: tables, taxis and flights in English, the same and more in Chinese."""

from typing import Any

from zhuli.types.understanding.domain import DomainFields

_PEOPLE = {"minimum": 1, "maximum": 12, "message": "We seat 1 to 12, not {value}."}

ENGLISH = DomainFields.model_validate(
    {
        "intents": [
            {"name": "greet", "action": {"type": "respond", "response": "hello"}},
            {"name": "hours", "description": "Opening hours", "action": {"type": "respond", "response": "hours"}},
            {"name": "menu", "action": {"type": "search", "query": "menu {cuisine}"}},
            {"name": "chat"},
            {"name": "inform"},
            {"name": "balance", "action": {"type": "call", "function": "get_balance", "response": "balance"}},
            {"name": "book", "description": "Book a table", "form": "table"},
            {"name": "taxi", "description": "Order a taxi", "form": "taxi"},
            {"name": "fly", "form": "flight"},
            {"name": "review", "form": "review"},
            {"name": "leave", "act": "cancel"},
            {"name": "person", "act": "handover"},
        ],
        "entities": [
            {"name": "city"},
            {"name": "venue"},
            {"name": "day", "kind": "date"},
            {"name": "clock", "kind": "time"},
            {"name": "count", "kind": "number"},
        ],
        "slots": [
            {
                "name": "cuisine",
                "type": "category",
                "values": [{"value": "italian"}, {"value": "thai", "synonyms": ["siamese"]}, {"value": "chinese"}],
                "prompt": "Which cuisine?",
                "keep": False,
            },
            {
                "name": "people",
                "type": "number",
                "mappings": [{"type": "entity", "entity": "count"}],
                "prompt": {"en": "For how many?", "zh": "几位？"},
                "validation": _PEOPLE,
                "keep": False,
            },
            {
                "name": "date",
                "type": "date",
                "mappings": [{"type": "entity", "entity": "day"}],
                "prompt": {"en": "Which day?", "zh": "哪一天？"},
                "keep": False,
            },
            {
                "name": "time",
                "type": "time",
                "mappings": [{"type": "entity", "entity": "clock"}],
                "prompt": {"en": "What time?", "zh": "几点？"},
                "keep": False,
            },
            {
                "name": "extras",
                "type": "list",
                "values": [{"value": "window"}, {"value": "terrace"}, {"value": "highchair"}],
            },
            {"name": "venue", "prompt": "Which restaurant?"},
            {
                "name": "pickup_date",
                "type": "date",
                "mappings": [{"type": "entity", "entity": "day"}],
                "prompt": "Taxi on which day?",
            },
            {"name": "destination", "mappings": [{"type": "entity", "entity": "venue"}], "prompt": "Where to?"},
            {"name": "shared", "type": "boolean", "prompt": "Do you mind sharing?", "keep": False},
            {
                "name": "from_city",
                "mappings": [{"type": "entity", "entity": "city", "role": "from"}],
                "prompt": "From where?",
            },
            {
                "name": "to_city",
                "mappings": [{"type": "entity", "entity": "city", "role": "to"}],
                "prompt": "To where?",
            },
            {"name": "departure_date", "type": "date", "prompt": "Leaving when?"},
            {"name": "return_date", "type": "date", "prompt": "Returning when?"},
            {
                "name": "stars",
                "type": "number",
                "prompt": "How many stars?",
                "validation": {"minimum": 1, "maximum": 5},
            },
            {"name": "comment", "mappings": [{"type": "text"}], "prompt": "What do you say?", "keep": False},
        ],
        "forms": [
            {
                "name": "table",
                "slots": ["people", "date", "time"],
                "optional": ["cuisine", "extras", "venue"],
                "confirm": {"en": "{people} people on {date} at {time}?", "zh": "{people}位，{date} {time}，对吗？"},
                "action": {"type": "call", "function": "book_table", "response": "booked"},
            },
            {
                "name": "taxi",
                "slots": ["pickup_date", "destination", "shared"],
                "action": {"type": "respond", "response": "taxi"},
                "cancelled": "No taxi then.",
            },
            {
                "name": "flight",
                "slots": ["from_city", "to_city", "departure_date", "return_date"],
                "action": {"type": "search", "query": "{from_city} to {to_city}"},
            },
            {
                "name": "review",
                "slots": ["stars", "comment"],
                "action": {"type": "talk", "instructions": "Thank them."},
            },
        ],
        "responses": {
            "hello": {"en": "Hello!", "zh": "你好！"},
            "hours": {"en": "We open at 9.", "zh": "九点开门。"},
            "balance": "You have {result.amount}.",
            "booked": "Booked for {people}: {result.code}.",
            "taxi": "A taxi to {destination} on {pickup_date}.",
        },
    }
)

CHINESE = DomainFields.model_validate(
    {
        "languages": ["zh", "en"],
        "intents": [
            {"name": "问候", "action": {"type": "respond", "response": "你好"}},
            {"name": "营业时间", "action": {"type": "respond", "response": "营业时间"}},
            {"name": "订餐", "description": "预订餐桌", "form": "订餐"},
            {"name": "打车", "description": "叫出租车", "form": "打车"},
        ],
        "entities": [
            {"name": "人数", "kind": "number"},
            {"name": "日期", "kind": "date"},
            {"name": "时间", "kind": "time"},
            {"name": "餐厅"},
        ],
        "slots": [
            {"name": "人数", "type": "number", "prompt": "请问几位？", "keep": False},
            {"name": "日期", "type": "date", "prompt": "哪一天？", "keep": False},
            {"name": "时间", "type": "time", "prompt": "几点？", "keep": False},
            {
                "name": "口味",
                "type": "category",
                "values": [{"value": "川菜", "synonyms": ["四川菜"]}, {"value": "粤菜"}, {"value": "清真"}],
                "prompt": "想吃什么菜？",
                "keep": False,
            },
            {"name": "餐厅"},
            {
                "name": "用车日期",
                "type": "date",
                "mappings": [{"type": "entity", "entity": "日期"}],
                "prompt": "哪天用车？",
            },
            {"name": "目的地", "mappings": [{"type": "entity", "entity": "餐厅"}], "prompt": "去哪里？"},
        ],
        "forms": [
            {
                "name": "订餐",
                "slots": ["人数", "日期", "时间"],
                "optional": ["口味", "餐厅"],
                "confirm": "{人数}位，{日期} {时间}，对吗？",
                "action": {"type": "call", "function": "order", "arguments": {"n": "{人数}", "at": "{日期} {时间}"}},
                "cancelled": "好的，不订了。",
            },
            {"name": "打车", "slots": ["用车日期", "目的地"], "action": {"type": "respond", "response": "打车"}},
        ],
        "responses": {"你好": "您好！", "营业时间": "九点到二十二点。", "打车": "{用车日期}去{目的地}的车已叫好。"},
    }
)


def changed(domain: DomainFields, **fields: Any) -> DomainFields:
    """The domain with other fields."""
    return DomainFields.model_validate(domain.model_dump() | fields)
