"""The numbers of `run --bench`: checked, kept in results.tsv, shown as tables and as a picture."""

import json
import math
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

MODES = {"16k": "16 KiB pieces", "event": "one event a piece"}
OWN = "deltawire"
# Language, the beginning of a row's name, and how many times as long as deltawire it takes at least.
FACTORS = [
    ("python", "openai", 50),
    ("python", "liter-llm", 50),
    ("python", "httpx-sse", 3),
    ("node", "eventsource-parser", 3),
    ("go", "bufio.Scanner", 5),
]
# Language, and how long an event takes at most in 16 KiB pieces, in nanoseconds.
LONGEST = [("python", 2000)]


class Row(NamedTuple):
    name: str
    mode: str
    nanoseconds: float
    deltas: int
    bytes: int

    @property
    def is_own(self):
        return self.name.startswith(OWN)

    @property
    def is_http(self):
        return self.name.endswith(", HTTP")


def parse(language, printed):
    """The rows that a `check bench` printed; ValueError where they are none."""
    rows = []
    for line in printed.splitlines():
        fields = line.split("\t")
        try:
            name, mode, nanoseconds, deltas, size = fields
            row = Row(name, mode, float(nanoseconds), int(deltas), int(size))
        except ValueError:
            raise ValueError(f"{language}: no row: {line!r}") from None
        if not name or mode not in MODES or not 0 < row.nanoseconds < math.inf:
            raise ValueError(f"{language}: no row: {line!r}")
        if any((it.name, it.mode) == (name, mode) for it in rows):
            raise ValueError(f"{language}: twice: {name}, {mode}")
        rows.append(row)
    for mode in MODES:
        if not any(row.name == OWN and row.mode == mode for row in rows):
            raise ValueError(f"{language}: no row {OWN}, {mode}")
    if all(row.is_own for row in rows):
        raise ValueError(f"{language}: nothing to compare with")
    return rows


def content(stream):
    """How many pieces of text a stream of OpenAI chat chunks has, and how many bytes of it."""
    deltas = size = 0
    for line in Path(stream).read_text(encoding="utf-8").split("\n"):
        if line.startswith("data: {"):
            text = json.loads(line[6:])["choices"][0]["delta"].get("content")
            deltas += bool(text)
            size += len((text or "").encode())
    return deltas, size


def machine():
    name = platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        found = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.M)
        name = found[1] if found else name
    return f"{name}, {os.cpu_count()} cores, {platform.system()}"


def commit(folder):
    git = ["git", "-C", folder]
    head = subprocess.run([*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    if head.returncode != 0:
        return "unknown"
    changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", ":/src", ":/Cargo.lock"])
    return head.stdout.strip() + (" and changes" if changed.returncode != 0 else "")


def shown_time(nanoseconds):
    """In microseconds, with three digits that count."""
    micros = nanoseconds / 1000
    return f"{micros:.{max(0, 2 - math.floor(math.log10(micros)))}f}"


def shown_ratio(ratio):
    return f"{ratio:.1f}×" if ratio < 9.95 else f"{ratio:.0f}×"


class Results:
    """What was measured, each language's last run."""

    def __init__(self, folder, stream):
        self.folder = folder
        self.expected = content(stream)
        self.languages = {}  # name: (version, commit), rows
        self.machine = machine()
        self.read()

    def read(self):
        """What an earlier run left; of another machine it would compare what cannot be compared."""
        path = self.folder / "results.tsv"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        if f"# machine: {self.machine}" not in lines:
            return
        for line in lines:
            if line.startswith("#"):
                continue
            language, version, commit, *row = line.split("\t")
            _, rows = self.languages.setdefault(language, ((version, commit), []))
            name, mode, nanoseconds, deltas, size = row
            rows.append(Row(name, mode, float(nanoseconds), int(deltas), int(size)))

    def replace(self, language, version, rows):
        """Takes in a language's rows; ValueError where they read something else than the stream has."""
        for row in rows:
            if (row.deltas, row.bytes) != self.expected:
                found = f"{row.deltas} deltas and {row.bytes} bytes of text"
                wanted = "{} and {}".format(*self.expected)
                raise ValueError(f"{row.name}, {row.mode}: {found}; there are {wanted}")
        self.languages[language] = ((version, commit(self.folder)), rows)

    def ratios(self):
        """Each row but deltawire's own, its time as a multiple of deltawire's; over HTTP, of the first
        row of deltawire over HTTP."""
        for language, (_, rows) in sorted(self.languages.items()):
            over_http = next((it.name for it in rows if it.is_own and it.is_http), None)
            for row in rows:
                name = over_http if row.is_http else OWN
                own = [it for it in rows if (it.name, it.mode) == (name, row.mode)]
                if not row.is_own and own:
                    yield language, row, row.nanoseconds / own[0].nanoseconds

    def table(self):
        ratios = {(language, row): ratio for language, row, ratio in self.ratios()}
        out = [f"| µs an event | | {' | '.join(MODES.values())} |", "|---|---|---|---|"]
        for language, ((version, _), rows) in sorted(self.languages.items()):
            shown = version
            for name in dict.fromkeys(row.name for row in rows):
                cells = []
                for mode in MODES:
                    row = next((it for it in rows if (it.name, it.mode) == (name, mode)), None)
                    cell = shown_time(row.nanoseconds) if row else ""
                    if (language, row) in ratios:
                        cell += f" ({shown_ratio(ratios[language, row])})"
                    cells.append(cell)
                out.append(f"| {shown} | {name} | {' | '.join(cells)} |")
                shown = ""
        return "\n".join(out)

    def goals(self):
        """What was aimed at, and what was reached, of the languages that were measured."""
        out = ["| goal | reached | |", "|---|---|---|"]

        def goal(what, reached, is_met):
            out.append(f"| {what} | {reached} | {'met' if is_met else 'missed'} |")

        ratios = list(self.ratios())
        if ratios:
            language, row, least = min(ratios, key=lambda it: it[2])
            where = f"{least:.2f}×: {language}, {row.name}, {MODES[row.mode]}"
            goal("no slower than what it replaces", where, least >= 1)
        for language, peer, factor in FACTORS:
            of = [it for it in ratios if it[0] == language and it[1].name.startswith(peer)]
            for name in dict.fromkeys(row.name for _, row, _ in of):
                reached = {row.mode: ratio for _, row, ratio in of if row.name == name}
                shown = ", ".join(f"{shown_ratio(it)} {MODES[mode]}" for mode, it in reached.items())
                goal(f"{language}: {factor}× as fast as {name}", shown, min(reached.values()) >= factor)
            if not of and language in self.languages:
                goal(f"{language}: {factor}× as fast as {peer}", "not measured", False)
        for language, longest in LONGEST:
            _, rows = self.languages.get(language, (None, []))
            for row in rows:
                if (row.name, row.mode) == (OWN, "16k"):
                    reached = f"{shown_time(row.nanoseconds)} µs"
                    what = f"{language}: {longest / 1000:g} µs an event in {MODES[row.mode]}"
                    goal(what, reached, row.nanoseconds <= longest)
        return "\n".join(out)

    def write(self):
        lines = [
            f"# machine: {self.machine}",
            "# command: ffi-examples/run --bench",
            "# language, version, commit, row, mode, ns an event, text deltas, bytes of text",
        ]
        for language, ((version, commit), rows) in sorted(self.languages.items()):
            for row in rows:
                lines.append("\t".join(map(str, (language, version, commit, *row))))
        (self.folder / "results.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self.folder / "speed.svg").write_text(picture(self), encoding="utf-8")
        path = self.folder / "README.md"
        readme = path.read_text(encoding="utf-8")
        commits = sorted({commit for (_, commit), _ in self.languages.values()})
        made = f"Machine: {self.machine}. Commit {', '.join(commits)}, `ffi-examples/run --bench`."
        for mark, text in (("machine", made), ("speed", self.table()), ("goals", self.goals())):
            readme = between(readme, mark, text)
        path.write_text(readme, encoding="utf-8")


def between(text, mark, new):
    """Puts lines between `<!-- mark -->` and `<!-- /mark -->`."""
    start, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    head, rest = text.split(start, 1)
    _, tail = rest.split(end, 1)
    return f"{head}{start}{new}\n{end}{tail}"


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def picture(results):
    """A bar from deltawire's time to that of what it replaces. On a logarithmic scale its length is the
    ratio of the two, so the bars of all languages may be held against each other."""
    width, names, right, line = 860, 370, 120, 20
    own_colour, other_colour, ink = "#d9622b", "#6f8fb5", "#808791"
    bars = []  # language, version, name, own, other
    for language, row, ratio in results.ratios():
        if row.mode == "event":
            version = results.languages[language][0][0]
            bars.append((version, row.name, row.nanoseconds / ratio, row.nanoseconds))
    times = [time for bar in bars for time in bar[2:]] or [1000]
    low = math.floor(math.log10(min(times)))
    high = max(math.ceil(math.log10(max(times))), low + 1)
    scale = (width - names - right) / (high - low)

    def x(nanoseconds):
        return names + (math.log10(nanoseconds) - low) * scale

    body = []

    def text(at, y, words, anchor="start", weight="normal", size=13):
        body.append(
            f'<text x="{at:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" '
            f'font-size="{size}">{escaped(words)}</text>'
        )

    y, shown = 34, None
    for version, name, own, other in bars:
        if version != shown:
            y += 8
            text(0, y + 14, version, weight="bold")
            shown = version
        text(names - 10, y + 14, name, "end", size=12)
        left, end = sorted((x(own), x(other)))
        body.append(
            f'<rect x="{left:.1f}" y="{y + 5}" width="{max(end - left, 1):.1f}" height="10" '
            f'fill="{other_colour}"/>'
        )
        body.append(f'<circle cx="{x(own):.1f}" cy="{y + 10}" r="6" fill="{own_colour}"/>')
        label = f"{shown_time(other)} µs, {shown_ratio(other / own)}"
        text(max(end, x(own) + 6) + 6, y + 14, label, size=12)
        y += line
    bottom = y + 6
    for power in range(low, high + 1):
        at = x(10**power)
        body.insert(
            0, f'<path d="M{at:.1f} 30V{bottom}" stroke="{ink}" stroke-opacity="0.35" fill="none"/>'
        )
        text(at, 22, f"{10 ** (power - 3):g} µs", "middle", size=12)
    notes = [
        "From the dot, deltawire, to what it replaces: time for one event of 326 bytes, each in a read "
        "of its own; to the right is slower.",
        f"A logarithmic scale. {results.machine}.",
    ]
    for note in notes:
        bottom += 18
        text(0, bottom, note, size=12)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + 8}" '
        f'width="{width}" height="{bottom + 8}" role="img" '
        f'font-family="Helvetica, Arial, sans-serif" fill="{ink}">\n'
        "<title>Time for an event in each language: deltawire and what it replaces</title>\n"
        + "\n".join(body)
        + "\n</svg>\n"
    )
