"""Recommenders: items with text, what users did with them, trainings, and lists that say what they stand on."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from zhuli.types.wire import Integer, Metadata, Request, Wire, most

MOST_AT_ONCE = 1_000
"""Items or events that a request may bring."""

MOST_RECOMMENDERS = 100
"""Of a project."""

MOST_ITEMS = 1_000_000
"""Of a recommender."""

EventKind = Literal["view", "click", "buy", "rate", "share"]
TrainingStatus = Literal["queued", "completed", "failed"]

Name = Annotated[str, Field(min_length=1, max_length=256)]
Id = Annotated[str, Field(min_length=1, max_length=128)]
Share = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=100)]
Moment = Annotated[float, Field(ge=0, le=1e11)]
"""Seconds since 1970."""


class EventWeights(Request):
    """How much an event of each kind says that the user likes the item."""

    view: Weight = 0.3
    click: Weight = 0.5
    buy: Weight = 1.0
    rate: Weight = 1.0
    share: Weight = 1.0


class RecommenderCreate(Request):
    """A recommender. embedder: of the items' texts; null: the server's own. liked_from: ratings below it say nothing good."""

    name: Name
    embedder: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    weights: EventWeights = EventWeights()
    liked_from: float | None = None
    metadata: Metadata | None = None


class Recommender(Wire):
    """What is known of a recommender. model: the training that its lists come of; null: none has ended yet."""

    id: str
    object: Literal["recommender"] = "recommender"
    created_at: int
    name: str
    embedder: str
    weights: EventWeights
    liked_from: float | None = None
    model: str | None = None
    metadata: dict[str, str] = {}


class ItemCreate(Request):
    """An item under the client's own id; one that is there is replaced. text: what it is, in words: title and description."""

    id: Id
    text: Annotated[str, Field(max_length=8_000)]
    categories: Annotated[list[Name], most(16)] = []
    price: Annotated[float, Field(ge=0, le=1e12)] | None = None
    published_at: Annotated[float, Field(ge=-1e11, le=1e11)] | None = None
    metadata: Metadata | None = None


class ItemsCreate(Request):
    """Items in a batch."""

    data: Annotated[list[ItemCreate], most(MOST_AT_ONCE, least=1)]


class Item(Wire):
    """An item. id: the client's own."""

    id: str
    object: Literal["recommender.item"] = "recommender.item"
    text: str
    categories: list[str] = []
    price: float | None = None
    published_at: float | None = None
    metadata: dict[str, str] = {}


class EventCreate(Request):
    """What a user did. id: the client's own, by which it counts once. at: null: now. list: the recommendations it came of."""

    id: Id
    user: Name
    item: Id
    kind: EventKind
    value: Annotated[float, Field(ge=-1e9, le=1e9)] | None = None
    at: Moment | None = None
    list: Annotated[str, Field(max_length=64)] | None = None


class EventsCreate(Request):
    """Events in a batch."""

    data: Annotated[list[EventCreate], most(MOST_AT_ONCE, least=1)]


class Event(Wire):
    """An event as it is in the log. position: its place there, which only rises."""

    id: str
    object: Literal["recommender.event"] = "recommender.event"
    position: int
    user: str
    item: str
    kind: EventKind
    value: float | None = None
    at: float
    list: str | None = None


class Fault(Wire):
    """What was not taken of a batch, and why. index: from 0."""

    index: int
    id: str
    message: str


class Taken(Wire):
    """What became of a batch: so many were new, so many there before, and these can't be taken."""

    object: Literal["recommender.batch"] = "recommender.batch"
    added: int
    known: int
    faults: list[Fault] = []


class EventList(Wire):
    """A page of the log, oldest first."""

    object: Literal["list"] = "list"
    data: list[Event]
    has_more: bool


class ItemList(Wire):
    """A page of the items, in the order of their ids: the last one's is `after` of the next page."""

    object: Literal["list"] = "list"
    data: list[Item]
    has_more: bool


class TrainingCreate(Request):
    """A training on all events up to now. seed: of what is drawn."""

    seed: Annotated[Integer, Field(ge=0, le=2**31 - 1)] = 0


class Training(Wire):
    """A training: a job. report: what was measured on each user's last events, which the parts did not see.

    started_at: null while it waits. progress: from 0 to 1, and what it is at.
    """

    id: str
    object: Literal["recommender.training"] = "recommender.training"
    created_at: int
    started_at: int | None = None
    finished_at: int | None = None
    recommender_id: str
    status: TrainingStatus = "queued"
    progress: float = 0.0
    doing: str | None = None
    request: TrainingCreate
    report: dict[str, float | int | str | None] | None = None
    error: str | None = None


class Comparison(Request):
    """Two ways to make the list, interleaved by team draft: which way an item came from is returned, and credited by events."""

    a: "Way" = "ranked"
    b: "Way" = "popular"


Way = Literal["ranked", "item_to_item", "interest", "popular"]


class Controls(Request):
    """popularity and novelty: from -1 (against) to 1 (for). diversity: 0 takes the best, 1 what is most unlike the rest (MMR).

    seen: whether items that the user knows may come. categories: only of these. without: of none of these. explore: the share
    of places that are drawn by lot, which makes their propensities known.
    """

    popularity: Annotated[float, Field(ge=-1, le=1)] = 0.0
    novelty: Annotated[float, Field(ge=-1, le=1)] = 0.0
    diversity: Share = 0.0
    explore: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    seen: bool = False
    categories: Annotated[list[Name], most(100)] | None = None
    without: Annotated[list[Name], most(100)] = []
    max_price: Annotated[float, Field(ge=0, le=1e12)] | None = None


class RecommendationsCreate(Request):
    """For whom, how many, and how. explain: with what of the user's history each item stands on. at: null: now.

    For a moment that is past, only what was done by then counts of the history: so that a list can be made again for a test.
    """

    user: Name
    limit: Annotated[Integer, Field(ge=1, le=100)] = 10
    way: Way = "ranked"
    compare: Comparison | None = None
    controls: Controls = Controls()
    explain: bool = False
    at: Moment | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "RecommendationsCreate":
        if self.compare is not None and self.compare.a == self.compare.b:
            raise ValueError("a comparison has two different ways, 'a' and 'b'")
        return self


class Because(Wire):
    """The item of the user's history without which this one's score would fall most, and by how much. kind: what they did."""

    item: str
    kind: EventKind
    text: str
    change: float


class Recommendation(Wire):
    """An item in its place. why: in words. propensity: how likely it was to stand there. source: of a comparison, a or b."""

    item: str
    text: str
    score: float
    position: int
    propensity: float
    source: Literal["a", "b"] | None = None
    because: Because | None = None
    why: str | None = None


class Recommendations(Wire):
    """A list, as it was shown: it is kept, so that events may name it. known: how many events of the user it stands on."""

    id: str
    object: Literal["recommender.list"] = "recommender.list"
    created_at: int
    recommender_id: str
    model: str | None
    user: str
    known: int
    data: list[Recommendation]


class SimilarCreate(Request):
    """To what: an item, or a text."""

    item: Id | None = None
    text: Annotated[str, Field(min_length=1, max_length=8_000)] | None = None
    limit: Annotated[Integer, Field(ge=1, le=100)] = 10

    @model_validator(mode="after")
    def _one_of_them(self) -> "SimilarCreate":
        if (self.item is None) == (self.text is None):
            raise ValueError("give an 'item' or a 'text'")
        return self


class SimilarItem(Wire):
    """An item and how similar it is."""

    item: str
    text: str
    score: float


class Similar(Wire):
    """The most similar items, best first. by: behaviour, where enough is known of the item; else its text."""

    object: Literal["recommender.similar"] = "recommender.similar"
    by: Literal["behaviour", "text"]
    data: list[SimilarItem]


class ComparisonReport(Wire):
    """Interleaved lists with an event of their own: by which way more of them were won. p: of a two-sided sign test."""

    object: Literal["recommender.comparison"] = "recommender.comparison"
    a: Way
    b: Way
    lists: int
    won_by_a: int
    won_by_b: int
    ties: int
    p: float
