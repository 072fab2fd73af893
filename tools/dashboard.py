"""deploy/grafana.json: a dashboard with a panel for each metric that zhuli has, made from the metrics themselves.

python -m tools.dashboard
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.metrics import MetricWrapperBase

from zhuli.core.telemetry import Telemetry

FILE = Path(__file__).parents[1] / "deploy" / "grafana.json"
SOURCE = {"type": "prometheus", "uid": "${source}"}
WIDTH, HEIGHT = 12, 8
QUANTILES = (0.5, 0.95)
LEFT_OUT = ("process_virtual_memory_bytes", "process_max_fds")
"""What says nothing over time."""
SHARED = ("zhuli_jobs_waiting",)
"""What all servers of a database say alike."""


def dashboard() -> dict[str, Any]:
    """As Grafana imports it; asks which Prometheus, and which instances."""
    return {
        "title": "zhuli",
        "uid": "zhuli",
        "tags": ["zhuli"],
        "timezone": "browser",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {
            "list": [
                {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
                _choice("instance", "zhuli_http_requests_total"),
                _choice("project", "zhuli_model_calls_total"),
            ]
        },
        "panels": list(_panels()),
    }


def _choice(label: str, metric: str) -> dict[str, Any]:
    return {
        "name": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": f"label_values({metric}, {label})", "refId": label},
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "refresh": 2,
    }


def _panels() -> Iterator[dict[str, Any]]:
    registry = Telemetry().registry
    for number, metric in enumerate(metric for metric in registry.collect() if metric.name not in LEFT_OUT):
        labels = _labels(registry, metric)
        targets = [
            {"datasource": SOURCE, "refId": chr(ord("A") + place), "expr": query, "legendFormat": legend}
            for place, (query, legend) in enumerate(_queries(metric, labels))
        ]
        yield {
            "id": number + 1,
            "type": "timeseries",
            "title": metric.documentation,
            "description": metric.name,
            "datasource": SOURCE,
            "gridPos": {"x": number % 2 * WIDTH, "y": number // 2 * HEIGHT, "w": WIDTH, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": _unit(metric), "min": 0}, "overrides": []},
            "targets": targets,
        }


def _queries(metric: Metric, labels: list[str]) -> Iterator[tuple[str, str]]:
    """PromQL, and what the line is called."""
    chosen = ", ".join(f'{label}=~"${label}"' for label in ("instance", *("project",) * ("project" in labels)))
    shown = [label for label in labels if label != "project"]
    legend = " ".join(f"{{{{{label}}}}}" for label in shown)
    match metric.type:
        case "histogram":
            by = ", ".join(["le", *shown])
            for quantile in QUANTILES:
                rate = f"sum by ({by}) (rate({metric.name}_bucket{{{chosen}}}[$__rate_interval]))"
                yield f"histogram_quantile({quantile}, {rate})", f"p{quantile * 100:g} {legend}".rstrip()
        case "counter":
            yield f"sum by ({', '.join(shown)}) (rate({metric.name}_total{{{chosen}}}[$__rate_interval]))", legend
        case _:
            over = "max" if metric.name in SHARED else "sum"
            by = ", ".join(shown or ["instance"])
            yield f"{over} by ({by}) ({metric.name}{{{chosen}}})", legend or "{{instance}}"


def _labels(registry: CollectorRegistry, metric: Metric) -> list[str]:
    made = registry._names_to_collectors.get(metric.name)
    return list(made._labelnames) if isinstance(made, MetricWrapperBase) else []


def _unit(metric: Metric) -> str:
    if metric.name.endswith("_bytes"):
        return "bytes"
    if metric.name.endswith("start_time_seconds"):
        return "dateTimeAsIso"
    if metric.type == "histogram":
        return "s"
    return "ops" if metric.type == "counter" else "short"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(dashboard(), indent=1) + "\n")
