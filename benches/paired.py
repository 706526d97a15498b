#!/usr/bin/env python3
"""Compares methods seed by seed, from the data of `secant compare`.

Reads data.jsonl in each FOLDER: comparisons of one problem with the same
settings, for example one for each group of methods. For each of --methods and
every other method it prints the mean of the differences of test accuracy in
percentage points, method minus other, with its 95 % t-interval over the seeds
that both have. A win is an interval above 0, a loss one below.
"""

import argparse
import sys
from pathlib import Path

from imbalanced import estimate, header_of, last_points, names_list, read_data

SAME = ["problem", "batch_size", "epochs", "schedule", "train_records"]
VERDICTS = {1: "win", 0: "tie", -1: "loss"}


def fail(message):
    sys.exit(f"paired.py: {message}")


def read(folders):
    """The test accuracy by method and seed."""
    settings, accuracy = None, {}
    for folder in folders:
        records = read_data(folder)
        header = header_of(records)
        if header is None:
            fail(f"{folder} has no data.jsonl of a comparison")
        here = {key: header[key] for key in SAME}
        settings = settings or here
        if here != settings:
            fail(f"{folder} has other settings than {folders[0]}: {here}, not {settings}")
        for method in header["optimizers"]:
            points = last_points(records, method)
            accuracy[method] = {seed: point["test_accuracy"] for seed, point in points.items()}
    return accuracy


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--methods", type=names_list, default=["mb-lsr1", "l-ssr1-tr"])
    options = parser.parse_args()
    accuracy = read(options.folders)
    print("| method | beside | difference | |\n|---|---|---|---|")
    for method in options.methods:
        if method not in accuracy:
            fail(f"no run of {method} in these folders")
        for other in sorted(accuracy.keys() - {method}):
            seeds = sorted(accuracy[method].keys() & accuracy[other].keys())
            found = estimate([100 * (accuracy[method][s] - accuracy[other][s]) for s in seeds])
            if found:
                half = "" if found.half is None else f" ± {found.half:.2f}"
                print(f"| {method} | {other} | {found.mean:+.2f}{half} | {VERDICTS[found.verdict()]} |")


if __name__ == "__main__":
    main()
