#!/usr/bin/env python3
"""Compares MB-LSR1 with tuned SGD with momentum on 26 imbalanced data sets.

This is Figure 1 of the MB-LSR1 paper: every set with batches of 32, of 128 and
of N/4 records, N being the number of training records. Both methods get the
same number of tuning runs to find their learning rate, then one run a seed at
their best rate, measured on the test records.

The same seed means the same split and the same first weights, so the methods
are compared seed by seed: the mean of the differences A - B and its 95 %
t-interval. The first of --methods wins where that interval is above 0, loses
where it is below 0, and ties otherwise; with one seed there is no interval,
and it ties.

Each set and batch is one run of `secant compare`, kept in OUT/SET-BATCH. The
same command again goes on where it stopped. The results are OUT/table.md
(accuracy, balanced accuracy, F1, AUC) and OUT/figure.svg (accuracy).
"""

import argparse
import html
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
BINARY = HERE.parent / "target" / "release" / "secant"
PREFIX = "imbalanced/"

QUARTER = "N/4"
# The run with the first of these is made first: its data tell N.
BATCHES = ["32", "128", QUARTER]
METRICS = {
    "test_accuracy": "accuracy",
    "test_balanced_accuracy": "balanced accuracy",
    "test_f1": "F1",
    "test_auc": "AUC",
}

# The 0.975 quantiles of Student's t for 1 to 30 degrees of freedom: those of every
# printed table, here from scipy.stats.t.ppf(0.975, df), to three decimals.
T_QUANTILES = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
    2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
]  # fmt: skip


def fail(message):
    sys.exit(f"imbalanced.py: {message}")


# Files


def size_of(batch, records):
    """How many records the batch has in a set with so many training records."""
    return records // 4 if batch == QUARTER else int(batch)


def folder_of(options, name, size):
    return options.out / f"{name}-{size}"


def read_data(folder):
    """The records in the folder's data.jsonl; none where there is no such file."""
    path = folder / "data.jsonl"
    if not path.exists():
        return []
    try:
        return [json.loads(line) for line in path.read_text().splitlines()]
    except ValueError as error:
        fail(f"{path} does not hold JSON lines ({error}); remove its folder.")


def header_of(records):
    return next((r for r in records if r["kind"] == "comparison"), None)


def train_records(options, name):
    """N, or None before the set's first run."""
    header = header_of(read_data(folder_of(options, name, BATCHES[0])))
    return header and header["train_records"]


def last_points(records, method):
    """The last point of every run of the method, by seed."""
    runs = [r for r in records if r["kind"] == "run" and r["optimizer"] == method]
    return {run["seed"]: run["curve"][-1] for run in runs if run["curve"]}


def is_finished(options, folder):
    """Whether both methods have all their runs, after as much tuning as asked for."""
    records = read_data(folder)
    header = header_of(records)
    if header is None or header["trials"] != options.tune:
        return False
    if options.epochs and header["epochs"] != options.epochs:
        return False
    wanted = set(range(1, options.seeds + 1))
    return all(wanted <= last_points(records, m).keys() for m in options.methods)


# Runs


def known_sets(secant):
    """The names of the sets, in the order of `secant problems`."""
    try:
        listed = subprocess.run([secant, "problems"], capture_output=True, text=True)
    except OSError as error:
        fail(f"{secant} does not start ({error}); build it, or name it with --secant.")
    words = [line.split()[0] for line in listed.stdout.splitlines() if line.strip()]
    names = [w.removeprefix(PREFIX) for w in words if w.startswith(PREFIX)]
    if not names:
        fail(f"`{secant} problems` lists no {PREFIX} sets.")
    return names


def chosen_sets(options):
    if options.summary_only and options.sets:
        return options.sets
    known = known_sets(options.secant)
    unknown = [name for name in options.sets or [] if name not in known]
    if unknown:
        fail(f"no such set: {', '.join(unknown)}. There are {', '.join(known)}.")
    return [name for name in known if not options.sets or name in options.sets]


def command(options, name, size, folder):
    words = [options.secant, "compare", PREFIX + name]
    if options.data_dir:
        words += ["--data-dir", options.data_dir]
    words += ["--optimizers", ",".join(options.methods), "--batch-size", size]
    words += ["--tune", options.tune, "--seeds", options.seeds]
    if options.epochs:
        words += ["--epochs", options.epochs]
    words += ["--threads", max(1, (os.cpu_count() or 1) // options.jobs)]
    words += ["--out", folder]
    if (folder / "data.jsonl").exists():
        words.append("--resume")
    return [str(word) for word in words]


@dataclass
class Running:
    """One process at work."""

    name: str
    batch: str
    process: subprocess.Popen
    log: Path
    start: float


class Runner:
    """Runs what is missing, so many processes at a time."""

    def __init__(self, options, names):
        self.options = options
        self.queue = deque((name, BATCHES[0]) for name in names)
        self.running = []
        self.total = len(names) * len(options.batches)
        self.done = self.measured = self.failures = 0
        self.start = time.monotonic()

    def run(self):
        try:
            while self.queue or self.running:
                while self.queue and len(self.running) < self.options.jobs:
                    self.begin(*self.queue.popleft())
                self.end_finished()
                time.sleep(0.1)
        except KeyboardInterrupt:
            self.stop()
            fail("stopped; the same command goes on from here.")

    def begin(self, name, batch):
        """Starts a run, unless it is not needed."""
        records = train_records(self.options, name)
        if batch not in self.options.batches and records:
            return self.queue_others(name)
        if records and size_of(batch, records) > records:
            return self.end(name, batch, f"left out, N is {records}")
        size = size_of(batch, records)
        folder = folder_of(self.options, name, size)
        if is_finished(self.options, folder):
            return self.end(name, batch, "there already")
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / "log.txt"
        words = command(self.options, name, size, folder)
        with log.open("w") as file:
            # A group of its own, so that Ctrl-C reaches it once, from stop().
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self.running.append(Running(name, batch, process, log, time.monotonic()))

    def end_finished(self):
        for run in [r for r in self.running if r.process.poll() is not None]:
            self.running.remove(run)
            self.measured += 1
            if run.process.returncode == 0:
                seconds = time.monotonic() - run.start
                self.end(run.name, run.batch, f"done in {clock(seconds)}")
            else:
                self.failures += 1
                self.end(run.name, run.batch, f"failed: {last_line(run.log)}")

    def end(self, name, batch, outcome):
        """Reports, and queues the other batches of the set once N is known."""
        self.done += batch in self.options.batches
        elapsed = time.monotonic() - self.start
        left = elapsed / max(1, self.measured) * (self.total - self.done)
        times = f"elapsed {clock(elapsed)}, about {clock(left)} left"
        report = f"[{self.done}/{self.total}] {name}, batch {batch}: {outcome}"
        print(f"{report}; {times}" if self.measured else report, file=sys.stderr)
        if batch == BATCHES[0]:
            self.queue_others(name)

    def queue_others(self, name):
        others = [b for b in BATCHES[1:] if b in self.options.batches]
        records = train_records(self.options, name)
        if records is None:
            self.done += len(others)
            self.failures += len(others)
            print(f"{name}: N is unknown, so no other batches", file=sys.stderr)
            return
        sizes = {}
        for batch in others:
            # Where N/4 is 128, the two are one run in one folder.
            first = sizes.setdefault(size_of(batch, records), batch)
            if first == batch:
                self.queue.append((name, batch))
            else:
                self.end(name, batch, f"the same as batch {first}")

    def stop(self):
        for run in self.running:
            run.process.send_signal(signal.SIGINT)
        for run in self.running:
            run.process.wait()


def last_line(path):
    lines = path.read_text(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else "no message"


def clock(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


# Statistics


@dataclass
class Estimate:
    """A mean and the half-width of its 95 % interval, which one value does not have."""

    mean: float
    half: float | None
    count: int

    def verdict(self):
        """1 for a win, -1 for a loss, 0 for a tie."""
        if self.half is None or abs(self.mean) <= self.half:
            return 0
        return 1 if self.mean > 0 else -1

    def reach(self):
        return abs(self.mean) + (self.half or 0)


def estimate(values):
    """The mean and its t-interval; None of no values."""
    count = len(values)
    if count == 0:
        return None
    half = None
    if count > 1:
        # Beyond the table its last quantile is taken, which is a little too wide.
        quantile = T_QUANTILES[min(count - 1, len(T_QUANTILES)) - 1]
        half = quantile * statistics.stdev(values) / math.sqrt(count)
    return Estimate(statistics.fmean(values), half, count)


def sign_test(means):
    """The two-sided binomial p of the signs; zeros do not count."""
    above, below = (sum(sign * m > 0 for m in means) for sign in (1, -1))
    count = above + below
    tail = sum(math.comb(count, k) for k in range(min(above, below) + 1))
    return above, below, min(1.0, 2 * tail / 2**count)


@dataclass
class Cell:
    """What is known of one set with one batch."""

    header: dict
    pairs: int
    by_metric: dict


def read_cell(options, name, batch):
    """The differences A - B in percentage points; None where there are no pairs."""
    records = train_records(options, name)
    if records is None:
        return None
    data = read_data(folder_of(options, name, size_of(batch, records)))
    ours, theirs = (last_points(data, method) for method in options.methods)
    seeds = sorted(ours.keys() & theirs.keys())
    if not seeds:
        return None
    by_metric = {}
    for metric in METRICS:
        pairs = [(ours[s].get(metric), theirs[s].get(metric)) for s in seeds]
        # Rounded, so that equal differences stay equal and opposite ones cancel.
        differences = [round(100 * (a - b), 10) for a, b in pairs if None not in (a, b)]
        by_metric[metric] = estimate(differences)
    return Cell(header_of(data), len(seeds), by_metric)


def estimates(cells, metric, batches):
    """The estimates of the metric with these batches, in lists by set."""
    by_set = {}
    for (name, batch), cell in cells.items():
        if cell and batch in batches and cell.by_metric[metric]:
            by_set.setdefault(name, []).append(cell.by_metric[metric])
    return by_set


# The table


def percentage_points(value):
    if value is None:
        return "-"
    text = f"{value.mean:+.2f}"
    return text if value.half is None else f"{text} ± {value.half:.2f}"


def summary_row(cells, metric, label, batches):
    by_set = estimates(cells, metric, batches)
    verdicts = [value.verdict() for values in by_set.values() for value in values]
    counts = [verdicts.count(verdict) for verdict in (1, 0, -1)]
    # Every set counts once, with its mean over the batches.
    means = [statistics.fmean(v.mean for v in values) for values in by_set.values()]
    above, below, p = sign_test(means)
    mean = percentage_points(estimate(means))
    columns = [METRICS[metric], label, *counts, len(means), above, below]
    return columns + [f"{p:.2g}" if means else "-", mean]


def summary_table(options, cells):
    head = ["metric", "batch", "wins", "ties", "losses"]
    head += ["sets", "above 0", "below 0", "sign test p", "mean over sets"]
    rows = []
    for metric in METRICS:
        for batch in options.batches:
            rows.append(summary_row(cells, metric, batch, [batch]))
        if len(options.batches) > 1:
            rows.append(summary_row(cells, metric, "all", options.batches))
    return markdown(head, rows, left=2)


def set_table(options, names, cells, metric):
    head = ["set", "N", *(f"batch {batch}" for batch in options.batches)]
    rows = []
    for name in names:
        values = [set_entry(cells[name, batch], metric) for batch in options.batches]
        rows.append([name, train_records(options, name) or "-", *values])
    return markdown(head, rows, left=1)


def set_entry(cell, metric):
    value = cell and cell.by_metric[metric]
    text = percentage_points(value)
    mark = {1: "**", 0: "", -1: "*"}[value.verdict() if value else 0]
    return f"{mark}{text}{mark}"


def markdown(head, rows, left):
    rules = ["---"] * left + ["---:"] * (len(head) - left)
    lines = [" | ".join(map(str, row)) for row in [head, rules, *rows]]
    return "".join(f"| {line} |\n" for line in lines)


def notes(options, cells):
    """What the tables leave out, a line each."""
    for (name, batch), cell in cells.items():
        where = f"{name}, batch {batch}"
        records = train_records(options, name)
        if cell is None:
            too_large = records and size_of(batch, records) > records
            reason = f"left out, N is {records}" if too_large else "no runs"
            yield f"{where}: {reason}"
            continue
        if cell.pairs < options.seeds:
            yield f"{where}: {cell.pairs} of {options.seeds} seeds"
        for metric, title in METRICS.items():
            count = cell.by_metric[metric].count if cell.by_metric[metric] else 0
            if count < cell.pairs:
                yield f"{where}: {title} is there for {count} of {cell.pairs} seeds"


def found_in(cells, key):
    """All values of the key in the headers, in words."""
    values = sorted({cell.header[key] for cell in cells.values() if cell})
    return ", ".join(map(str, values))


def table(options, names, cells):
    a, b = options.methods
    text = (
        f"# {a} minus {b} on imbalanced data sets\n\n"
        f"Test results in percentage points, paired by seed: the mean difference ± the "
        f"half-width of its 95 % t-interval. Above 0 {a} is better. Learning rates tried "
        f"for each method: {found_in(cells, 'trials')}. Epochs: "
        f"{found_in(cells, 'epochs')}. secant {found_in(cells, 'version')}.\n\n"
        f"## Summary\n\n"
        f"A win is an interval above 0, a loss one below 0. Where the true difference is "
        f"0, 1 in 20 is a win or a loss by chance. *above 0*, *below 0*, the sign test "
        f"(two-sided) and the mean are over sets, and in the rows *all* over each set's "
        f"mean over its batches.\n\n"
        f"{summary_table(options, cells)}"
    )
    for metric in ("test_accuracy", "test_balanced_accuracy"):
        text += f"\n## By set: {METRICS[metric]}\n\nWins are bold, losses italic.\n\n"
        text += set_table(options, names, cells, metric)
    remarks = "".join(f"- {note}\n" for note in notes(options, cells))
    return text + (f"\n## Not complete\n\n{remarks}" if remarks else "")


# The figure

FIGURE_METRIC = "test_accuracy"
# Blue, vermilion and near-black: people with any colour-blindness can tell them apart.
COLOURS = {"32": "#0072B2", "128": "#D55E00", QUARTER: "#222222"}
WIDTH, LEFT, RIGHT, TOP, BOTTOM = 900, 150, 30, 120, 80
# The height of one batch's line, and the space between two sets.
LINE, GAP = 10, 8
# The least space between two ticks.
TICK_SPACE = 48


def axis_limits(values):
    """The unit of the axis and its end: half and 95 % of the intervals lie within."""
    reaches = sorted(value.reach() for value in values)
    end = reaches[math.ceil(0.95 * len(reaches)) - 1]
    unit = max(0.1, statistics.median(reaches))
    return unit, max(unit, 1.05 * end)


class Figure:
    """Collects the elements of the picture.

    The axis is asinh(value / unit): nearly linear up to the unit, logarithmic beyond,
    since the intervals of small sets are many times as wide as those of large ones.
    """

    def __init__(self, unit, limit, bottom):
        self.unit = unit
        self.limit = limit
        self.bottom = bottom
        self.parts = []

    def x(self, value):
        clipped = min(self.limit, max(-self.limit, value))
        share = math.asinh(clipped / self.unit) / math.asinh(self.limit / self.unit)
        return LEFT + (WIDTH - LEFT - RIGHT) * (1 + share) / 2

    def text(self, x, y, text, anchor="start", size=13, style=""):
        self.parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
            f"{style}>{html.escape(text)}</text>"
        )

    def line(self, x1, y1, x2, y2, colour, width=1.0):
        self.parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"/>'
        )

    def rectangle(self, y, height, colour):
        self.parts.append(
            f'<rect x="0" y="{y:.1f}" width="{WIDTH}" height="{height:.1f}" '
            f'fill="{colour}"/>'
        )

    def dot(self, x, y, colour, fill):
        self.parts.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="{fill}" '
            f'stroke="{colour}" stroke-width="1.5"/>'
        )

    def arrow(self, y, side, colour):
        """The sign at the axis's end of something that goes on beyond it."""
        base = self.x(side * self.limit) + side * 3
        tip = base + side * 7
        points = f"{tip:.1f},{y:.1f} {base:.1f},{y - 4:.1f} {base:.1f},{y + 4:.1f}"
        self.parts.append(f'<polygon points="{points}" fill="{colour}"/>')

    def mark(self, value, y, colour):
        """A dot with whiskers, cut off at the axis's ends."""
        low, high = (value.mean + sign * (value.half or 0) for sign in (-1, 1))
        self.line(self.x(low), y, self.x(high), y, colour, 1.6)
        if low < -self.limit:
            self.arrow(y, -1, colour)
        if high > self.limit:
            self.arrow(y, 1, colour)
        hidden = abs(value.mean) > self.limit
        self.dot(self.x(value.mean), y, colour, "white" if hidden else colour)

    def ticks(self):
        """0 and as many of 1, 2, 5, 10, ... as have room, with both signs."""
        ticks = [0.0]
        powers = [f"e{power}" for power in range(-2, 3)]
        for value in (float(m + power) for power in powers for m in "125"):
            has_room = self.x(value) - self.x(ticks[-1]) >= TICK_SPACE
            if value <= self.limit and has_room:
                ticks.append(value)
        return [-value for value in reversed(ticks[1:])] + ticks

    def axis(self):
        for value in self.ticks():
            x = self.x(value)
            self.line(x, TOP, x, self.bottom + 5, "#D0D0D0")
            label = f"{value:+g}".replace("-", "\N{MINUS SIGN}") if value else "0"
            self.text(x, self.bottom + 20, label, "middle")
        self.line(self.x(0), TOP - 4, self.x(0), self.bottom + 5, "#444444", 1.4)
        self.line(LEFT, self.bottom, WIDTH - RIGHT, self.bottom, "#444444")

    def svg(self, height):
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" fill="#222222" '
            f'font-family="Helvetica, Arial, sans-serif">\n'
            f'<rect width="{WIDTH}" height="{height}" fill="white"/>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )


def figure(options, names, cells):
    """The picture: a row for each set, in it a line for each batch."""
    by_set = estimates(cells, FIGURE_METRIC, options.batches)
    rows = [name for name in names if name in by_set]
    row_height = LINE * len(options.batches) + GAP
    bottom = TOP + row_height * len(rows)
    limits = axis_limits([value for values in by_set.values() for value in values])
    picture = Figure(*limits, bottom)
    for i in range(0, len(rows), 2):
        picture.rectangle(TOP + i * row_height, row_height, "#F4F4F4")
    picture.axis()
    for i, name in enumerate(rows):
        top = TOP + i * row_height + GAP / 2
        picture.text(LEFT - 14, top + (row_height - GAP) / 2 + 4.5, name, "end")
        for j, batch in enumerate(options.batches):
            value = cells[name, batch] and cells[name, batch].by_metric[FIGURE_METRIC]
            if value:
                picture.mark(value, top + LINE * (j + 0.5), COLOURS[batch])
    captions(picture, options, len(rows))
    return picture.svg(bottom + BOTTOM)


def captions(picture, options, count):
    """Title, legend and what the axis means."""
    a, b = options.methods
    title = f"{a} minus {b}: test accuracy on {count} imbalanced data sets"
    picture.text(24, 30, title, size=18, style=' font-weight="bold"')
    picture.text(24, 52, "Mean difference over paired seeds, with its 95 % t-interval")
    x = 24
    for batch in options.batches:
        picture.line(x, 74, x + 24, 74, COLOURS[batch], 1.6)
        picture.dot(x + 12, 74, COLOURS[batch], COLOURS[batch])
        picture.text(x + 32, 78.5, f"batch {batch}")
        x += 120
    middle = picture.x(0)
    picture.text(middle - 12, TOP - 12, f"\N{LEFTWARDS ARROW} {b} is better", "end")
    picture.text(middle + 12, TOP - 12, f"{a} is better \N{RIGHTWARDS ARROW}")
    unit = "percentage points (nearly linear around 0, logarithmic further out)"
    picture.text(middle, picture.bottom + 42, unit, "middle")
    note = "Arrowhead: the interval goes on. Hollow dot at the end: the mean lies beyond."
    picture.text(middle, picture.bottom + 64, note, "middle", size=12)


# The command


def summarise(options, names):
    cells = {(n, b): read_cell(options, n, b) for n in names for b in options.batches}
    if not any(cells.values()):
        fail(f"{options.out} holds no runs of {' and '.join(options.methods)}.")
    options.out.mkdir(parents=True, exist_ok=True)
    results = {"table.md": table(options, names, cells)}
    if estimates(cells, FIGURE_METRIC, options.batches):
        results["figure.svg"] = figure(options, names, cells)
    for file, text in results.items():
        (options.out / file).write_text(text, encoding="utf-8")
        print(options.out / file)


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def names_list(text):
    return text.split(",")


def methods_pair(text):
    methods = text.split(",")
    if len(methods) != 2 or methods[0] == methods[1]:
        raise argparse.ArgumentTypeError("name two methods, such as adam,sgd")
    return methods


def batches_list(text):
    batches = text.split(",")
    if not set(batches) <= set(BATCHES):
        raise argparse.ArgumentTypeError(f"the batches are {', '.join(BATCHES)}")
    return [batch for batch in BATCHES if batch in batches]


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--secant", default=str(BINARY), metavar="FILE",
        help="the command [default: target/release/secant]")
    add("--data-dir", metavar="DIR",
        help="the folder of the data sets [default: that of secant]")
    add("--out", type=Path, default=Path("secant-report/imbalanced"), metavar="DIR",
        help="the folder for runs and results [default: %(default)s]")
    add("--methods", type=methods_pair, default="mb-lsr1,sgd-momentum", metavar="A,B",
        help="the two methods [default: %(default)s]")
    add("--sets", type=names_list, metavar="NAMES",
        help="sets, separated by commas [default: all]")
    add("--batches", type=batches_list, default=BATCHES, metavar="SIZES",
        help="some of 32,128,N/4 [default: all]; the run with 32 tells N, so it is also "
        "made where it is left out")
    add("--tune", type=positive, default=5, metavar="N",
        help="learning rates to try for each method [default: %(default)s]")
    add("--seeds", type=positive, default=5, metavar="N",
        help="final runs of each method [default: %(default)s]")
    add("--epochs", type=positive, metavar="N",
        help="passes over the training records [default: the set's]")
    add("--jobs", type=positive, default=1, metavar="N",
        help="processes side by side; they share the cores [default: %(default)s]")
    add("--summary-only", action="store_true",
        help="run nothing; make table and figure from what is there")
    return parser.parse_args()


def main():
    options = parse()
    names = chosen_sets(options)
    failures = 0
    if not options.summary_only:
        runner = Runner(options, names)
        runner.run()
        failures = runner.failures
    summarise(options, names)
    if failures:
        fail(f"runs that failed: {failures}; log.txt in their folders says why.")


if __name__ == "__main__":
    main()
