"""The command line: parse, and hand over to what does the work. What a command does is in operating/ and server/.

A command imports what it needs when it runs, so that `zhuli --help` does not load a web framework.
"""

import asyncio
import gc
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zhuli.core.errors import ZhuliError

if TYPE_CHECKING:
    from zhuli.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
keys = typer.Typer(no_args_is_help=True, help="API keys: each opens one project.")
app.add_typer(keys, name="keys")
models = typer.Typer(invoke_without_command=True, help="Which models may be asked for.")
app.add_typer(models, name="models")
domains = typer.Typer(no_args_is_help=True, help="Domains: what assistants understand.")
app.add_typer(domains, name="domains")
feedback = typer.Typer(no_args_is_help=True, help="Feedback: what people say of answers.")
app.add_typer(feedback, name="feedback")


opinion = typer.Typer(no_args_is_help=True, help="Opinion monitors: make one, feed one.")
app.add_typer(opinion, name="opinion")
recommenders = typer.Typer(no_args_is_help=True, help="Recommenders: send one its items and events.")
app.add_typer(recommenders, name="recommenders")
support = typer.Typer(no_args_is_help=True, help="Support desks: transcripts in, an assistant out, and how good it is.")
app.add_typer(support, name="support")
datasets = typer.Typer(
    no_args_is_help=True, help="Data sets of a server: examples, and versions that models learn from."
)
app.add_typer(datasets, name="datasets")
end_users = typer.Typer(no_args_is_help=True, help="The people who talk to an app: all of one, deleted or exported.")
app.add_typer(end_users, name="end-users")


@recommenders.callback()
def _recommenders() -> None:
    """A group of commands, also while there is one alone."""


@feedback.callback()
def _feedback() -> None:
    """A group of commands, also while there is one alone."""


def _version(wanted: bool) -> None:
    """Print the installed package's version, and leave."""
    if wanted:
        from importlib.metadata import version

        print(f"zhuli {version('zhuli')}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which zhuli this is.")
    ] = False,
) -> None:
    """A self-hosted assistant platform that speaks the Assistants API."""


DataDir = Annotated[Path | None, typer.Option(help="Where the embedded defaults keep everything.")]
Project = Annotated[str, typer.Option(help="The project's name.")]
Config = Annotated[Path | None, typer.Option(help="A TOML file with settings.")]


BaseUrl = Annotated[str, typer.Option(envvar="OPENAI_BASE_URL", help="The server.")]
ApiKey = Annotated[str | None, typer.Option(envvar="OPENAI_API_KEY", help="If the server has keys.")]
DataSetName = Annotated[str, typer.Argument(metavar="DATASET", help="Its id, or its name.")]
HERE = "http://127.0.0.1:8000/v1"


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 for any free one.")] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Serve the API, with workers in this process."""
    gc.disable()  # loading makes much and drops little; server.serve turns it on again
    from zhuli.server.serve import serve as run_server
    from zhuli.settings import read_settings

    settings = read_settings(config, host=host, port=port, data_dir=data_dir)
    _settle_first_model(settings)
    run_server(settings)


@app.command()
def worker(
    slots: Annotated[int | None, typer.Option(help="Runs at once; default: worker_slots.")] = None,
    metrics_port: Annotated[int | None, typer.Option(help="Serve Prometheus metrics here.")] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Execute runs of a PostgreSQL database beside the servers on it."""
    from zhuli.operating.worker import work
    from zhuli.settings import read_settings

    work(read_settings(config, data_dir=data_dir, worker_slots=slots), metrics_port=metrics_port)


@app.command()
def chat(
    question: Annotated[str | None, typer.Argument(help="Ask only this; default: talk.", show_default=False)] = None,
    base_url: Annotated[str, typer.Option(envvar="OPENAI_BASE_URL", help="The server.")] = "http://127.0.0.1:8000/v1",
    api_key: Annotated[str | None, typer.Option(envvar="OPENAI_API_KEY", help="If the server has keys.")] = None,
    model: Annotated[str | None, typer.Option(help="Who answers; default: the server's first.")] = None,
    instructions: Annotated[str | None, typer.Option(help="What the assistant is told to be.")] = None,
    thread: Annotated[str | None, typer.Option(help="A conversation to go on with.")] = None,
    domain: Annotated[
        str | None, typer.Option(help="What is understood: a domain's id, or a file, folder or archive with one.")
    ] = None,
) -> None:
    """Talk to a model in the terminal, through a server; with a domain, what was understood is shown."""
    from zhuli.operating.chat import chat as talk
    from zhuli.operating.conversation import Conversation

    understood = _domain_of(domain)

    async def run() -> None:
        conversation = Conversation(base_url, api_key, instructions, understood)
        await talk(conversation, model=model, thread=thread, question=question)

    asyncio.run(run())


@app.command()
def audit(
    model: Annotated[str, typer.Argument(help="A tuned text classifier, a chat model, or the moderation model.")],
    texts: Annotated[
        Path | None, typer.Option(help='What it is asked: a text a line, or JSON Lines with "text" and "label".')
    ] = None,
    language: Annotated[str | None, typer.Option(help="en or zh; default: that of the texts.")] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="For chat models: pairs of sentences, a CSV as CrowS-Pairs is one.")
    ] = None,
    most_changed: Annotated[float | None, typer.Option(help="Bound: share of texts, 0 to 1.")] = None,
    most_gap: Annotated[float | None, typer.Option(help="Bound: gap of a label's rate, 0 to 1.")] = None,
    most_preference: Annotated[
        float | None, typer.Option(help="Bound: of the share of stereotypes among preferred sentences, from half.")
    ] = None,
    base_url: Annotated[str, typer.Option(envvar="OPENAI_BASE_URL", help="The server.")] = "http://127.0.0.1:8000/v1",
    api_key: Annotated[str | None, typer.Option(envvar="OPENAI_API_KEY", help="If the server has keys.")] = None,
) -> None:
    """Ask a model the same from different people, and say how far its answers differ; exit code 1 beyond a bound."""
    from zhuli.operating.audit import asked, told
    from zhuli.operating.audit import audit as audited

    given = {"changed": most_changed, "gap": most_gap, "preference": most_preference}
    bounds = {name: bound for name, bound in given.items() if bound is not None}
    body = asked(model, texts, language=language, bounds=bounds, pairs=pairs)
    made = asyncio.run(audited(base_url, api_key, body))
    print(told(made))
    if made.report is None or made.report.passed is False:
        raise typer.Exit(1)


def _domain_of(named: str | None) -> str | dict[str, Any] | None:
    """The id, or the fields of the domain that the path has."""
    if named is None or not Path(named).exists():
        return named
    from zhuli.operating.domains import read

    return read(Path(named)).fields.model_dump(mode="json", exclude_defaults=True)


_SCOPE_HELP = "read, write or admin; each may do what those before it may. Or feedback: to give that, and nothing else."
_EXPIRES_HELP = (
    "When it opens nothing any more: in so many days (30), or at a time in UTC (2031-05-03, 2031-05-03T18:00)."
)


@support.command("import")
def import_transcripts(
    desk: Annotated[str, typer.Argument(help="The desk's id.")],
    path: Annotated[Path, typer.Argument(help="Transcripts, in any format that docs/support.md has.")],
    format: Annotated[str, typer.Option(help="Default: told by how the file begins.")] = "auto",
    held_out: Annotated[float, typer.Option(help="Share of the dialogues that is kept for evaluation.")] = 0.2,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Read past transcripts; what they teach is proposed."""
    from zhuli.operating.support import imported

    report = asyncio.run(imported(base_url, api_key, desk, path, format=format, held_out=held_out))
    for fault in report["faults"]:
        print(f"line {fault['line']}: {fault['message']}", file=sys.stderr)
    proposed = ", ".join(f"{count} of kind {kind}" for kind, count in report["proposed"].items() if count)
    print(f"{report['added']} dialogues added, {report['here_before']} here before, {report['refused']} refused.")
    print(f"Proposed: {proposed or 'nothing new'}.")


@support.command("publish")
def publish_desk(
    desk: Annotated[str, typer.Argument(help="The desk's id.")],
    accept: Annotated[int | None, typer.Option(help="Accept first what so many dialogues have.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Build what was accepted; the assistant's id is printed."""
    from zhuli.operating.support import published

    print(asyncio.run(published(base_url, api_key, desk, accept))["assistant"])


@support.command("evaluate")
def evaluate_desk(
    desk: Annotated[str, typer.Argument(help="The desk's id.")],
    most: Annotated[int, typer.Option(help="Matters that are replayed.")] = 500,
    cost: Annotated[float, typer.Option(help="Of a contact that a person answers.")] = 1.0,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Replay dialogues that were held out through what is published."""
    from zhuli.operating.support import evaluated, told

    print("\n".join(told(asyncio.run(evaluated(base_url, api_key, desk, most, cost)))))


@opinion.command("create")
def create_opinion_monitor(
    path: Annotated[Path, typer.Argument(help="A JSON file as docs/opinion.md has it.")],
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Make a monitor, and print its id."""
    from zhuli.operating.opinion import create

    print(asyncio.run(create(base_url, api_key, path)))


@opinion.command("follow")
def follow_opinion_feed(
    monitor: Annotated[str, typer.Argument(help="The monitor's id.")],
    place: Annotated[str, typer.Argument(help="A file, a folder, an address; kafka://HOST:PORT/TOPIC.")],
    feed: Annotated[str, typer.Option(help="jsonl, directory, rss, kafka, or package.module:Class.")] = "jsonl",
    settings: Annotated[list[str] | None, typer.Option("--set", help="A setting of the feed: seconds=60.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Push what a feed brings to a monitor, until the feed ends or Ctrl-C; faults are told, and the rest goes on."""
    from rich.console import Console

    from zhuli.operating.opinion import feed_of, follow

    console = Console(stderr=True)
    told = asyncio.run(follow(base_url, api_key, monitor, feed_of(feed, place, settings or []), console))
    print(f"{told.added} added, {told.corrected} corrected, {told.unchanged} unchanged, {len(told.faults)} faults")


@recommenders.command("import")
def import_into_recommender(
    recommender: Annotated[str, typer.Argument(help="The recommender's id.")],
    file: Annotated[
        Path, typer.Argument(help="JSON Lines: an item or an event a line, as docs/recommender.md has it.")
    ],
    events: Annotated[bool, typer.Option("--events/--items", help="What the file has.")] = False,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Send the items or events of a file to a recommender; lines that can't be taken are told, and the rest goes on."""
    from rich.console import Console

    from zhuli.operating.recommenders import take

    what: Any = "events" if events else "items"
    done = asyncio.run(take(base_url, api_key, recommender, what, file, Console(stderr=True)))
    for fault in done.faults:
        print(fault, file=sys.stderr)
    print(f"{done.added} added, {done.known} here before, {len(done.faults)} refused.")
    if done.faults:
        raise typer.Exit(1)


@feedback.command("import")
def import_feedback(
    file: Annotated[Path, typer.Argument(help="CSV, or JSON Lines.")],
    project: Project = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Take the feedback of a file; lines that were here before are left out."""
    from zhuli.operating.feedback import take
    from zhuli.settings import read_settings

    report = asyncio.run(take(read_settings(config, data_dir=data_dir), file, project=project))
    for fault in report.faults:
        print(f"line {fault.line}: {fault.message}", file=sys.stderr)
    print(f"{report.added} added, {report.repeated} here before, {report.refused} refused.")
    if report.refused:
        raise typer.Exit(1)


@keys.command("create")
def create_key(
    project: Annotated[str, typer.Option(help="The project's name; it is made if there is none.")] = "default",
    name: Annotated[str | None, typer.Option(help="What the key is for, to tell it from others.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help=_SCOPE_HELP, show_default="admin")] = None,
    expires: Annotated[str | None, typer.Option("--expires", "--expires-days", help=_EXPIRES_HELP)] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make a key; it is shown only now."""
    import time

    from zhuli.operating.keys import create, expiry, scopes_of
    from zhuli.settings import read_settings

    scopes, expires_at = scopes_of(scope or ["admin"]), expiry(expires, now=time.time())
    settings = read_settings(config, data_dir=data_dir)
    secret = asyncio.run(create(settings, project, name=name, scopes=scopes, expires_at=expires_at))
    print(f"A key for the project '{project}'. Keep it: it is not shown again.", file=sys.stderr)
    print(secret)


@keys.command("list")
def list_keys(data_dir: DataDir = None, config: Config = None) -> None:
    """Show which keys there are and were."""
    import time

    from zhuli.operating.keys import listed
    from zhuli.operating.keys_table import keys_table
    from zhuli.operating.terminal import console
    from zhuli.settings import read_settings

    if found := asyncio.run(listed(read_settings(config, data_dir=data_dir))):
        console().print(keys_table(found, now=time.time()))
    else:
        print("There are no keys: everybody on this machine may use the server. Make one: zhuli keys create.")


@keys.command("rotate")
def rotate_key(
    key_id: Annotated[str, typer.Argument(help="Its id, key_…, as `zhuli keys list` shows it.")],
    grace_hours: Annotated[float, typer.Option(min=0, help="For how long the old one still opens.")] = 24,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Make a new key in the place of one, with its project, name, scopes and expiry."""
    from zhuli.operating.keys import rotate
    from zhuli.settings import read_settings

    secret = asyncio.run(rotate(read_settings(config, data_dir=data_dir), key_id, grace_hours=grace_hours))
    print(f"Keep the new key: it is not shown again. {key_id} opens for {grace_hours:g} hours more.", file=sys.stderr)
    print(secret)


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="Its id, key_…, as `zhuli keys list` shows it.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Take a key back; servers notice within seconds."""
    from zhuli.operating.keys import revoke
    from zhuli.settings import read_settings

    left = asyncio.run(revoke(read_settings(config, data_dir=data_dir), key_id))
    print(f"{key_id} opens nothing any more.")
    if not left:
        print("It was the last one: now the server lets nobody in. Make another: zhuli keys create.")


@models.callback()
def show_models(context: typer.Context, data_dir: DataDir = None, config: Config = None) -> None:
    """Show which models may be asked for, and what those that are not ready lack."""
    if context.invoked_subcommand is not None:
        return
    from zhuli.operating.models_table import models_table
    from zhuli.operating.terminal import console
    from zhuli.settings import read_settings

    console().print(models_table(read_settings(config, data_dir=data_dir)))


@models.command("prepare")
def prepare_models(data_dir: DataDir = None, config: Config = None) -> None:
    """Start every model once: unpack or download what is needed, and see that it works."""
    from zhuli.operating.models_table import prepare
    from zhuli.settings import read_settings

    settings = read_settings(config, data_dir=data_dir)
    _settle_first_model(settings)
    print(f"Ready: {', '.join(asyncio.run(prepare(settings)))}.")


def _settle_first_model(settings: "Settings") -> None:
    """Without a models file: find a model, or fetch one."""
    if settings.models is not None or settings.first_model == "packaged":
        return
    from zhuli.operating.first_model import said, settle

    asyncio.run(settle(settings, said))


@models.command("list")
def list_models(
    available: Annotated[bool, typer.Option("--available", help="Those that can be had from a hub.")] = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Show which models may be asked for, or which can be had."""
    from zhuli.operating.models_table import available_table, models_table
    from zhuli.operating.terminal import console
    from zhuli.settings import read_settings

    console().print(available_table() if available else models_table(read_settings(config, data_dir=data_dir)))


@models.command("pull")
def pull_model(
    name: Annotated[str, typer.Argument(help="Of `zhuli models list --available`, or OWNER/REPOSITORY:FILE.gguf.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Fetch a model from a hub, and name it in the models file."""
    from zhuli.operating.first_model import add, said
    from zhuli.settings import read_settings

    print(asyncio.run(add(name, read_settings(config, data_dir=data_dir), said)))


@models.command("import")
def import_model(
    folder: Annotated[Path, typer.Argument(help="A tuned model's folder, or a Hugging Face folder as a base.")],
    name: Annotated[str, typer.Option(help="Under which it is asked for.")],
    project: Project = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Offer a copy of a model's folder to the apps of a project."""
    from zhuli.operating.tuned_models import add
    from zhuli.settings import read_settings

    task = asyncio.run(add(read_settings(config, data_dir=data_dir), folder, name=name, project=project))
    print(f"{name} is there: {f'a model for {task}' if task else 'a base that can be tuned'}.")


@models.command("export")
def export_model(
    name: Annotated[str, typer.Argument(help="A tuned model's, or an alias of one.")],
    to: Annotated[Path, typer.Option(help="The directory that it is copied into.")],
    form: Annotated[str, typer.Option("--format", help="folder, gguf or safetensors.")] = "folder",
    project: Project = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Copy a tuned model out."""
    from zhuli.operating.tuned_models import export, format_of
    from zhuli.settings import read_settings

    settings = read_settings(config, data_dir=data_dir)
    print(asyncio.run(export(settings, name, to=to, format=format_of(form), project=project)))


@models.command("promote")
def promote_model(
    alias: Annotated[str, typer.Argument(help="The name that apps use; it is made if there is none.")],
    model: Annotated[str, typer.Argument(help="Where it leads from now on.")],
    project: Project = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Let an alias lead to a model."""
    from zhuli.operating.tuned_models import promote
    from zhuli.settings import read_settings

    asyncio.run(promote(read_settings(config, data_dir=data_dir), alias, model, project=project))
    print(f"{alias} leads to {model}.")


@models.command("rollback")
def roll_model_back(
    alias: Annotated[str, typer.Argument(help="The name that apps use.")],
    project: Project = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Let an alias lead to where it led before."""
    from zhuli.operating.tuned_models import roll_back
    from zhuli.settings import read_settings

    found = asyncio.run(roll_back(read_settings(config, data_dir=data_dir), alias, project=project))
    print(f"{alias} leads to {found.model} again.")


@domains.command("check")
def check_domain(
    path: Annotated[
        Path,
        typer.Argument(
            help="A domain in YAML; or of Rasa, Dialogflow ES, LUIS or Botpress 12 a folder, file or archive."
        ),
    ],
) -> None:
    """Say what is wrong with a domain, without a server; exit code 1 if it can't be saved like this."""
    from zhuli.operating.domains import check, read

    lines, sound = check(read(path))
    print("\n".join(lines))
    if not sound:
        raise typer.Exit(1)


@domains.command("import")
def import_domain(
    path: Annotated[
        Path,
        typer.Argument(
            help="A domain in YAML; or of Rasa, Dialogflow ES, LUIS or Botpress 12 a folder, file or archive."
        ),
    ],
    to: Annotated[Path | None, typer.Option(help="Only write it as YAML here, for looking it over.")] = None,
    over: Annotated[str | None, typer.Option(help="The id of the domain that it takes the place of.")] = None,
    notes: Annotated[Path | None, typer.Option(help="A file for all that is not taken over, a line each.")] = None,
    project: Project = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Save a domain for the assistants of a project; its id is printed."""
    from zhuli.operating.domains import read, save, write, write_notes
    from zhuli.settings import read_settings
    from zhuli.understanding.domains.checks.findings import summed_up

    found = read(path)
    for line in summed_up(found.notes):
        print(line, file=sys.stderr)
    if notes is not None:
        write_notes(found.notes, notes)
    if to is not None:
        write(found.fields, to)
        return
    print(asyncio.run(save(read_settings(config, data_dir=data_dir), found.fields, over=over, project=project)))


@domains.command("test")
def try_domain(
    path: Annotated[Path, typer.Argument(help="A domain in YAML, or a Rasa project's folder with its test stories.")],
    conversations: Annotated[
        list[Path] | None, typer.Option(help="Files or folders with conversations; may be given several times.")
    ] = None,
    folds: Annotated[int, typer.Option(help="Parts of the examples that are read by what the others teach.")] = 0,
    holdout: Annotated[float | None, typer.Option(help="Or one share of the examples, such as 0.2.")] = None,
    report: Annotated[Path | None, typer.Option(help="A file for all that was found, as JSON.")] = None,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Walk conversations through a domain and read its examples; exit code 1 if a turn goes otherwise than expected."""
    from zhuli.operating.domain_tests import lines_of, test
    from zhuli.settings import read_settings

    settings = read_settings(config, data_dir=data_dir)
    result = asyncio.run(test(settings, path, conversations or [], folds=folds, holdout=holdout))
    if report is not None:
        report.write_text(result.model_dump_json(indent=1), encoding="utf-8")
    print("\n".join(lines_of(result)))
    if result.differences:
        raise typer.Exit(1)


@domains.command("export")
def export_domain(
    domain_id: Annotated[str, typer.Argument(help="Its id, dom_…")],
    to: Annotated[Path | None, typer.Option(help="The file; default: print it.")] = None,
    project: Project = "default",
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Write a domain as YAML."""
    from zhuli.operating.domains import load, write
    from zhuli.settings import read_settings

    write(asyncio.run(load(read_settings(config, data_dir=data_dir), domain_id, project=project)), to)


@domains.command("draw")
def draw_domain(
    path: Annotated[Path, typer.Argument(help="A domain in YAML; or another builder's folder, file or archive.")],
    to: Annotated[Path | None, typer.Option(help="The file, such as domain.mmd; default: print it.")] = None,
) -> None:
    """Draw a domain's topics, forms and actions as a flowchart in Mermaid, without a server."""
    from zhuli.operating.domains import read, write_text
    from zhuli.understanding.domains.drawing import draw

    write_text(draw(read(path).fields), to)


@datasets.command("list")
def list_datasets(base_url: BaseUrl = HERE, api_key: ApiKey = None) -> None:
    """Show which data sets there are."""
    from zhuli.operating.datasets import of_server
    from zhuli.operating.terminal import console, table

    async def run() -> None:
        async with of_server(base_url, api_key) as server:
            shown = table("id", "name", "task", "language")
            for one in await server.listed():
                shown.add_row(one["id"], one["name"], one["task"], one["language"] or "")
            console().print(shown)

    asyncio.run(run())


@datasets.command("create")
def create_dataset(
    name: Annotated[str, typer.Argument(help="By which it is known.")],
    task: Annotated[str, typer.Option(help="text_classification, dialogue, …")] = "text_classification",
    language: Annotated[str | None, typer.Option(help="Of its texts, like zh; default: told by their letters.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Make an empty data set; its id is printed."""
    from zhuli.operating.datasets import of_server

    async def run() -> None:
        async with of_server(base_url, api_key) as server:
            print((await server.create(name, task=task, language=language))["id"])

    asyncio.run(run())


@datasets.command("import")
def import_into_dataset(
    dataset: DataSetName,
    file: Annotated[Path | None, typer.Argument(help="Examples, in any format that zhuli tune reads.")] = None,
    feedback: Annotated[bool, typer.Option("--feedback", help="What reviewers accepted or corrected.")] = False,
    threads: Annotated[int | None, typer.Option(help="The newest so many threads, as chats.")] = None,
    understandings: Annotated[int | None, typer.Option(help="The newest so many messages, as understood.")] = None,
    mask: Annotated[bool | None, typer.Option(help="Put words in the place of personal data.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Add examples: of a file, or of what the server has."""
    from zhuli.operating.datasets import imports, of_server

    request = imports(file, feedback=feedback, threads=threads, understandings=understandings, mask=mask)

    async def run() -> dict[str, Any]:
        async with of_server(base_url, api_key) as server:
            return await server.take(await server.named(dataset), file, request)

    report = asyncio.run(run())
    for fault in report["faults"]:
        print(f"line {fault['line']}: {fault['message']}", file=sys.stderr)
    print(f"{report['added']} added, {report['here_before']} here before, {report['refused']} refused.")
    if report["refused"]:
        raise typer.Exit(1)


@datasets.command("version")
def make_version(
    dataset: DataSetName,
    validation_share: Annotated[float, typer.Option(help="Held out, 0 to 0.9.")] = 0.1,
    near: Annotated[bool, typer.Option(help="Of texts that are nearly the same one counts.")] = True,
    weak: Annotated[bool, typer.Option("--weak", help="With what is labelled weakly.")] = False,
    mask: Annotated[bool, typer.Option("--mask", help="Put words in the place of personal data.")] = False,
    seed: Annotated[int, typer.Option(help="Of the split.")] = 0,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Make a version of what is in the data set."""
    from zhuli.operating.datasets import of_server, told_of_version

    request = {"validation_share": validation_share, "near": near, "weak": weak, "mask": mask, "seed": seed}

    async def run() -> dict[str, Any]:
        async with of_server(base_url, api_key) as server:
            found = await server.named(dataset)
            task = await server.done(found, "versions", request)
            return await server.get(found, f"versions/{task['version']}")

    print(told_of_version(asyncio.run(run())))


@datasets.command("diff")
def diff_versions(
    dataset: DataSetName,
    version: Annotated[str | None, typer.Option(help="Its id; default: the newest.")] = None,
    against: Annotated[str | None, typer.Option(help="Default: the one before.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Say what is otherwise in one version than in another."""
    from zhuli.operating.datasets import of_server, told_of_diff

    async def run() -> dict[str, Any]:
        async with of_server(base_url, api_key) as server:
            found = await server.named(dataset)
            return await server.get(found, f"versions/{await server.version(found, version)}/diff", against=against)

    print(told_of_diff(asyncio.run(run())))


@datasets.command("suggestions")
def suggest_messages(
    dataset: DataSetName,
    limit: Annotated[int, typer.Option(help="How many.")] = 20,
    model: Annotated[str | None, typer.Option(help="Only what this model was asked.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Show the messages of the traffic that are most worth a label."""
    from zhuli.operating.datasets import of_server
    from zhuli.operating.terminal import console, table

    async def run() -> dict[str, Any]:
        async with of_server(base_url, api_key) as server:
            return await server.get(await server.named(dataset), "suggestions", limit=limit, model=model)

    shown = table("unsure", "new", "guess", "text")
    for one in asyncio.run(run())["data"]:
        shown.add_row(f"{one['uncertainty']:.2f}", f"{one['novelty']:.2f}", one["guess"] or "", one["text"])
    console().print(shown)


@datasets.command("noise")
def find_noise(
    dataset: DataSetName,
    version: Annotated[str | None, typer.Option(help="Its id; default: the newest.")] = None,
    limit: Annotated[int, typer.Option(help="How many.")] = 100,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Show the labels of a version that are most likely wrong."""
    from zhuli.operating.datasets import of_server
    from zhuli.operating.terminal import console, table

    async def run() -> dict[str, Any]:
        async with of_server(base_url, api_key) as server:
            found = await server.named(dataset)
            request = {"version": await server.version(found, version), "limit": limit}
            return dict((await server.done(found, "label_noise", request))["result"])

    result = asyncio.run(run())
    shown = table("example", "label", "rather", "text")
    for one in result["data"]:
        shown.add_row(one["example"], one["label"], one["suggested"], one["text"])
    console().print(shown)
    print(f"{result['in_doubt']} of {result['looked_at']} labels are in doubt.")


@datasets.command("weak-labels")
def label_weakly(
    dataset: DataSetName,
    texts: Annotated[Path, typer.Argument(help="A text a line.")],
    keywords: Annotated[list[str] | None, typer.Option(help="A rule: LABEL=word,word.")] = None,
    pattern: Annotated[list[str] | None, typer.Option(help="A rule: LABEL=EXPRESSION.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="A tuned model that votes.")] = None,
    min_probability: Annotated[float, typer.Option(help="How sure the votes together must be.")] = 0.8,
    add: Annotated[bool, typer.Option("--add", help="Put what is sure enough into the data set.")] = False,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Let rules and models vote on texts."""
    from zhuli.operating.datasets import of_server, rules_of
    from zhuli.operating.terminal import console, table

    rules = rules_of(keywords or [], pattern or [])

    async def run() -> dict[str, Any]:
        async with of_server(base_url, api_key) as server:
            found = await server.named(dataset)
            request = {"rules": rules, "models": model or [], "min_probability": min_probability, "add": add}
            task = await server.done(found, "weak_labels", {**request, "file": await server.upload(texts)})
            return dict(task["result"])

    result = asyncio.run(run())
    shown = table("voter", "right", "votes")
    for voter in result["voters"]:
        shown.add_row(str(voter["name"]), f"{voter['accuracy']:.2f}", str(voter["votes"]))
    console().print(shown)
    print(f"{result['texts']} texts, {result.get('added', 0)} added.")


@datasets.command("delete")
def delete_dataset(
    dataset: DataSetName,
    version: Annotated[str | None, typer.Option(help="Only this version.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Delete a data set with its versions, or one version."""
    from zhuli.operating.datasets import of_server

    async def run() -> None:
        async with of_server(base_url, api_key) as server:
            await server.delete(await server.named(dataset), version)

    asyncio.run(run())
    print(f"{version or dataset} is deleted.")


@end_users.command("delete")
def delete_end_user(
    user: Annotated[str, typer.Argument(help="Your id of them.")], base_url: BaseUrl = HERE, api_key: ApiKey = None
) -> None:
    """Delete everything of one person, and wait until nothing is left; exit code 1 if a fine-tuning job must end first."""
    from zhuli.operating.end_users import delete, told

    record = asyncio.run(delete(base_url, api_key, user))
    print(told(record))
    if record["status"] != "completed":
        raise typer.Exit(1)


@end_users.command("export")
def export_end_user(
    user: Annotated[str, typer.Argument(help="Your id of them.")],
    to: Annotated[Path | None, typer.Option(help="The file; default: print it.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Write everything of one person as JSON Lines."""
    from zhuli.operating.end_users import export

    async def run() -> None:
        async for piece in export(base_url, api_key, user, to):
            sys.stdout.buffer.write(piece)

    asyncio.run(run())


@app.command()
def tune(
    folder: Annotated[
        Path | None, typer.Argument(help="A tuning's folder: run it or go on.", show_default=False)
    ] = None,
    task: Annotated[str | None, typer.Option(help="A new tuning: text_classification, dialogue, …")] = None,
    base: Annotated[str | None, typer.Option(help="What is tuned: minilm, e5-small, smollm2, or a folder.")] = None,
    train: Annotated[Path | None, typer.Option(help="The data to learn from.")] = None,
    validation: Annotated[Path | None, typer.Option(help="Default: a tenth of the training data.")] = None,
    test: Annotated[Path | None, typer.Option(help="Default: a tenth of the training data.")] = None,
    into: Annotated[
        Path | None, typer.Option("--folder", help="Where; default: tunings/TASK-DATE in --data-dir.")
    ] = None,
    given: Annotated[list[str] | None, typer.Option("--set", help="A hyperparameter: learning_rate=3e-5.")] = None,
    search: Annotated[str | None, typer.Option(help="Search hyperparameters: trials=20,minutes=30.")] = None,
    space: Annotated[list[str] | None, typer.Option(help="What is searched: learning_rate=1e-5..1e-3.")] = None,
    workers: Annotated[str | None, typer.Option(help="Train on Ray: 2 on this machine, or NUMBER@ADDRESS.")] = None,
    data_format: Annotated[str, typer.Option("--format", help="Of the data: csv, jsonl, conll, squad, …")] = "auto",
    column: Annotated[list[str] | None, typer.Option(help="The task's field and the file's: text=sentence.")] = None,
    language: Annotated[str | None, typer.Option(help="Of the data; default: seen from it.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same model.")] = 0,
    threads: Annotated[int, typer.Option(help="Of the processor; 0: one for each core.")] = 0,
    check: Annotated[bool, typer.Option("--check", help="Only read the data and say what is in it.")] = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Tune a model on labelled data, here, without a server. Ctrl-C pauses."""
    from zhuli.operating import tune_options as options
    from zhuli.settings import read_settings

    if folder is not None:
        raise typer.Exit(_tune(folder, check=check))
    asked = options.Asked(
        task=task,
        base=base,
        train=train,
        validation=validation,
        test=test,
        hyperparameters=options.settings_of(given or []),
        search=options.search_of(search, space or []),
        workers=options.workers_of(workers),
        format=data_format,
        columns=options.columns_of(column or []),
        language=language,
        seed=seed,
        threads=threads,
    )
    settings = read_settings(config, data_dir=data_dir)
    if not check:
        raise typer.Exit(_tune(options.new(asked, into, settings), check=False))
    with TemporaryDirectory() as scratch:
        raise typer.Exit(_tune(options.new(asked, Path(scratch, "check"), settings), check=True))


def _tune(folder: Path, *, check: bool) -> int:
    from zhuli.operating import tune as operating  # takes seconds, which mistakes in options need not

    if check:
        return operating.check(folder)
    print(f"The tuning is in {folder}", file=sys.stderr)
    return operating.run(folder)


@app.command()
def predict(
    folder: Annotated[Path, typer.Argument(help="A tuning's folder, or a tuned model's.")],
    inputs: Annotated[list[str] | None, typer.Argument(help="Default: a line of standard input each.")] = None,
) -> None:
    """Ask a tuned model in its folder, without a server: a line of JSON for each input."""
    from zhuli.operating.tune import predict as answers

    for line in answers(folder, inputs or [line.rstrip("\n") for line in sys.stdin]):
        print(line)


@app.command()
def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Only say what is missing; exit code 1 if something is.")
    ] = False,
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Bring the database up to date. A server does so itself when it starts."""
    from zhuli.operating import migrations
    from zhuli.settings import read_settings

    settings = read_settings(config, data_dir=data_dir)
    found = asyncio.run(migrations.lacking(settings) if check else migrations.apply(settings))
    if not found:
        print("The database is up to date.")
        return
    print(f"{'The database lacks' if check else 'Applied'}: {', '.join(found)}.")
    if check:
        raise typer.Exit(1)


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="The archive to make, like zhuli.tar or zhuli.tar.gz.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Keep everything in one archive: rows, files, tuned models. A server may go on meanwhile."""
    from zhuli.operating import backup as backups
    from zhuli.settings import read_settings

    made = asyncio.run(backups.backup(read_settings(config, data_dir=data_dir), target))
    print(f"{target}: {backups.counted(made)}.")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="An archive of `zhuli backup`.")],
    data_dir: DataDir = None,
    config: Config = None,
) -> None:
    """Put an archive back into an empty data directory or database, of either kind."""
    from zhuli.operating import backup as backups
    from zhuli.settings import read_settings

    put = asyncio.run(backups.restore(read_settings(config, data_dir=data_dir), source))
    print(f"Restored what zhuli {put.zhuli} kept at {put.made}: {backups.counted(put)}.")


@app.command()
def doctor(data_dir: DataDir = None, config: Config = None) -> None:
    """Look at everything a server needs, and say how to get what is missing; exit code 1 if something is."""
    from zhuli.operating.doctor import report
    from zhuli.operating.terminal import console
    from zhuli.settings import read_settings

    if not asyncio.run(report(read_settings(config, data_dir=data_dir), console())):
        raise typer.Exit(1)


@app.command()
def settings(data_dir: DataDir = None, config: Config = None) -> None:
    """Show every setting: its value, its default, and what it is."""
    from zhuli.operating.settings_table import settings_table
    from zhuli.operating.terminal import console
    from zhuli.settings import read_settings

    console().print(settings_table(read_settings(config, data_dir=data_dir)))


def main() -> None:
    """The entry point: errors of ours are a sentence, not a stack trace."""
    try:
        app()
    except ZhuliError as error:
        print(f"zhuli: {error.message}", file=sys.stderr)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
