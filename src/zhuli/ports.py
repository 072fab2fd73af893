"""The sockets of the house on one page. A plugin is one file under plugins/ that implements one of them.

Each docstring is the contract; `zhuli.testing` has a suite for each that built-ins and other people's plugins pass alike.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, TypeVar, runtime_checkable

from zhuli.types.applications.feed import FeedFault
from zhuli.types.applications.recommender import Recommendations, RecommendationsCreate
from zhuli.types.assistants.step import ServerCall
from zhuli.types.assistants.tool_task import ToolTask
from zhuli.types.knowledge.document import Block, Enclosed
from zhuli.types.knowledge.passages import Found
from zhuli.types.knowledge.vectors import Hit, IndexChange, Purpose, Vectors
from zhuli.types.learning.example import Example, Feature, Judgement, Metrics, Prediction, Record
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.models.generation import Delta, GenerationRequest, ToolDefinition
from zhuli.types.understanding.domain import DomainFields, DomainReport
from zhuli.types.understanding.understanding import DialogueState, Reading


class Backend(Protocol):
    """A model that talks.

    Made from the settings of its entry in the models file: `Backend(name, settings)`; unknown or missing settings raise
    ConfigurationError. Making one is cheap: weights load and connections open on the first call, or in `start()`.

    generate() streams; there is no second, non-streaming way in. The last delta, and only it, has a finish reason; usage
    comes with it when the backend knows it. Tool call indexes have no gaps, and the first piece of each carries its id and
    name. Closing the iterator early frees the model within a second. Failures are BackendError, never the library's own.

    A backend that does more than chats with function tools says so in a further attribute, `abilities`: a set of Ability.
    """

    context_window: int
    """Tokens of prompt and answer together."""

    def __init__(self, name: str, settings: dict[str, Any]) -> None: ...

    async def start(self) -> None:
        """Load weights or open connections now; safe to call more than once."""

    def generate(self, request: GenerationRequest) -> AsyncGenerator[Delta, None]:
        """Deltas of one answer, in order; the last has a finish reason. Raises BackendError, also in between."""

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text: exact where the tokenizer is at hand, otherwise the estimate of core.tokens."""

    async def aclose(self) -> None:
        """Free everything; generate() must not be called again."""


class BlobStore(Protocol):
    """Bytes by key. Keys are ours (ids), never a client's text.

    Made from its URL: `BlobStore(url)`. write() is atomic: a reader sees all of a blob or none of it. It takes the bytes at
    once or in pieces, of which it holds a few megabytes at a time, and gives their number; when the pieces break off, their
    exception is passed on and nothing is kept. read() streams pieces and raises KeyError for an unknown key; delete() of an
    unknown key is no error, and also removes what a process left behind that died while it wrote.
    """

    def __init__(self, url: str) -> None: ...

    async def write(self, key: str, data: bytes | AsyncIterable[bytes]) -> int:
        """Keep the bytes under the key, all or nothing; how many they were."""

    def read(self, key: str) -> AsyncGenerator[bytes, None]:
        """The bytes in pieces, in order; KeyError for an unknown key."""

    async def delete(self, key: str) -> None:
        """Forget the key; an unknown one is no error."""

    async def aclose(self) -> None:
        """Close connections; nothing must be called after this."""


class Embedder(Protocol):
    """Turns texts into vectors of unit length.

    Made from its settings like a Backend: `Embedder(name, settings)`; cheap until the first call or start(). A text longer
    than max_tokens is not refused: what does not fit is left out, or embedded in parts and averaged, as the plugin says.
    The same text gives the same vector whatever it is batched with (to 1e-3). Failures are BackendError.
    """

    dimensions: int
    max_tokens: int

    def __init__(self, name: str, settings: dict[str, Any]) -> None: ...

    async def start(self) -> None:
        """Load weights or open connections now; safe to call more than once."""

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Vectors:
        """A row for each text, in their order: `dimensions` little-endian float32 of length 1. Raises BackendError."""

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, by the model's own tokenizer where it is at hand."""

    async def aclose(self) -> None:
        """Free everything; nothing may be called again."""


class VectorIndex(Protocol):
    """Finds the vectors nearest to one. A copy of what the database has, which may be thrown away and made again.

    Made from its settings: `VectorIndex(settings)`; "data_dir" and "database_url" are always among them. An index follows
    the changes of each store: apply() takes them in order and again without harm, and position() is the number up to which
    it has them all, also after a crash. All vectors of a store have the same length.
    """

    def __init__(self, settings: dict[str, Any]) -> None: ...

    async def position(self, store: str) -> int:
        """The number of the last change that this store's index has; 0 for a store it does not know."""

    async def apply(self, store: str, changes: Sequence[IndexChange], position: int) -> None:
        """Take in changes, oldest first; afterwards position() is `position`."""

    async def search(self, store: str, vector: bytes, *, most: int, files: Collection[int] | None) -> list[Hit]:
        """The `most` nearest chunks, best first, of these files only (None: of all); the filter never costs results."""

    async def drop(self, store: str) -> None:
        """Forget the store and delete what is kept of it; unknown ones too."""

    async def aclose(self) -> None:
        """Free everything; what was applied stays."""


class Parser(Protocol):
    """Reads one family of file formats. It runs in a child process with limits, and may take all of them with it.

    extensions: with the dot, in lower case. parse() yields blocks in reading order, files in the file in their places among
    them, and raises Unreadable for what is encrypted, broken, or not of this kind.
    """

    extensions: Sequence[str]

    def parse(self, path: Path) -> Iterator[Block | Enclosed]:
        """Blocks of the file at `path`, in reading order; raises Unreadable."""


class Feed(Protocol):
    """Where items of an opinion monitor come from. Made with a place and settings (texts), by the command that follows it.

    items() gives bodies of items as POST /v1/opinion_monitors/{id}/items takes them, with the same id each time, and a
    FeedFault in place of what is none; it ends with the feed, or never. taken() says that all it has given were pushed.
    """

    def items(self) -> AsyncGenerator[dict[str, Any] | FeedFault, None]:
        """Items, and faults in their places."""

    async def taken(self) -> None:
        """All that items() has given so far was pushed."""


class ToolServices(Protocol):
    """What a tool may use of the server. folder: for what the tool keeps on this machine; it may be emptied between starts."""

    folder: Path

    async def search(
        self, project: str, stores: Sequence[str], queries: Sequence[str], *, most: int, threshold: float = 0.0
    ) -> list[Found]:
        """The `most` best passages of vector stores, best first. Raises NotFound, InvalidRequest, BackendError."""

    def read_file(self, project: str, file_id: str) -> AsyncGenerator[bytes, None]:
        """A file's bytes in pieces; NotFound for one that the project does not have."""

    async def add_file(self, project: str, filename: str, data: bytes | AsyncIterable[bytes]) -> str:
        """Keep a file that a tool made (purpose assistants_output) for the client to download; its id."""

    async def recommend(self, project: str, recommender: str, asked: RecommendationsCreate) -> Recommendations:
        """A list of a recommender of the project, which is kept. NotFound, BackendError."""


Call = TypeVar("Call", bound=ServerCall)


class Tool(Protocol[Call]):
    """A tool that runs in the server, in the middle of a run. Models are offered its functions; their calls come here.

    Made once in each process: `Tool(name, settings, services)`, the name and settings those of [tools.NAME] in the settings
    file; unknown or missing ones raise ConfigurationError. Making one is cheap: connections open with the first call.

    idempotent: whether a call may be made again when the process died in it. Where not, the model is told that the outcome
    is unknown. Calls of one turn run at once. They are given up after `tool_seconds`, and cancelled with their run; a tool
    must not block the event loop. What run() raises is told to the model (a ZhuliError's message, else that it failed).

    A tool may hold resources for a thread under task.thread_id, as long as it frees those that are not used for a while
    and all in aclose(): another process, or this one after a restart, makes them again. One that shows progress calls
    task.show(). One with a call of its own in the step, as file_search has it, makes that in called() and fills it in run();
    all others use types.assistants.step.ServerToolCall, which may have fields of the tool's own.
    """

    idempotent: bool

    def __init__(self, name: str, settings: dict[str, Any], services: ToolServices) -> None: ...

    async def functions(self, project: str, settings: Mapping[str, Any]) -> Sequence[ToolDefinition]:
        """What models are offered, in an assistant or run of the project that says `settings` of the tool; perhaps several.

        Asked when these are saved and when a run begins, so it should remember what takes long to learn. InvalidRequest
        says what is wrong with the settings. At a run other failures leave the tool out.
        """

    def called(self, call_id: str, function: str, arguments: str) -> Call:
        """The call as its step shows it before it is done. arguments: JSON as the model wrote it, which may be broken.

        Also called with no arguments yet, when the model begins to write the call.
        """

    async def run(self, call: Call, task: ToolTask) -> Call:
        """The call with its results; may be cancelled. Of a ServerToolCall, `given` are the arguments, a JSON object."""

    async def aclose(self) -> None:
        """Free everything; nothing may be called again."""


class Services(Protocol):
    """What an understander may use of the server. folder: where what was learned may be kept; it may be emptied at any time."""

    folder: Path

    async def embed(self, embedder: str | None, texts: Sequence[str]) -> Vectors:
        """Vectors by the embedder of this name; None: the one that suits the domain's languages."""

    async def predict(self, model: str, inputs: Sequence[Any]) -> list[Prediction]:
        """What the project's tuned model says, as POST /v1/predictions gives it; with all labels' scores."""

    async def generate(self, model: str | None, request: GenerationRequest) -> str:
        """What the chat model says; None: the default one."""


class Understander(Protocol):
    """Tells intents and learned entities of messages of one domain. Made for a version of it; cheap until prepare().

    prepare() learns what is to be learned, and may be called again. read() gives a Reading for each text, each by itself:
    confidences are calibrated on the domain's examples, entities are those of kind "learned". report is what learning found
    (overlapping intents, expected accuracy), None before. The same domain learns the same. Failures are ZhuliErrors.
    """

    report: DomainReport | None

    def __init__(self, domain: DomainFields, services: Services) -> None: ...

    async def prepare(self) -> None:
        """Learn what is to be learned of the domain, and fill `report`; may be called again. Raises ZhuliError."""

    async def read(self, texts: Sequence[str], state: DialogueState) -> list[Reading]:
        """A Reading for each text, in their order, whatever else is read with it; prepares first where need be."""


class Loss(NamedTuple):
    """total: a scalar tensor, the sum over `weight` examples or tokens, so that parts of a step can be put together.

    right: how many of them were predicted rightly, for the accuracy that is shown while training.
    """

    total: Any
    weight: int
    right: int = 0


class Task(Protocol):
    """One of the NLP tasks: how examples become features, which head, which loss, how to predict, how well it went.

    Made for one model: Task(options, state), where `options` has no "auto" left that matters here, and `state` is what an
    earlier model of the task knew beside its weights ({} for a new one). Tensors and modules are torch's, which is
    imported by the plugins alone. A module has the attribute `backbone`, a Hugging Face model, and `head` if there is one.

    metric: the number of measure() by which models are compared; more is better. generates: whether the answer is a text
    that a language model writes. untrained: who stands for the base when it is compared with the tuned model.
    """

    metric: ClassVar[str]
    generates: ClassVar[bool]
    untrained: ClassVar[Literal["majority", "model"]]
    state: dict[str, Any]

    def __init__(self, options: Hyperparameters, state: dict[str, Any]) -> None: ...

    def read(self, record: Record) -> Example:
        """The labelled example that a record of a data file is; BadExample says what is wrong with it."""

    def ask(self, given: Any) -> Example:
        """The example without a target for an input of /v1/predictions; BadExample likewise."""

    def labels_of(self, example: Example) -> list[str]:
        """For distributions, stratified splits and class weights; none where the task has no classes."""

    def text_of(self, example: Example) -> str:
        """What makes two examples the same, and what is shown of one."""

    def begin(self, base: Path, examples: Sequence[Example]) -> Any:
        """A module on the base with a head for what `examples` are labelled with; sets `state`.

        A base that is a tuned model of this task keeps what its head knows, and labels may be added.
        """

    def open(self, folder: Path) -> Any:
        """The module that save() wrote there."""

    def save(self, model: Any, folder: Path) -> None:
        """Weights and tokenizer, as Hugging Face's libraries read them as far as they can."""

    def prepare(self, model: Any, features: Sequence[Feature]) -> None:
        """Before the first step, in the precision of the training: add to the features what only the untrained model can say."""

    def features(self, example: Example, *, learn: bool) -> list[Feature]:
        """Rows for a batch, several where an input is too long for one; with `learn`, with what the loss needs."""

    def collate(self, features: Sequence[Feature]) -> dict[str, Any]:
        """Padded tensors, features × tokens."""

    def encode(self, model: Any, batch: dict[str, Any]) -> Any:
        """What the head reads, for when nothing below it learns: a tensor, features × …."""

    def loss(self, model: Any, batch: dict[str, Any], hidden: Any = None) -> Loss:
        """Of a batch; `hidden` is what encode() gave for it, if that was kept."""

    def outputs(self, model: Any, batch: dict[str, Any]) -> list[Any]:
        """What the model says to each feature, as NumPy arrays or lists, without gradients."""

    def predict(
        self, examples: Sequence[Example], features: Sequence[Sequence[Feature]], outputs: Sequence[Sequence[Any]]
    ) -> list[Prediction]:
        """Answers from what the model said to each example's features; pure."""

    def measure(self, examples: Sequence[Example], predictions: Sequence[Prediction]) -> Metrics:
        """How well the predictions meet the targets."""

    def majority(self, examples: Sequence[Example]) -> Prediction:
        """The answer that would be right most often among these; for tasks whose base can't answer."""


@runtime_checkable
class JudgingTask(Protocol):
    """A Task whose answers can be judged one by one, as the gate of retuning needs it; a Task need not be one."""

    def judge(self, example: Example, prediction: Prediction) -> Judgement:
        """How right the prediction is, beside the example's target."""
