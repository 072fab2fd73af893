"""Which format the files of a project are of, and the domain that they make."""

from collections.abc import Callable, Mapping

from zhuli.types.understanding.domain import DomainFields, Finding, ImportFormat
from zhuli.understanding.domains.botpress import project as botpress
from zhuli.understanding.domains.botpress.bot_files import is_bot
from zhuli.understanding.domains.dialogflow import project as dialogflow
from zhuli.understanding.domains.dialogflow.agent_files import is_agent
from zhuli.understanding.domains.luis import project as luis
from zhuli.understanding.domains.rasa import project as rasa

Reader = Callable[[Mapping[str, str]], tuple[DomainFields, list[Finding]]]

_READERS: dict[ImportFormat, Reader] = {
    "rasa": rasa.read,
    "dialogflow": dialogflow.read,
    "luis": luis.read,
    "botpress": botpress.read,
}


def read_files(files: Mapping[str, str], format: ImportFormat) -> tuple[DomainFields, list[Finding]]:
    """The domain, and what of the files is not in it; files: their texts by name. InvalidRequest for what is no such project."""
    return _READERS[format](files)


def format_of(files: Mapping[str, str]) -> ImportFormat:
    """By the names of the files, or by what their JSON has; else Rasa's."""
    if is_bot(files) or any(_has(content, "qnas") for content in files.values()):
        return "botpress"
    if is_agent(files):
        return "dialogflow"
    return "luis" if any(_has(content, "luis_schema_version") for content in files.values()) else "rasa"


def is_export(content: str) -> bool:
    """Whether a file alone is another builder's JSON."""
    return any(_has(content, key) for key in ("qnas", "luis_schema_version", "rasa_nlu_data"))


def _has(content: str, key: str) -> bool:
    return content.lstrip("\ufeff \t\r\n").startswith("{") and f'"{key}"' in content
