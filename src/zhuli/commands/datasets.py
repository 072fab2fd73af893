"""`zhuli datasets`: data sets of a server."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from zhuli.commands.options import HERE, ApiKey, BaseUrl, DataSetName

commands = typer.Typer(
    no_args_is_help=True, help="Data sets of a server: examples, and versions that models learn from."
)


@commands.command("list")
def list_datasets(base_url: BaseUrl = HERE, api_key: ApiKey = None) -> None:
    """Show which data sets there are."""
    from zhuli.operating.asking.datasets import of_server
    from zhuli.operating.terminal import console, table

    async def run() -> None:
        async with of_server(base_url, api_key) as server:
            shown = table("id", "name", "task", "language")
            for one in await server.listed():
                shown.add_row(one["id"], one["name"], one["task"], one["language"] or "")
            console().print(shown)

    asyncio.run(run())


@commands.command("create")
def create_dataset(
    name: Annotated[str, typer.Argument(help="By which it is known.")],
    task: Annotated[str, typer.Option(help="text_classification, dialogue, …")] = "text_classification",
    language: Annotated[str | None, typer.Option(help="Of its texts, like zh; default: told by their letters.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Make an empty data set; its id is printed."""
    from zhuli.operating.asking.datasets import of_server

    async def run() -> None:
        async with of_server(base_url, api_key) as server:
            print((await server.create(name, task=task, language=language))["id"])

    asyncio.run(run())


@commands.command("import")
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
    from zhuli.operating.asking.datasets import imports, of_server

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


@commands.command("version")
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
    from zhuli.operating.asking.datasets import of_server, told_of_version

    request = {"validation_share": validation_share, "near": near, "weak": weak, "mask": mask, "seed": seed}

    async def run() -> dict[str, Any]:
        async with of_server(base_url, api_key) as server:
            found = await server.named(dataset)
            task = await server.done(found, "versions", request)
            return await server.get(found, f"versions/{task['version']}")

    print(told_of_version(asyncio.run(run())))


@commands.command("diff")
def diff_versions(
    dataset: DataSetName,
    version: Annotated[str | None, typer.Option(help="Its id; default: the newest.")] = None,
    against: Annotated[str | None, typer.Option(help="Default: the one before.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Say what is otherwise in one version than in another."""
    from zhuli.operating.asking.datasets import of_server, told_of_diff

    async def run() -> dict[str, Any]:
        async with of_server(base_url, api_key) as server:
            found = await server.named(dataset)
            return await server.get(found, f"versions/{await server.version(found, version)}/diff", against=against)

    print(told_of_diff(asyncio.run(run())))


@commands.command("suggestions")
def suggest_messages(
    dataset: DataSetName,
    limit: Annotated[int, typer.Option(help="How many.")] = 20,
    model: Annotated[str | None, typer.Option(help="Only what this model was asked.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Show the messages of the traffic that are most worth a label."""
    from zhuli.operating.asking.datasets import of_server
    from zhuli.operating.terminal import console, table

    async def run() -> dict[str, Any]:
        async with of_server(base_url, api_key) as server:
            return await server.get(await server.named(dataset), "suggestions", limit=limit, model=model)

    shown = table("unsure", "new", "guess", "text")
    for one in asyncio.run(run())["data"]:
        shown.add_row(f"{one['uncertainty']:.2f}", f"{one['novelty']:.2f}", one["guess"] or "", one["text"])
    console().print(shown)


@commands.command("noise")
def find_noise(
    dataset: DataSetName,
    version: Annotated[str | None, typer.Option(help="Its id; default: the newest.")] = None,
    limit: Annotated[int, typer.Option(help="How many.")] = 100,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Show the labels of a version that are most likely wrong."""
    from zhuli.operating.asking.datasets import of_server
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


@commands.command("weak-labels")
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
    from zhuli.operating.asking.datasets import of_server, rules_of
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


@commands.command("delete")
def delete_dataset(
    dataset: DataSetName,
    version: Annotated[str | None, typer.Option(help="Only this version.")] = None,
    base_url: BaseUrl = HERE,
    api_key: ApiKey = None,
) -> None:
    """Delete a data set with its versions, or one version."""
    from zhuli.operating.asking.datasets import of_server

    async def run() -> None:
        async with of_server(base_url, api_key) as server:
            await server.delete(await server.named(dataset), version)

    asyncio.run(run())
    print(f"{version or dataset} is deleted.")
