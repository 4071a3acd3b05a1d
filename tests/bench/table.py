# SPDX-License-Identifier: MIT
"""How the figures look: lines of at most 110 columns."""


def human(size):
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024


def heading(name, text):
    return f"{name}: {text}"


def columns():
    return (f"  {'':<15}{'wall':>11}{'ratio':>8}{'CPU':>12}{'ratio':>8}{'peak RSS':>13}{'ratio':>8}"
            f"{'left':>12}{'added':>9}")


def added(result, results):
    """CPU time that a tool adds to untraced, in multiples of ours; None where that means nothing."""
    base, ours = results.get("untraced", {}), results.get("ours", {})
    if "cpu" not in base or "cpu" not in ours or ours["cpu"] <= base["cpu"]:
        return None
    return (result["cpu"] - base["cpu"]) / (ours["cpu"] - base["cpu"])


def line(name, result, results):
    base = results.get("untraced", {})

    def ratio(key):
        return f"{result[key] / base[key]:8.2f}" if base.get(key) else f"{'-':>8}"

    times = added(result, results) if name not in ("untraced", "empty") else None
    mark = ">" if result.get("late") else "*" if result["runs"] == 1 and base.get("runs", 1) > 1 else ""
    return (f"  {name + mark:<15}{result['wall']:9.3f} s{ratio('wall')}{result['cpu']:10.3f} s{ratio('cpu')}"
            f"{human(result['rss']):>13}{ratio('rss')}{human(result['disk']) if result['disk'] else '-':>12}"
            f"{'' if times is None else f'{times:9.1f}'}")


def figure_line(label, name, factor, results):
    """What a program said of itself, under each tool."""
    parts = [f"{tool} {result[name] * factor:,.1f}" for tool, result in results.items() if name in result]
    return f"  {label}: " + ", ".join(parts)


def word(value):
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{value:,.1f}"


def series(label, values):
    """One line of a shape: a label and its numbers, None for what could not be measured."""
    return f"  {label:<34}" + "".join(f"{word(value):>14}" for value in values)
