"""The Domain: what an assistant understands of its users' messages, and what it does about it."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, Tag

from zhuli.types.wire import Integer, Metadata, Request, Wire, by_shape, by_type, most, optional

Language = Literal["en", "zh"]

Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\s{}\[\]()]+$")]
"""Of an intent, entity, slot, form or response: a word, in any script."""

Wording = Annotated[
    Annotated[Annotated[str, Field(min_length=1, max_length=8192)], Tag("~string")]
    | Annotated[Annotated[dict[Language, str], Field(min_length=1)], Tag("~object")],
    by_shape({dict: "~object"}, otherwise="~string"),
]
"""What is said: one text, or one for each language. `{slot}` stands for a slot's value."""

OUT_OF_SCOPE = "out_of_scope"
"""The intent of a message that none of the domain's intents covers; no intent of a domain may have this name."""

Act = Literal["affirm", "deny", "cancel", "handover"]
"""What an intent means to a dialogue beside itself: yes, no, leave the form, fetch a person."""


class Respond(Request):
    """Say a response of the domain."""

    type: Literal["respond"]
    response: Name


class Call(Request):
    """Call a function of the client's: the run waits for its output.

    arguments: a string that is one placeholder, "{people}", stands for the slot's value with its JSON type; None: the form's
    slots that are filled. response: what is said with the output; `{result}` is the output, `{result.key}` a member of a
    JSON object; None: the model talks.
    """

    type: Literal["call"]
    function: Annotated[str, Field(max_length=64, pattern=r"^[a-zA-Z0-9_-]+$")]
    arguments: dict[str, Any] | None = None
    response: Name | None = None


class Search(Request):
    """Search the run's vector stores, and let the model answer. query: a template; None: the user's words."""

    type: Literal["search"]
    query: str | None = None


class HandOver(Request):
    """Hand the thread over to a person: say so, and answer no more until the state is released."""

    type: Literal["hand_over"]
    response: Name | None = None


class Talk(Request):
    """Let the model answer, with the state in its prompt."""

    type: Literal["talk"]
    instructions: str | None = None


class Clarify(Request):
    """Ask which of the likeliest intents was meant. most: how many are offered."""

    type: Literal["clarify"]
    most: Annotated[Integer, Field(ge=2, le=5)] = 2


Action = Annotated[
    Annotated[Respond, Tag("~respond")]
    | Annotated[Call, Tag("~call")]
    | Annotated[Search, Tag("~search")]
    | Annotated[HandOver, Tag("~hand_over")]
    | Annotated[Talk, Tag("~talk")]
    | Annotated[Clarify, Tag("~clarify")],
    by_type(),
]


class Open(Request):
    """Of a rule: open the form; where it is open, go on with it."""

    type: Literal["open"]
    form: Name


class Leave(Request):
    """Of a rule: leave the form that was open, without a word."""

    type: Literal["leave"]


class Answer(Request):
    """Of a rule: what the intent does without it."""

    type: Literal["answer"]


RuleStep = Annotated[
    Annotated[Respond, Tag("~respond")]
    | Annotated[Call, Tag("~call")]
    | Annotated[Search, Tag("~search")]
    | Annotated[HandOver, Tag("~hand_over")]
    | Annotated[Talk, Tag("~talk")]
    | Annotated[Clarify, Tag("~clarify")]
    | Annotated[Open, Tag("~open")]
    | Annotated[Leave, Tag("~leave")]
    | Annotated[Answer, Tag("~answer")],
    by_type(),
]


class When(Request):
    """When a rule holds: all that is given must be so.

    intents: one of these was understood; out_of_scope is one like others. done: this form was just completed. form: it was open,
    and the message did not answer its question. asked: for this slot. after: how the dialogue ended before the message, oldest
    first: responses and functions by name, intents as "/intent". slots: their values with this message, null: none. known: slots
    that hold anything. entities: values that the message has. mentioned: entities that it has, with any value.
    """

    intents: Annotated[list[Name], most(2_000)] = []
    done: Name | None = None
    form: Name | None = None
    asked: Name | None = None
    after: Annotated[list[Name], Field(max_length=16)] = []
    slots: dict[Name, Any] = {}
    known: Annotated[list[Name], most(1_000)] = []
    entities: dict[Name, Any] = {}
    mentioned: Annotated[list[Name], most(1_000)] = []


class Rule(Request):
    """What is done under a condition, in place of what the intent or the form does: the first rule that holds decides.

    Several texts are said one after the other, functions are called together, and what follows a call is said when the output
    is there; of searches, hand-overs and the model's turn there may be one. After a rule with `form` that does not open it, the
    form asks nothing.
    """

    when: When
    do: Annotated[list[RuleStep], Field(min_length=1, max_length=16)]


class Intent(Request):
    """What a user may want.

    examples: what users say, entities marked as `[tomorrow](date)`, `[NYC](city:New York)` with a value, or
    `[Paris](city#origin)` with a role. form: what must be known before it can be acted upon; or else action; with neither
    the model talks.
    """

    name: Name
    description: str | None = None
    examples: Annotated[list[str], most(10_000)] = []
    act: Act | None = None
    form: Name | None = None
    action: Action | None = None


class EntityValue(Request):
    """A value that an entity may have, and other words for it."""

    value: str
    synonyms: Annotated[list[str], most(1_000)] = Field(default_factory=list)


EntityKind = Literal["learned", "lookup", "regex", "number", "date", "time", "money", "phone", "email", "name"]


class Entity(Request):
    """Something a message may name. values: of a lookup list. patterns: of regex, Python's `re`; a group "value" is the value."""

    name: Name
    kind: EntityKind = "learned"
    values: Annotated[list[EntityValue], most(50_000)] = []
    patterns: Annotated[list[Annotated[str, Field(max_length=1000)]], most(5_000)] = []


class FromEntity(Request):
    """The slot takes the value of an entity; only of one with this role, and only with these intents, where they are given.

    asked: only if the slot was just asked for."""

    type: Literal["entity"]
    entity: Name
    role: Name | None = None
    intents: Annotated[list[Name], most(2_000)] = []
    asked: bool = False


class FromIntent(Request):
    """The slot takes this value when one of these intents is understood; asked: only if it was just asked for."""

    type: Literal["intent"]
    intents: Annotated[list[Name], most(2_000, least=1)]
    value: Any
    asked: bool = False


class FromText(Request):
    """The slot takes the whole message, if it was just asked for."""

    type: Literal["text"]


Mapping = Annotated[
    Annotated[FromEntity, Tag("~entity")] | Annotated[FromIntent, Tag("~intent")] | Annotated[FromText, Tag("~text")],
    by_type(),
]


class Validation(Request):
    """What a slot's value must be. minimum, maximum: of a number, or the first and last date or time, in ISO form."""

    minimum: float | str | None = None
    maximum: float | str | None = None
    pattern: Annotated[str, Field(max_length=1000)] | None = None
    message: Wording | None = None


class Slot(Request):
    """Something that is remembered over turns.

    values: of a category, what it may be. prompt: how it is asked for. mappings: what fills it, first come first served;
    without any it is filled by the entity of the same name. keep: whether it stays when its form has been acted upon.
    """

    name: Name
    type: Literal["text", "number", "boolean", "date", "time", "category", "list"] = "text"
    description: str | None = None
    values: Annotated[list[EntityValue], most(10_000)] = []
    mappings: Annotated[list[Mapping], most(100)] = []
    prompt: Wording | None = None
    validation: Validation | None = None
    initial: Any = None
    keep: bool = True


class Form(Request):
    """What an intent needs before it can act: slots are asked for in this order.

    confirm: asked when all is known; a "no" with a new value corrects. cancelled: what is said when the user leaves it.
    prompts: how it asks for a slot, where not in the slot's own words.
    """

    name: Name
    slots: Annotated[list[Name], most(1_000, least=1)]
    optional: Annotated[list[Name], most(1_000)] = []
    prompts: Annotated[dict[Name, Wording], Field(max_length=1_000)] = {}
    confirm: Wording | None = None
    action: Action
    cancelled: Wording | None = None


SmallTalk = Literal[
    "greet",
    "thank",
    "bye",
    "wait",
    "dont_know",
    "any",
    "repeat",
    "why",
    "told",
    "help",
    "identity",
    "small_talk",
    "declined",
]
"""What users say whatever a domain is for, as docs/domains.md has it. declined: they want something not, or not any more."""


class Fallback(Request):
    """What happens where nothing was understood with confidence.

    threshold: least confidence of an intent, from 0 to 1; None: chosen from the examples. certainty: what it takes, beside the
    threshold, to do what can't be taken back: to call a function, hand over, leave a form. out_of_scope: for messages that no
    intent covers; unclear: for those where two intents are about as likely. small_talk: what is done in place of the built-in
    sentences.
    """

    threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    margin: Annotated[float, Field(ge=0, le=1)] = 0.1
    certainty: Annotated[float, Field(ge=0, le=1)] = 0.6
    out_of_scope: Action = Field(default_factory=lambda: Talk(type="talk"))
    unclear: Action = Field(default_factory=lambda: Clarify(type="clarify"))
    small_talk: dict[SmallTalk, Action] = {}


class UnderstanderSettings(Request):
    """Which plugin understands, and its settings: embedder for few_shot and in_context; model and entity_model (names of tuned
    models) for tuned; model (a chat model) for llm. Other plugins take what they say. act_model, with any of them: a tuned model
    of texts with several labels, which are dialogue acts, in place of the packaged heads."""

    model_config = ConfigDict(extra="allow")

    type: str = "few_shot"
    embedder: str | None = optional()
    model: str | None = optional()
    entity_model: str | None = optional()
    act_model: str | None = optional()


class DomainFields(Request):
    """What a client says of a domain, in JSON or YAML.

    out_of_scope: messages that none of the intents covers. show: whether messages carry what was understood of them.
    timezone: in which "tomorrow" is meant, as in the IANA database. rules: what is done under conditions. variables: names that
    functions' outputs give to responses, beside the slots.
    """

    name: Annotated[str, Field(max_length=256)] | None = None
    description: Annotated[str, Field(max_length=8192)] | None = None
    languages: Annotated[list[Language], most(100, least=1)] = ["en"]
    timezone: str = "UTC"
    understander: UnderstanderSettings = Field(default_factory=UnderstanderSettings)
    intents: Annotated[list[Intent], most(2_000)] = []
    out_of_scope: Annotated[list[str], most(10_000)] = []
    entities: Annotated[list[Entity], most(1_000)] = []
    slots: Annotated[list[Slot], most(1_000)] = []
    forms: Annotated[list[Form], most(1_000)] = []
    responses: Annotated[dict[Name, Wording], Field(max_length=5_000)] = {}
    rules: Annotated[list[Rule], most(5_000)] = []
    variables: Annotated[list[Name], most(1_000)] = []
    fallback: Fallback = Field(default_factory=Fallback)
    show: bool = True
    metadata: Metadata = {}


ImportFormat = Literal["rasa", "dialogflow", "luis", "botpress"]
"""Of projects that become domains: dialogflow is an ES export, luis an app's JSON, botpress a bot of 12."""


class DomainImport(Request):
    """Files of another format that make a domain. files: their texts by name, such as nlu.yml, domain.yml, intents/book.json.

    all_notes: each thing that is not taken over is a finding; otherwise the first of each kind, and how many more there are.
    """

    format: ImportFormat
    files: Annotated[dict[str, str], Field(min_length=1, max_length=256)]
    name: Annotated[str, Field(max_length=256)] | None = None
    all_notes: bool = False


class ExampleEntity(Request):
    """Words of an example that name something. value: None: the words themselves."""

    entity: Name
    text: Annotated[str, Field(min_length=1, max_length=8192)]
    value: str | None = None
    role: Name | None = None


class ExampleCreate(Request):
    """What was said, as an example of what was meant.

    understanding: of a message of a thread, by its id; or else text. intent: whose example it is from now on, and nobody else's;
    out_of_scope is one like others. entities: its words that are marked; None: those that the understanding found.
    """

    intent: Name
    understanding: str | None = None
    text: Annotated[str, Field(min_length=1, max_length=8192)] | None = None
    entities: Annotated[list[ExampleEntity], most(100)] | None = None


class Finding(Wire):
    """Something to know about a domain. error: it can't be saved like this. where: a path such as intents[3].examples[0]."""

    level: Literal["error", "warning"]
    code: str
    where: str
    message: str


class DomainReport(Wire):
    """What was found when the domain was checked. learned: whether the findings of learning (overlaps, expected accuracy)
    are among them already; accuracy: of the examples, each predicted by the others, None where it is not known."""

    object: Literal["domain.report"] = "domain.report"
    findings: list[Finding] = []
    learned: bool = False
    examples: int = 0
    accuracy: float | None = None
    threshold: float | None = None


class Domain(DomainFields):
    """version: grows with every change. report: as of this version."""

    id: str
    object: Literal["domain"] = "domain"
    created_at: int
    version: int = 1
    report: DomainReport = Field(default_factory=DomainReport)
