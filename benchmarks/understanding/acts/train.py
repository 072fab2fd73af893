"""Makes the heads for dialogue acts that zhuli ships, and the table of how right they are: `make acts ARGS="--data DIR"`.

DIR has the folders nlupp, sgd_dialogues, clinc150 and crosswoz_zh. Each source in turn is left out, a head is fitted on the
others and asked about it: that is the table in docs/understanding-results.md. Of our own lines, which alone have some acts, a
quarter is left out four times. What is shipped is fitted on everything, and calibrated by what those heads said that had not
seen the example. Nothing is chosen by what the table says; the penalty was, by quarters of our own lines.
"""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks import kept_results
from benchmarks.linear_heads import Mask, embedded, f1
from benchmarks.understanding.acts import fitting
from benchmarks.understanding.acts.fitting import Table
from benchmarks.understanding.acts.sources import ActExample, read_all
from benchmarks.understanding.services import KeptVectors
from zhuli.types.understanding.domain import Language
from zhuli.understanding.dialogue.understander_services import ENGLISH, EVERY_LANGUAGE
from zhuli.understanding.language.acts.act_features import Floats
from zhuli.understanding.language.acts.act_head import ACTS, FILE
from zhuli.understanding.language.acts.dialogue_acts import act_of, only_greets
from zhuli.understanding.language.intent_classification import array_file

PAGE = Path(__file__).parents[3] / "docs" / "understanding-results.md"
MARK = "<!-- acts: {edge} of what make acts writes -->"

FOLDS = 4

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    data: Annotated[Path, typer.Option(help="Where the data sets are, a folder each.", exists=True)],
    work: Annotated[Path, typer.Option(help="Where vectors are kept.")] = Path("build/bench-understanding"),
    data_dir: Annotated[Path, typer.Option(help="Where embedders are made ready.")] = Path("data"),
    jsonl: Annotated[Path | None, typer.Option(help="Write the examples for a fine-tuning job instead.")] = None,
) -> None:
    """Write the heads, their card and the table."""
    examples = read_all(data)
    if jsonl is not None:
        jsonl.write_text("".join(_record(one) for one in examples if one.known >= one.acts), encoding="utf-8")
        return
    kept = KeptVectors(work / "vectors.db")
    arrays: dict[str, NDArray[Any]] = {}
    card: dict[str, Any] = {}
    with threadpool_limits(1, "blas"):
        for name, only in ((EVERY_LANGUAGE, None), (ENGLISH, "en")):
            own = [one for one in examples if only is None or one.language == only]
            vectors = embedded(name, [one.text for one in own], kept, work=work, data_dir=data_dir)
            made, told = _head(name, own, vectors)
            arrays |= made
            card[name] = told
    array_file.write(FILE, arrays)
    _write_card(card, examples)
    kept_results.put(PAGE, _table(card), begin=MARK.format(edge="begin"), end=MARK.format(edge="end"))


def _record(example: ActExample) -> str:
    return json.dumps({"text": example.text, "label": sorted(example.acts)}, ensure_ascii=False) + "\n"


def _head(name: str, examples: Sequence[ActExample], vectors: Floats) -> tuple[dict[str, Any], dict[str, Any]]:
    """Its arrays, and what is known about it."""
    center = vectors.mean(axis=0)
    all_of_it = fitting.table(examples, vectors, center)
    parts = {str(source): all_of_it.sources == source for source in np.unique(all_of_it.sources)}
    unseen = {source: _asked(name, source, all_of_it, ~part, part) for source, part in parts.items()}
    by_line = np.zeros((len(examples), len(ACTS)), np.float32)
    ours = np.char.startswith(all_of_it.sources, "ours")
    for number, fold in enumerate(_folds(all_of_it.lines)):
        by_line[fold & ours] = _asked(name, f"lines {number}", all_of_it, ~fold, fold & ours)
    logits = by_line.copy()
    for source, part in parts.items():
        if not source.startswith("ours"):
            logits[part] = unseen[source]
    scales, thresholds = fitting.calibrated(logits, all_of_it)
    said = {source: (part, unseen[source]) for source, part in parts.items()}
    said |= {f"{source}, other lines": (part, by_line[part]) for source, part in parts.items() if "ours" in source}
    scores = {
        title: _scores(examples, all_of_it.part(part), part, logits, (scales, thresholds))
        for title, (part, logits) in said.items()
    }
    weights = _timed(name, "all", lambda: fitting.fitted(all_of_it))
    made = fitting.head(center, weights, scales, thresholds)
    return made.arrays(name), {"examples": len(examples), "scores": scores}


def _asked(name: str, what: str, all_of_it: Table, known: Mask, part: Mask) -> Floats:
    weights: Floats = _timed(name, f"without {what}", lambda: fitting.fitted(all_of_it.part(known)))
    logits: Floats = all_of_it.given[part] @ weights
    return logits


def _timed(name: str, what: str, fit: Any) -> Any:
    began = time.perf_counter()
    made = fit()
    print(f"{name}, {what}: {time.perf_counter() - began:.0f} s", flush=True)
    return made


def _folds(lines: NDArray[np.str_]) -> Iterator[Mask]:
    names, places = np.unique(lines, return_inverse=True)
    drawn = np.random.default_rng(0).permutation(len(names)) % FOLDS
    for fold in range(FOLDS):
        yield drawn[places] == fold


def _scores(
    examples: Sequence[ActExample], table: Table, part: Mask, logits: Floats, scaled: tuple[Floats, Floats]
) -> dict[str, Any]:
    """F1 of each act that the source has, with how many do it, and what the patterns alone come to."""
    scales, thresholds = scaled
    sure = 1 / (1 + np.exp(-np.clip(logits * scales[0] + scales[1], -30, 30)))
    texts = [example.text for example, inside in zip(examples, part, strict=True) if inside]
    words = [(act_of(text), only_greets(text)) for text in texts]
    found: dict[str, Any] = {}
    for act, name in enumerate(ACTS):
        knows = table.knows[:, act]
        truth = table.does[knows, act]
        if not truth.any():
            continue
        by_words = np.array([said == name or (name == "greet" and greets) for said, greets in words])[knows]
        found[name] = {
            "of": int(truth.sum()),
            "f1": round(100 * f1(sure[knows, act] >= thresholds[act], truth), 1),
            "patterns": round(100 * f1(by_words, truth), 1),
        }
    return found


TITLES: dict[str, tuple[Language, str]] = {
    "nlupp": ("en", "nlupp"),
    "sgd": ("en", "sgd"),
    "clinc150": ("en", "clinc150"),
    "ours_en": ("en", "our lines"),
    "ours_en, other lines": ("en", "our lines, others of them learned"),
    "crosswoz": ("zh", "crosswoz"),
    "ours_zh": ("zh", "our lines"),
    "ours_zh, other lines": ("zh", "our lines, others of them learned"),
}


def _table(card: dict[str, Any]) -> str:
    heads = list(card)
    columns = [(head, title) for head in heads for title in TITLES if title in card[head]["scores"]]
    names = [f"{head}, {TITLES[title][0]}: {TITLES[title][1]}" for head, title in columns]
    rows = [(act, *(_cell(card[head]["scores"][title].get(act)) for head, title in columns)) for act in ACTS]
    return kept_results.markdown(("act", *names), rows)


def _cell(found: dict[str, Any] | None) -> str:
    return "–" if found is None else f"{found['f1']} ({found['patterns']}; {found['of']:,})"


def _write_card(card: dict[str, Any], examples: Sequence[ActExample]) -> None:
    about = {
        "what": "Linear heads that tell the dialogue acts of a message, several at once, for two packaged embedders.",
        "acts": list(ACTS),
        "made_by": 'make acts ARGS="--data DIR"',
        "learned_from": {
            "nlupp banking": "CC BY 4.0, PolyAI-LDN/task-specific-datasets",
            "schema-guided dialogue": "CC BY-SA 4.0, google-research-datasets/dstc8-schema-guided-dialogue",
            "clinc150": "CC BY 3.0, clinc/oos-eval",
            "CrossWOZ": "Apache 2.0, thu-coai/CrossWOZ",
            "benchmarks/understanding/acts/lines": "CC0, our own",
        },
        "limits": "English and Chinese. Short turns of task dialogues; irony is not seen. Certainties are calibrated "
        "on the sources above, other talk may differ.",
        "texts": len({one.text for one in examples}),
        "heads": card,
    }
    FILE.with_name("card.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    app()
