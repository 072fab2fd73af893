"""An eval as a benchmark: two tuned models beside each other on the test part of banking77, over /v1/evals.

    python -m benchmarks.learning.evals ../shared/data --few 5 --items 3080

The one is all-MiniLM-L6-v2 with a head tuned on a few examples a class, the other on more or all of them. An encoder
without a head can't answer, so the first stands for the base. Said are both shares, how long the runs took, and the comparison.
"""

import argparse
import csv
import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import openai

from benchmarks.processes import free_port, started

Row = dict[str, str]


def main() -> None:
    asked = _arguments()
    folder = asked.data / "banking77"
    train, test = _rows(folder / "train.csv"), _rows(folder / "test.csv")
    test = test[:: max(1, len(test) // asked.items)][: asked.items]
    with tempfile.TemporaryDirectory(prefix="zhuli-evals-") as place, ExitStack() as stack:
        port = free_port()
        options = ("serve", "--port", str(port), "--data-dir", f"{place}/data")
        if asked.url is None:
            server = started("zhuli.cli", *options, port=port, ready="/readyz", log=Path(place) / "server.log")
            stack.enter_context(server)
        url = asked.url or f"http://127.0.0.1:{port}/v1"
        client = openai.OpenAI(base_url=url, api_key="any", timeout=600)
        before = asked.before or _tuned(client, _few(train, asked.few))
        after = asked.after or _tuned(client, _few(train, asked.most))
        _say(client, before, after, test)


def _arguments() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="where the folder banking77 is")
    parser.add_argument("--few", type=int, default=5, help="examples a class of the first model")
    parser.add_argument(
        "--most", type=int, default=1_000, help="examples a class of the second model; no class has more"
    )
    parser.add_argument("--before", help="the first model by its name, where the server has it")
    parser.add_argument("--after", help="the second model likewise")
    parser.add_argument("--items", type=int, default=3080, help="test examples that both are asked about")
    parser.add_argument("--url", help="of a server that runs, with /v1; without it one is started")
    return parser.parse_args()


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as file:
        return [{"text": row["text"], "label": row["category"]} for row in csv.DictReader(file)]


def _few(rows: Sequence[Row], number: int) -> list[Row]:
    """The first so many of each class."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["label"]].append(row)
    return [row for members in found.values() for row in members[:number]]


def _file(client: openai.OpenAI, lines: Sequence[Any], purpose: Any) -> str:
    data = "\n".join(json.dumps(line) for line in lines).encode()
    return client.files.create(file=("rows.jsonl", data), purpose=purpose).id


def _tuned(client: openai.OpenAI, rows: Sequence[Row]) -> str:
    """The name of a model with a head tuned on the rows."""
    job = client.fine_tuning.jobs.create(
        model="minilm",
        training_file=_file(client, rows, "fine-tune"),
        extra_body={"task": "text_classification", "tuning": {"hyperparameters": {"trainable": "head"}}},
    )
    began = time.monotonic()
    while job.status not in ("succeeded", "failed", "cancelled"):
        time.sleep(1)
        job = client.fine_tuning.jobs.retrieve(job.id)
    assert job.fine_tuned_model is not None, job.error
    print(f"{job.fine_tuned_model}: tuned on {len(rows):,} examples in {time.monotonic() - began:.0f} s")
    return job.fine_tuned_model


def _say(client: openai.OpenAI, before: str, after: str, test: Sequence[Row]) -> None:
    schema = {"type": "object", "properties": {"text": {"type": "string"}, "label": {"type": "string"}}}
    of = client.evals.create(
        name="banking77",
        data_source_config={"type": "custom", "item_schema": schema, "include_sample_schema": True},
        testing_criteria=[
            {
                "type": "string_check",
                "name": "right",
                "input": "{{ sample.output_text }}",
                "reference": "{{ item.label }}",
                "operation": "eq",
            }
        ],
    )
    file = _file(client, [{"item": row} for row in test], "evals")
    first, second = (_run(client, of.id, model, file) for model in (before, after))
    body = {"before": first, "after": second, "text": "item.text", "slices": {"topic": "item.label"}}
    found: Any = client.post(f"/evals/{of.id}/comparisons", body=body, cast_to=object)
    print(found["comparison"]["sentence"]["en"])
    print(found["comparison"]["sentence"]["zh"])
    for each in found["slices"]:
        if not each["name"].startswith("topic") or each["difference"] < 0:
            print(each["sentence"]["en"])


def _run(client: openai.OpenAI, eval_id: str, model: str, file: str) -> str:
    source: Any = {
        "type": "completions",
        "model": model,
        "source": {"type": "file_id", "id": file},
        "input_messages": {"type": "item_reference", "item_reference": "item.text"},
    }
    began = time.monotonic()
    run = client.evals.runs.create(eval_id, data_source=source)
    while run.status in ("queued", "in_progress"):
        time.sleep(0.5)
        run = client.evals.runs.retrieve(run.id, eval_id=eval_id)
    seconds = time.monotonic() - began
    counts = run.result_counts
    print(f"{model}: {run.status}, {counts.passed} of {counts.total} right, in {seconds:.0f} s")
    return run.id


if __name__ == "__main__":
    main()
