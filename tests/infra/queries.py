"""Every KQL query: of the alerts, the workbook, docs/monitoring.md and the service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from rotation.adapters import log_analytics

from .bicep import INFRA, ROOT
from .deployed import deployed

DOCUMENT = (ROOT / "docs/monitoring.md").read_text()
ALERTS = {
    one["name"].removeprefix("rotation-"): one["properties"]
    for one in deployed("one_vault").of("Microsoft.Insights/scheduledQueryRules")
}


def _queries() -> Iterator[tuple[str, str]]:
    for name, alert in ALERTS.items():
        yield f"alert {name}", alert["criteria"]["allOf"][0]["query"]
    for item in json.loads((INFRA / "workbook.json").read_text())["items"]:
        if item["content"].get("query"):
            yield f"workbook: {item['name']}", item["content"]["query"]
    for number, query in enumerate(re.findall(r"^```kusto\n(.*?)^```", DOCUMENT, re.M | re.S)):
        yield f"docs/monitoring.md, query {number + 1}", query
    yield "service: readers", log_analytics.query_for("https://kv-one.vault.azure.net", "ai-key")


QUERIES = dict(_queries())
