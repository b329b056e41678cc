"""The dashboard for Grafana and the alerts for Prometheus: whole, and of metrics that there are."""
import json
import re
import subprocess

import pytest

import server as lib

ALERTS = lib.ROOT / "etc/prometheus/imapd.rules.yml"
DASHBOARD = lib.ROOT / "etc/grafana/imapd.json"


def known():
    """Names of series that the table gives, and those of Prometheus itself."""
    rows = re.findall(r'^\t\[METRIC_\w+\] = \{ "(\w+)"(.*?)^(?=\t\[|\};)', (lib.ROOT / "src/metrics/table.c").read_text(),
                      re.M | re.S)
    names = {"up"}
    for name, rest in rows:
        names |= {f"{name}_{part}" for part in ("bucket", "sum", "count")} if "HISTOGRAM(" in rest else {name}
    return names


def used(expression):
    return set(re.findall(r"\b(?:imapd|process)_\w+|\bup\b", re.sub(r'"[^"]*"', '""', expression)))


@pytest.fixture(scope="module")
def dashboard():
    return json.loads(DASHBOARD.read_text())


def expressions(dashboard):
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]


def test_the_dashboard_is_whole(dashboard):
    assert dashboard["schemaVersion"] >= 36 and dashboard["id"] is None and dashboard["uid"] and dashboard["title"]
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) > 20
    taken = set()
    for panel in panels:
        assert panel["type"] in ("row", "stat", "timeseries") and panel["title"]
        place = panel["gridPos"]
        assert place["x"] >= 0 and place["w"] > 0 and place["x"] + place["w"] <= 24 and place["h"] > 0
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, f"{panel['title']} lies over another"
        taken |= cells
        if panel["type"] != "row":
            assert panel["targets"] and panel["fieldConfig"]["defaults"]["unit"], panel["title"]
            refs = [target["refId"] for target in panel["targets"]]
            assert len(set(refs)) == len(refs)
            assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])
    variables = {variable["name"] for variable in dashboard["templating"]["list"]}
    asked = set(re.findall(r"\$\{?(\w+)", json.dumps([panels, dashboard["templating"]]))) - {"__rate_interval", "__all"}
    assert asked == variables


def test_they_ask_for_what_there_is(dashboard):
    rules = re.findall(r"^        expr: (.*)", ALERTS.read_text(), re.M)
    assert len(rules) > 10
    for expression in (*expressions(dashboard), *rules):
        assert used(expression) and used(expression) <= known(), expression
        for quoted in re.findall(r'result="(\w+)"', expression):
            assert quoted in ("ok", "hit", "failed", "unavailable", "temporary")


def test_all_that_is_measured_is_shown(dashboard):
    shown = set().union(*map(used, expressions(dashboard)))
    shown = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    hidden = {re.sub(r"_(bucket|sum|count)$", "", name) for name in known()} - shown
    assert hidden == {"up", "process_virtual_memory_bytes", "process_threads"}


def test_the_alerts_say_what_to_do():
    text = ALERTS.read_text()
    alerts = text.split("      - alert: ")[1:]
    for alert in alerts:
        name = alert.split()[0]
        assert re.search(r"severity: (critical|warning)", alert) and "summary:" in alert, name
        assert "imapctl" in alert or re.search(r"iostat|LimitNOFILE|disk", alert), name
    verbs = set(re.findall(r'^\t\{ "([a-z -]+)", "', (lib.ROOT / "src/imapctl/verbs/verbs.c").read_text(), re.M))
    for verb in re.findall(r"imapctl ([a-z-]+(?: [a-z]+)?)", text):
        assert verb in verbs or verb.split()[0] in verbs, verb
    tests = (lib.ROOT / "tests/metrics/alerts.yml").read_text()
    for name in re.findall(r"^      - alert: (\w+)", text, re.M):
        assert f"name: {name} fires" in tests and f"name: {name} does not fire" in tests


@pytest.mark.parametrize("words", [("check", "rules", ALERTS), ("test", "rules", lib.ROOT / "tests/metrics/alerts.yml")])
def test_promtool_accepts_the_alerts(words):
    done = subprocess.run([lib.need("promtool"), *words], text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
