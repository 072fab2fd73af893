"""`zhuli chat` and `zhuli audit`: what is asked of a model through a server."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

commands = typer.Typer()


@commands.command()
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
    from zhuli.operating.talking.chat import chat as talk
    from zhuli.operating.talking.conversation import Conversation

    understood = _domain_of(domain)

    async def run() -> None:
        conversation = Conversation(base_url, api_key, instructions, understood)
        await talk(conversation, model=model, thread=thread, question=question)

    asyncio.run(run())


@commands.command()
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
    from zhuli.operating.asking.audit import asked, told
    from zhuli.operating.asking.audit import audit as audited

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
