"""Every setting of the server: typed, with a default and a sentence. Read once, from a TOML file and ZHULI_* variables."""

import os
import tempfile
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from zhuli.core.errors import ConfigurationError
from zhuli.core.limit_window import LimitName

Amount = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """Leniencies of ours that can be switched off, one by one, for the original's behaviour."""

    model_config = ConfigDict(extra="forbid")

    beta_header: bool = Field(
        default=False, description="Refuse requests without the header OpenAI-Beta: assistants=v2."
    )
    ids: bool = Field(default=False, description="Refuse ids of another shape with a 400 rather than a 404.")
    downloads: bool = Field(default=False, description="Refuse to hand back the content of files that users uploaded.")


class Settings(BaseSettings):
    """Settings; a variable ZHULI_STRICT__IDS sets strict.ids, and variables win over the file."""

    model_config = SettingsConfigDict(env_prefix="ZHULI_", env_nested_delimiter="__", extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on; without API keys only loopback is taken.")
    processes: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes that serve, each with workers of its own; more than one needs PostgreSQL.",
    )
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 for any free one.")
    allowed_hosts: list[str] = Field(
        [], description="Without keys: names beside localhost by which this machine may be called."
    )
    cors_origins: list[str] = Field(
        [], description="Origins of web pages that may use the server from a browser, like 'https://app.example.com'."
    )
    docs_without_key: bool = Field(
        default=False, description="Show /docs and /openapi.json without a key, where there are keys."
    )
    data_dir: Path = Field(Path("data"), description="Where the embedded defaults keep everything.")
    database_url: str | None = Field(
        None, description="sqlite:///PATH or postgresql://…; default: zhuli.db in data_dir."
    )
    blobs_url: str | None = Field(None, description="file:///DIR or s3://BUCKET/PREFIX; default: files in data_dir.")
    models_file: Path | None = Field(None, description="Default: models.toml in data_dir if it exists, else built in.")
    first_model: Literal["fetch", "local", "packaged"] = Field(
        "fetch",
        description="Without a models file: look for a model server on this machine, else fetch a small model from a hub "
        "(fetch); only look (local); neither (packaged).",
    )

    key_limits: dict[LimitName, Amount] = Field(
        {},
        description="What a key may use for which no own limits are set: "
        "requests_per_minute, tokens_per_minute, the same per_day and per_month.",
    )
    project_limits: dict[LimitName, Amount] = Field(
        {}, description="The same of a project: all its keys together, or, where no key is asked for, everybody."
    )
    worker_slots: int = Field(
        64, ge=0, description="Runs that this process works on at once; 0: leave them to workers."
    )
    ingest_slots: int = Field(
        4, ge=1, description="Files that this process ingests at once into vector stores, if it works on runs at all."
    )
    tuning_slots: int = Field(
        1, ge=0, description="Fine-tuning jobs that this process trains at once; 0: leave them to workers."
    )
    eval_slots: int = Field(
        2, ge=1, description="Runs of evals that this process does at once, if it works on runs at all."
    )
    eval_items: int = Field(10_000, ge=1, description="Items that a run of an eval may have.")
    eval_seconds: float = Field(86_400, gt=0, description="How long a run of an eval may take.")
    tuning_command: str | None = Field(
        None,
        description="What runs the training child, like 'nice -n 19 /opt/gpu/bin/python -m zhuli.learning.training.child'.",
    )
    tuned_engines: int = Field(
        2, ge=1, description="Tuned chat models that are kept in memory; of more, those asked last."
    )
    run_lifetime_seconds: int = Field(600, ge=1, description="After this long a run that has not ended expires.")
    lease_seconds: float = Field(15, gt=0, description="A worker that is silent for this long loses its jobs.")
    max_attempts: int = Field(5, ge=1, description="A job that took its worker down this often, alone, is given up.")
    grace_seconds: float = Field(10, ge=0, description="How long running turns may go on when the process is stopped.")
    drain_seconds: float = Field(
        2,
        ge=0,
        description="How long a server goes on to listen after SIGTERM, with 503 at /readyz, so that a proxy sees it.",
    )
    stream_interval_ms: float = Field(20, ge=0, description="Streamed pieces that come faster than this are joined.")
    delta_retention_seconds: float = Field(3600, ge=0, description="How long streamed pieces outlive their run.")
    thread_store_wait_seconds: float = Field(
        60, ge=0, description="How long a run waits for the files of its thread's vector store."
    )
    store_wait_seconds: float = Field(
        30, ge=0, description="How long a search waits, from its run's start, for files that are still being read."
    )
    stored_chat_days: float = Field(
        30, gt=0, description="How long chat completions stay that clients had stored (store: true)."
    )
    feedback_signals: bool = Field(
        default=True,
        description="Note what people do (rephrase, cancel, ask for a person) as suggestions in the feedback.",
    )
    store_predictions: bool = Field(
        default=False, description="Keep predictions and what was asked, for feedback, where the request does not say."
    )
    stored_prediction_days: float = Field(30, gt=0, description="How long stored predictions stay.")
    retention_days: dict[Literal["threads", "files", "audit_log", "usage"], Annotated[float, Field(gt=0)]] = Field(
        {}, description="After how many days what is old is deleted: threads, files, audit_log, usage. Default: never."
    )
    poll_after_ms: int = Field(250, ge=1, description="What polling clients are told to wait (openai-poll-after-ms).")
    keepalive_seconds: float = Field(15, gt=0, description="A silent stream sends a comment this often.")
    header_seconds: float = Field(20, gt=0, description="How long the headers of a request may take to arrive.")
    body_seconds: float = Field(
        60, gt=0, description="How long a body may be silent; on the whole it has a second more for each 16 KiB."
    )
    max_body_bytes: int = Field(4 * 1024 * 1024, ge=1024, description="Largest JSON body.")
    max_upload_bytes: int = Field(512 * 1024 * 1024, ge=1024, description="Largest uploaded file.")
    parse_seconds: float = Field(60, gt=0, description="Processor time that reading a file may take.")
    parse_memory_bytes: int = Field(
        1024**3, ge=128 * 1024**2, description="Memory that a process which reads files may take."
    )
    parse_enclosed_bytes: int = Field(
        32 * 1024**2,
        ge=0,
        description="A file in a file (an attachment, a member of a ZIP) is read up to this size; 0: none is.",
    )
    ocr: str = Field("", description="Plugin that reads images and scanned pages: tesseract, or none.")
    ocr_languages: str = Field("eng+chi_sim", description="Languages of the OCR, as Tesseract calls them, joined by +.")
    parse_processes: int = Field(2, ge=1, description="Processes that read files, each one at a time.")
    prediction_seconds: float = Field(
        120, gt=0, description="How long a request to /v1/predictions may take, waiting for its turn included."
    )
    prediction_models: int = Field(
        4, ge=1, description="Tuned models that are kept in memory for /v1/predictions; the least recently used goes."
    )
    understanders: int = Field(
        32, ge=1, description="Domains whose understanders are kept in memory; the least recently used goes."
    )
    understander_plugins: list[str] = Field(
        [], description="Further understanders that domains may name, as 'package.module:Class'."
    )
    tools: dict[str, dict[str, Any]] = Field(
        {},
        description="Tools beside the built-in ones, by name: [tools.weather] with their own settings, and `plugin` if "
        "that has another name.",
    )
    tool_seconds: float = Field(60, gt=0, description="How long one call of a tool of the server may take.")
    tool_output_bytes: int = Field(
        64 * 1024, ge=1024, description="Longest output of a tool of the server that a model reads; more is cut."
    )
    tool_rounds: int = Field(
        16, ge=1, description="Turns of a run that may call tools of the server; then the model must answer."
    )
    private_webhooks: bool = Field(
        default=False,
        description="Let webhooks go to private and loopback addresses; else only public ones are called.",
    )
    smtp_url: str | None = Field(
        None,
        description="Through which server e-mail goes: smtp://USER:PASSWORD@HOST:PORT (STARTTLS where offered) or smtps://.",
    )
    smtp_from: str = Field("zhuli@localhost", description="The sender of e-mail.")
    vector_index: str = Field(
        "auto",
        description="embedded, pgvector, qdrant or another plugin; auto: pgvector where PostgreSQL has it, else embedded.",
    )
    vector_index_url: str | None = Field(None, description="Where the vector index is, for qdrant.")
    durable: bool = Field(
        default=False, description="SQLite: also survive a power cut at every commit (slower: one fsync each)."
    )

    log_format: Literal["text", "json"] = Field("text", description="Log lines for people, or for machines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is worth a log line.")
    otel_endpoint: str | None = Field(
        default_factory=lambda: os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="Traces go here by OTLP over HTTP, like http://127.0.0.1:4318; default: the usual OTEL_… variable.",
    )
    otel_service_name: str = Field(
        default_factory=lambda: os.environ.get("OTEL_SERVICE_NAME", "zhuli"),
        description="What traces call this service.",
    )
    strict: Strict = Field(default_factory=Strict, description="Leniencies that can be switched off.")

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'zhuli.db'}"

    @property
    def blobs(self) -> str:
        return self.blobs_url or f"file://{self.data_dir.resolve() / 'files'}"

    @property
    def folders(self) -> list[Path]:
        """Where this server writes on disks of its own, each once: what it keeps, its database, files, uploads that arrive."""
        database = Path(self.database.removeprefix("sqlite:///")).parent if self.database.startswith("sqlite") else None
        blobs = Path(self.blobs.removeprefix("file://")) if self.blobs.startswith("file:///") else None
        used = [self.data_dir, database, blobs, Path(tempfile.gettempdir())]
        return [folder for folder in dict.fromkeys(used) if folder and folder.is_dir()]

    @property
    def models(self) -> Path | None:
        if self.models_file is not None:
            return self.models_file
        beside = self.data_dir / "models.toml"
        return beside if beside.exists() else None


def read_settings(config: Path | None = None, **given: Any) -> Settings:
    """Settings from `given` (a command's options; None means not given), then ZHULI_* variables, then the file `config`."""
    if config is not None and not config.exists():
        raise ConfigurationError(f"There is no settings file {config}.")
    _check_variables()
    options = {name: value for name, value in given.items() if value is not None}
    source = _file_source(config)
    try:
        return source(**options)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"The settings file {config} is not TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise ConfigurationError(_unknown("setting", place, _names())) from error
        raise ConfigurationError(f"The setting '{place}' can't be {first.get('input')!r}: {first['msg']}.") from error


def _names() -> list[str]:
    return [*Settings.model_fields, *(f"strict.{name}" for name in Strict.model_fields)]


def _check_variables() -> None:
    """A variable that is nearly a setting's is a mistake; others may be there for other purposes, such as an api_key_env."""
    known = {f"ZHULI_{name.replace('.', '__')}".upper() for name in _names()}
    for variable in sorted(name for name in os.environ if name.upper().startswith("ZHULI_")):
        if variable.upper() not in known and get_close_matches(variable.upper(), known, cutoff=0.85):
            raise ConfigurationError(_unknown("variable", variable, sorted(known)))


def _unknown(what: str, name: str, known: list[str]) -> str:
    near = get_close_matches(name.upper() if what == "variable" else name, known, n=1)
    meant = f" Did you mean '{near[0]}'?" if near else ""
    return f"There is no {what} '{name}'.{meant} `zhuli settings` shows all settings."


def _file_source(config: Path | None) -> type[Settings]:
    """Settings that read `config` below the variables."""

    class FromFile(Settings):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            if config is None:
                return (init_settings, env_settings)
            return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=config))

    return FromFile
