#!/usr/bin/env python3
"""Draws the dashboard with what a Prometheus knows, where no Grafana is at hand.

    config/grafana/draw.py [--prometheus http://127.0.0.1:9090] [--minutes 60] [--ago 0] > dashboard.svg

docs/dashboard.svg was made so. It needs nothing but Python 3.
"""
import argparse
import json
import pathlib
import time
import urllib.parse
import urllib.request
from xml.sax.saxutils import escape

COLOURS = ["#3274d9", "#e0752d", "#299c46", "#a352cc", "#d44a3a", "#8f6b00", "#0a7e8c", "#777777"]
WIDTH, ROW, POINTS, MOST_SERIES = 330, 24, 90, 8


def series(server, query, start, end):
    """The label sets of a query's answer, each with its points."""
    step = max((end - start) / POINTS, 1)
    asked = {"query": query, "start": start, "end": end, "step": step}
    url = f"{server}/api/v1/query_range?{urllib.parse.urlencode(asked)}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        found = json.load(answer)["data"]["result"]
    for each in found:
        points = [(float(at), float(value)) for at, value in each["values"]]
        yield each["metric"], [(at, value) for at, value in points if value == value]


def legend(target, metric):
    text = target.get("legendFormat") or target["expr"]
    for name, value in metric.items():
        text = text.replace("{{%s}}" % name, value)
    return text


def short(value, unit):
    if unit == "s":
        return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
    if unit == "bytes":
        return f"{value / 2**20:.3g} MiB"
    return f"{value:.3g}"


def panel(panel, server, start, end, interval):
    """One panel, at the origin."""
    place = panel["gridPos"]
    width, height = place["w"] * WIDTH / 8 - 12, place["h"] * ROW - 10
    unit = panel["fieldConfig"]["defaults"].get("unit", "short")
    lines = []
    for target in panel["targets"]:
        query = target["expr"].replace("$__rate_interval", interval)
        lines += [(legend(target, metric), points) for metric, points in series(server, query, start, end)]
    # Series that are there for alerts, and at zero, would hide the others.
    lines = [line for line in lines if any(value for _, value in line[1])]
    lines.sort(key=lambda line: -sum(value for _, value in line[1]))
    lines = lines[:MOST_SERIES]
    most = max([value for _, points in lines for _, value in points], default=0) or 1
    top, bottom = 24, height - 14 - 11 * ((len(lines) + 2) // 3)
    x = lambda at: 4 + (at - start) / (end - start) * (width - 8)
    y = lambda value: bottom - value / most * (bottom - top - 10)
    yield f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff" stroke="#ddd"/>'
    yield f'<text x="8" y="16" class="t">{escape(panel["title"])}</text>'
    yield f'<text x="{width - 6:.0f}" y="16" class="l" text-anchor="end">{short(most, unit)}</text>'
    yield f'<path d="M4 {bottom:.0f}H{width - 4:.0f}M4 {y(most):.0f}H{width - 4:.0f}" stroke="#eee"/>'
    for number, (name, points) in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        path, before = [], None
        for at, value in points:
            # A hole in the data is a hole in the line.
            joined = before is not None and at - before < 2.5 * max((end - start) / POINTS, 1)
            path.append(f"{'L' if joined else 'M'}{x(at):.0f} {y(value):.1f}")
            before = at
        path.append("h1")
        yield f'<path d="{"".join(path)}" stroke="{colour}" fill="none"/>'
        left, under = 8 + number % 3 * (width - 8) / 3, bottom + 13 + number // 3 * 11
        yield f'<text x="{left:.0f}" y="{under:.0f}" class="l" fill="{colour}">{escape(name[:20])}</text>'


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--prometheus", default="http://127.0.0.1:9090")
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--interval", default="1m", help="over which rates are taken")
    options.add_argument("--ago", type=float, default=0, help="minutes since the end of the picture")
    asked = options.parse_args()
    end = time.time() - asked.ago * 60
    start = end - asked.minutes * 60
    dashboard = json.loads((pathlib.Path(__file__).parent / "stuid.json").read_text())
    rows = max(each["gridPos"]["y"] + each["gridPos"]["h"] for each in dashboard["panels"])
    width, height = 3 * WIDTH + 8, rows * ROW + 8
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">')
    print("<style>.t{font-size:12px;font-weight:bold}.l{font-size:9px}</style>")
    print(f'<rect width="{width}" height="{height}" fill="#f4f5f5"/>')
    for each in dashboard["panels"]:
        place = each["gridPos"]
        print(f'<g transform="translate({place["x"] * WIDTH / 8 + 8:.0f} {place["y"] * ROW + 8})">')
        for part in panel(each, asked.prometheus, start, end, asked.interval):
            print(part)
        print("</g>")
    print("</svg>")


main()
