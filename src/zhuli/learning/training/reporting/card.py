"""The model card: README.md beside the weights, Markdown with the front matter that Hugging Face reads.

Says what the model is for, what it was made of, how good it is and where it stops being so. All of it is taken from the
tuning's own report; nothing is asserted that was not measured.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from zhuli.learning.training.reporting import card_use, report_text
from zhuli.types.learning.hyperparameters import Hyperparameters
from zhuli.types.learning.tuning import Spec

CARD = "README.md"

_PIPELINES = {
    "text_classification": "text-classification",
    "token_classification": "token-classification",
    "relation_extraction": "text-classification",
    "question_answering": "question-answering",
    "translation": "translation",
    "summarization": "summarization",
    "dialogue": "text-generation",
    "preference": "text-generation",
}
_LICENCES = {"minilm": "apache-2.0", "e5-small": "mit", "smollm2": "apache-2.0"}
"""Of the weights of bases that come as packages; of others their own card says it."""

_FEW_EXAMPLES = 20
_POOR = 0.5
_NAMED = 20


def write_card(
    folder: Path, spec: Spec, options: Hyperparameters, data_report: Mapping[str, Any], report: Mapping[str, Any]
) -> None:
    """README.md in a model's folder. options: as they were used; report: what evaluation.compare gave, or {}."""
    licence = _licence(spec)
    language = spec.language or data_report.get("language")
    front = yaml.safe_dump(
        _front_matter(spec, report, licence=licence, language=language), allow_unicode=True, sort_keys=False
    )
    sections = [
        f"---\n{front}---",
        f"# {_name(spec)}",
        _purpose(spec, language=language, licence=licence),
        _section("How well it does", _results(report)),
        _section("Limits", _list(_limits(spec, data_report, report))),
        _section("Data", _data(data_report)),
        _section("Training", _training(spec, options, report)),
        _section("Use", card_use.written(spec, _name(spec))),
    ]
    (folder / CARD).write_text("\n\n".join(part for part in sections if part) + "\n", encoding="utf-8")


def _front_matter(
    spec: Spec, report: Mapping[str, Any], *, licence: str | None, language: str | None
) -> dict[str, Any]:
    """Fields that are not known are left out: https://huggingface.co/docs/hub/model-cards#model-card-metadata."""
    pipeline = _PIPELINES.get(spec.task)
    numbers = [
        {"type": name, "value": value, "name": name}
        for name, value in report.get("after", {}).items()
        if isinstance(value, float)
    ]
    data = {"name": "held-out examples", "type": "private"}
    results = [{"task": {"type": pipeline or spec.task}, "dataset": data, "metrics": numbers}]
    fields = {
        "language": language,
        "license": licence,
        "base_model": _base(spec),
        "pipeline_tag": pipeline,
        "library_name": "transformers",
        "tags": ["zhuli", spec.task],
        "model-index": [{"name": _name(spec), "results": results}] if numbers else None,
    }
    return {name: value for name, value in fields.items() if value}


def _licence(spec: Spec) -> str | None:
    """What the base's own card says, or what is known of the bases that come as packages."""
    card = Path(spec.base.path, CARD) if spec.base.path else None
    said = _front_of(card).get("license") if card is not None and card.is_file() else None
    return said if isinstance(said, str) else _LICENCES.get(spec.base.name)


def _front_of(card: Path) -> dict[str, Any]:
    """The front matter of somebody's card; {} if there is none that can be read."""
    parts = card.read_text(encoding="utf-8", errors="replace").split("---\n", 2)
    if len(parts) < 3 or parts[0].strip():
        return {}
    try:
        front = yaml.safe_load(parts[1])
    except yaml.YAMLError:
        return {}
    return front if isinstance(front, dict) else {}


def _base(spec: Spec) -> str:
    """Its name; a path on this machine is nobody's business."""
    return Path(spec.base.name).name if Path(spec.base.name).is_absolute() else spec.base.name


def _name(spec: Spec) -> str:
    return spec.name or f"{_base(spec)} for {spec.task.replace('_', ' ')}"


def _purpose(spec: Spec, *, language: str | None, licence: str | None) -> str:
    of = f" Language: {language}." if language else ""
    under = (
        f" The base's licence: {licence}."
        if licence
        else " The base's licence is not known here; look it up before you pass this on."
    )
    return f"{_base(spec)} tuned for {spec.task.replace('_', ' ')}.{of}{under}"


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}" if text else ""


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _results(report: Mapping[str, Any]) -> str:
    if "after" not in report:
        return "Nobody has measured it: no examples were held out."
    who = "the most frequent answer" if report.get("untrained") == "majority" else "the base as it is"
    rows = ["| | before | after | 95 % of after |", "| --- | ---: | ---: | --- |"]
    for name, value in report["after"].items():
        shown = report_text.number(name, value)
        if shown:
            edges = report.get("intervals", {}).get(name, {}).get("after")
            between = " … ".join(report_text.number(name, edge) for edge in edges) if edges else ""
            rows.append(f"| {name} | {report_text.number(name, report['before'].get(name))} | {shown} | {between} |")
    chance = report.get("probability")
    better = (
        f" That {report['metric']} rose is no accident with probability {chance:.3f}." if chance is not None else ""
    )
    intro = f"On {report['examples']} held-out examples. Before: {who}. After: this model.{better}"
    return f"{intro}\n\n" + "\n".join(rows)


def _limits(spec: Spec, data: Mapping[str, Any], report: Mapping[str, Any]) -> list[str]:
    shared = sum(leak.get("same", 0) for leak in (data.get("leakage") or {}).values())
    cut = (data.get("lengths") or {}).get("too_long", 0)
    classes = report.get("after", {}).get("per_class") or {}
    poor = [label for label, rates in classes.items() if rates["support"] and rates["f1"] < _POOR]
    labels = data.get("labels") or {}
    rare = [label for label, count in labels.items() if count < _FEW_EXAMPLES]
    said = {
        "Measured on examples from the same source as those it has learned from; on other texts expect less.": report,
        f"{shared} held-out texts are in the training data as well: the numbers flatter it.": shared,
        f"{cut} texts were longer than what it reads at once.": cut,
        f"F1 below {_POOR} for: {', '.join(poor[:_NAMED])}.": poor,
        f"Fewer than {_FEW_EXAMPLES} examples for: {', '.join(rare[:_NAMED])}.": rare,
        "It knows no answers but its labels, and gives one of them to texts that have nothing to do with any.": labels
        and spec.task != "token_classification",
        "It is not better than what it was made of.": report.get("better") is False,
        "It may write what is not true; nothing checks its texts.": spec.task in card_use.GENERATES,
    }
    return [line for line, holds in said.items() if holds]


def _data(data: Mapping[str, Any]) -> str:
    counts = data.get("counts") or {}
    lines = [f"{name}: {count}" for name, count in counts.items()]
    labels = data.get("labels") or {}
    if labels:
        lines.append(f"labels: {', '.join(f'{label} ({count})' for label, count in list(labels.items())[:100])}")
    return _list(lines)


def _training(spec: Spec, options: Hyperparameters, report: Mapping[str, Any]) -> str:
    lines = [f"seed: {spec.seed}"]
    chosen = options.model_dump(exclude={"lora"} if options.trainable != "lora" else None)
    lines += [f"{name}: {value}" for name, value in chosen.items() if value not in ("auto", None)]
    facts = report.get("training") or {}
    lines += [f"{name}: {value}" for name, value in facts.items() if isinstance(value, int | float | str)]
    return _list(lines)
