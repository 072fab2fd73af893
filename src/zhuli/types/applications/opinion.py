"""The opinion monitor: monitors, the items that are pushed to them, what was read in these, aggregates, alerts."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from zhuli.types.page import Page
from zhuli.types.wire import Integer, Metadata, Name64, Request, Wire, most, optional

MOST_ITEMS = 1_000
"""Items of one push."""

MOST_COMPANIES = 2_000
MOST_NAMES = 50
"""Names of one kind that a company may have."""

LONGEST_ITEM = 64_000
"""Characters of an item's text that are kept."""

Language = Literal["en", "zh"]
Sentiment = Literal["positive", "neutral", "negative"]
SENTIMENTS: tuple[Sentiment, ...] = ("positive", "neutral", "negative")

Text = Annotated[str, Field(min_length=1, max_length=LONGEST_ITEM)]
Name = Annotated[str, Field(min_length=1, max_length=128)]
Names = Annotated[list[Name], most(MOST_NAMES)]
ModelName = Annotated[str, Field(min_length=1, max_length=255)]
Url = Annotated[str, Field(min_length=1, max_length=2_048)]


class Company(Request):
    """Somebody whom texts may name. aliases: other names; tickers: as they are written, in capitals; names_zh: Chinese names."""

    id: Name64
    name: Name
    aliases: Names = []
    tickers: Names = []
    names_zh: Names = []


class Models(Request):
    """Who reads texts of a language: tuned models or their aliases. null: that is not read.

    topic and sentiment classify the text. company_sentiment is of relation_extraction, asked with the company as head and tail.
    """

    topic: ModelName | None = None
    sentiment: ModelName | None = None
    company_sentiment: ModelName | None = None


class Webhook(Request):
    """POSTs of alerts to an address, signed with the secret as Standard Webhooks has it."""

    type: Literal["webhook"]
    url: Annotated[str, Field(min_length=8, max_length=2_048, pattern=r"^https?://")]
    secret: Annotated[str, Field(min_length=16, max_length=256)]


class Email(Request):
    """Alerts by e-mail, through the SMTP server of the settings."""

    type: Literal["email"]
    to: Annotated[str, Field(min_length=3, max_length=256, pattern=r"^[^@\s,]+@[^@\s,]+$")]


Destination = Annotated[Webhook | Email, Field(discriminator="type")]


class Escalation(Request):
    """An alert that nobody has acknowledged after so many minutes goes to these, too."""

    after_minutes: Annotated[Integer, Field(ge=1, le=100_000)]
    to: Annotated[list[Destination], most(10, least=1)]


Dimension = Literal["all", "company", "topic", "source"]


class AlertTerms(Request):
    """When a surge of negative opinion raises an alert; docs/opinion.md has the rule.

    false_alarms_per_month: of all series together. series: which are watched. least_items: negative stories that a surge has.
    history_days: of counts, that say what is usual. quiet_hours: a surge that goes on within them belongs to its alert.
    """

    false_alarms_per_month: Annotated[float, Field(ge=0.01, le=100)] = 1.0
    series: Annotated[list[Dimension], Field(min_length=1, max_length=4)] = ["all", "company"]
    least_items: Annotated[Integer, Field(ge=1, le=10_000)] = 5
    history_days: Annotated[Integer, Field(ge=14, le=366)] = 56
    quiet_hours: Annotated[Integer, Field(ge=1, le=720)] = 24
    deliver: Annotated[list[Destination], most(10)] = []
    escalation: Escalation | None = None


class MonitorCreate(Request):
    """A monitor: whom and what it looks for, who reads for it, when it raises an alert."""

    name: Name
    languages: Annotated[list[Language], Field(min_length=1, max_length=2)] = ["en", "zh"]
    companies: Annotated[list[Company], most(MOST_COMPANIES)] = []
    models: dict[Language, Models] = {}
    alerts: AlertTerms = Field(default_factory=AlertTerms)
    metadata: Metadata | None = None

    @model_validator(mode="after")
    def _names_each_once(self) -> "MonitorCreate":
        ids = [company.id for company in self.companies]
        if len(set(ids)) < len(ids):
            twice = next(id_ for id_ in ids if ids.count(id_) > 1)
            raise ValueError(f"two companies have the id '{twice}'; give each its own")
        return self


class MonitorUpdate(Request):
    """What changes; texts that come from now on are read so. What is null stays."""

    name: Name | None = None
    companies: Annotated[list[Company], most(MOST_COMPANIES)] | None = None
    models: dict[Language, Models] | None = None
    alerts: AlertTerms | None = None
    metadata: Metadata | None = None


class Monitor(Wire):
    """A monitor as it is kept. Secrets of its webhooks are not shown."""

    id: str
    object: Literal["opinion_monitor"] = "opinion_monitor"
    created_at: int
    name: str
    languages: list[Language]
    companies: list[Company]
    models: dict[Language, Models]
    alerts: AlertTerms
    metadata: dict[str, str] = {}

    def shown(self) -> "Monitor":
        """The monitor as clients see it."""
        return self.model_copy(update={"alerts": _without_secrets(self.alerts)})


def _without_secrets(terms: AlertTerms) -> AlertTerms:
    def hidden(destinations: list[Any]) -> list[Any]:
        return [
            one.model_copy(update={"secret": "*" * 16}) if isinstance(one, Webhook) else one for one in destinations
        ]

    escalation = terms.escalation and terms.escalation.model_copy(update={"to": hidden(terms.escalation.to)})
    return terms.model_copy(update={"deliver": hidden(terms.deliver), "escalation": escalation})


class MonitorStatus(Wire):
    """How far a monitor is. waiting: items that are not read yet. watermark: the newest time of an item that was read.

    looked_until: the time up to which surges were looked for: the beginning of the watermark's hour, a little later.
    """

    object: Literal["opinion_monitor.status"] = "opinion_monitor.status"
    received: int
    waiting: int
    watermark: float | None
    looked_until: int | None = None
    failure: str | None = None


class ItemCreate(Request):
    """A text. id: the client's own; the same again changes nothing, another text under it corrects it.

    published_at: seconds since the epoch; the item counts in that hour, whenever it comes. user: the person who wrote it.
    """

    id: Annotated[str, Field(min_length=1, max_length=256)]
    text: Text
    title: Annotated[str, Field(max_length=2_000)] | None = None
    source: Name = "unknown"
    published_at: Annotated[float, Field(ge=0, le=4e9)]
    language: Language | None = None
    url: Url | None = None
    user: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    metadata: Metadata | None = None

    @property
    def whole(self) -> str:
        """Title and text."""
        return f"{self.title}\n{self.text}" if self.title else self.text


class ItemsCreate(Request):
    """A push."""

    data: Annotated[list[ItemCreate], most(MOST_ITEMS, least=1)]


class Pushed(Wire):
    """What became of an item of a push: new, a correction of what was there, or the same again."""

    id: str
    state: Literal["added", "corrected", "unchanged"]
    revision: int


class PushedList(Wire):
    """The items of a push, in their order."""

    object: Literal["list"] = "list"
    data: list[Pushed]


class Mention(Wire):
    """Where a company is named: characters [start, end) of title and text, with a line break between them."""

    start: int
    end: int
    text: str


class CompanyReading(Wire):
    """The sentiment towards a company. label: null where no model reads it. model: as it was asked, which may be an
    alias. denied: the model has said what the text denies, and the label is what that comes to.
    """

    company: str
    mentions: list[Mention]
    label: Sentiment | None
    score: float | None = None
    model: str | None = None
    denied: bool = False


class LabelReading(Wire):
    """What a model said of a text. model: as it was asked, which may be an alias."""

    label: str
    score: float
    model: str


class Reading(Wire):
    """What was read in an item. story: the id of the item that it repeats; null: it is the first of its story."""

    revision: int
    language: Language
    topic: LabelReading | None
    sentiment: LabelReading | None
    companies: list[CompanyReading]
    story: str | None
    read_at: int


class Item(Wire):
    """An item with what was read in it; reading: null until it was. item_id: for feedback."""

    object: Literal["opinion_item"] = "opinion_item"
    item_id: str
    id: str
    revision: int
    text: str
    title: str | None
    source: str
    published_at: float
    url: str | None
    user: str | None
    reading: Reading | None


class ItemList(Wire):
    """Items, the newest first by the time of their publication. next: the cursor of the next page, null on the last."""

    object: Literal["list"] = "list"
    data: list[Item]
    has_more: bool
    next: str | None


class Counted(Wire):
    """A window of a series. Stories count once; reach counts reposts too. start: its first second, UTC."""

    start: int
    positive: int
    neutral: int
    negative: int
    unknown: int
    reach: int
    negative_reach: int


class Aggregates(Wire):
    """A series in windows of so many hours; windows without anything are left out."""

    object: Literal["opinion_monitor.aggregates"] = "opinion_monitor.aggregates"
    series: str
    hours: int
    data: list[Counted]
    has_more: bool


class SeriesTotal(Wire):
    """A series with its sums over all windows that were asked for."""

    series: str
    stories: int
    negative: int
    reach: int


class SeriesList(Wire):
    """Series, the most negative first."""

    object: Literal["list"] = "list"
    data: list[SeriesTotal]


Severity = Literal["low", "medium", "high"]
AlertState = Literal["open", "acknowledged", "silenced"]


class Evidence(Wire):
    """What an alert rests on. observed: negative stories since onset; expected: by the baseline.

    log_evidence: of the test, natural; threshold: that it has crossed. overdispersion: of the negative binomial counts.
    """

    observed: int
    expected: float
    ratio: float
    log_evidence: float
    threshold: float
    false_alarms_per_month: float
    series_watched: int
    level_per_day: float
    trend_per_week: float
    overdispersion: float
    reach: int = 0


class WordWeight(Wire):
    """How much a word speaks for what the model read."""

    word: str
    weight: float


class AlertText(Wire):
    """A text that made an alert. attributions: words that speak for what the model read, the strongest first."""

    id: str
    text: str
    source: str
    url: str | None
    published_at: float
    reach: int
    score: float | None
    attributions: list[WordWeight] | None = None


class NewGroup(Wire):
    """Texts of a surge that are alike: their telling words, how many, and the item that stands for them."""

    terms: list[str]
    texts: int
    example: str


EventKind = Literal[
    "raised", "grew", "explained", "acknowledged", "silenced", "escalated", "delivered", "delivery_failed"
]


class AlertEvent(Wire):
    """An entry of an alert's log. at: of the clock."""

    id: str
    kind: EventKind
    at: int
    by: str | None = None
    detail: dict[str, Any] = {}


class Alert(Wire):
    """A surge; the fold of its log. raised_for: the hour, UTC, whose end raised it; onset: when the surge began."""

    id: str
    object: Literal["opinion_alert"] = "opinion_alert"
    monitor_id: str
    created_at: int
    series: str
    state: AlertState
    severity: Severity
    onset: int
    raised_for: int
    last_hour: int
    evidence: Evidence
    new_terms: list[str] = []
    groups: list[NewGroup] = []
    texts: list[AlertText] = []
    acknowledged_by: str | None = None
    silenced_until: int | None = None
    escalated_at: int | None = None
    events: list[AlertEvent] | None = optional()


class Acknowledge(Request):
    """Who takes care of an alert."""

    by: Annotated[str, Field(min_length=1, max_length=128)]
    comment: Annotated[str, Field(max_length=2_000)] | None = None


class Silence(Request):
    """The alert's series raises alerts that are not delivered, for so many hours."""

    hours: Annotated[float, Field(gt=0, le=8_784)]
    by: Annotated[str, Field(min_length=1, max_length=128)]
    comment: Annotated[str, Field(max_length=2_000)] | None = None


MonitorList = Page[Monitor]
AlertList = Page[Alert]
